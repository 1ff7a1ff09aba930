//! The rule `target-exists`.

use crate::model::{Exchange, Outcome, Response, Session};
use crate::rules::history::Brief;
use crate::rules::{Around, Confidence, Notes, course, look};

rule! {
    /// The file exists on the server and may not be overwritten.
    ///
    /// BITS on IIS does not replace files unless it is told to. It looks at Create-Session, or when the last Fragment is in.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200
    /// > CLOSE-SESSION
    /// < 200
    /// > CREATE-SESSION
    /// < 403 error=0x80070005 context=0x5
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 409 error=0x80070050 context=0x5
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 403 error=0x80070005 context=0x5
    /// ```
    /// What was uploaded later was not there yet:
    /// ```silent
    /// > CREATE-SESSION
    /// < 403 error=0x80070005 context=0x5
    /// ... 600 s
    /// = client 10.0.0.6
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200
    /// > CLOSE-SESSION
    /// < 200
    /// ```
    ///
    /// Answerable: the server
    /// Advice: Upload under a name that does not exist yet, or allow overwriting (BITSAllowOverwrites) for the virtual directory.
    /// Confirm: The file in the physical folder is older than this upload.
    /// Reference: [MC-BUP] 2.2.1.2
    Error, belief 85, needs Anything, TroubledAround
}

/// `ERROR_FILE_EXISTS` and `ERROR_ALREADY_EXISTS`.
const EXISTS: [u32; 2] = [0x8007_0050, 0x8007_00B7];

fn check(session: &Session, around: &Around<'_>, notes: &mut Notes<'_>) {
    for exchange in &session.exchanges {
        let Some(answer) = refused(exchange) else { continue };
        let earlier = || around.same_server(session).rfind(|brief| wrote(brief, session, exchange));
        let said = answer.error_value().is_some_and(|code| EXISTS.contains(&code));
        let (confidence, why) = match (said, answer.http_status, earlier()) {
            (true, ..) => (Confidence::Certain, String::new()),
            (_, 403 | 409, Some(brief)) if !answer.is_cut() => {
                let by = if brief.client == session.client.address {
                    "the client"
                } else {
                    "another client"
                };
                (
                    Confidence::Likely,
                    format!(", and {by} had uploaded it by frame {}", brief.last.name()),
                )
            }
            (_, 409, None) if !answer.is_cut() => (Confidence::Likely, String::new()),
            _ => continue,
        };
        let message = format!("{} was answered {}{why}", exchange.kind, answer.http_status);
        let severity = course::unless_recovered(session, exchange, notes.severity());
        notes.note(severity, confidence, &[exchange.span()], message);
    }
}

/// The refusal of a Create-Session or of the last Fragment by the BITS server itself.
fn refused(exchange: &Exchange) -> Option<&Response> {
    look::refused_create(exchange).or_else(|| {
        let answer = exchange.response.as_ref()?;
        let own = answer.is_ack() && !answer.is_success() && !look::may_be_of_application(answer);
        (own && look::is_final(exchange)).then_some(answer)
    })
}

/// Whether an upload had brought the file before it was refused.
fn wrote(brief: &Brief, session: &Session, refused: &Exchange) -> bool {
    let before = brief.last.frame < refused.span().last.frame;
    let same = brief.url.is_some() && brief.url == session.url;
    before && same && brief.outcome == Outcome::Completed
}
