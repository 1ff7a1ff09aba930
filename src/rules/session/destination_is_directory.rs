//! The rule `destination-is-directory`.

use crate::model::Session;
use crate::rules::{Around, Confidence, Notes, course, look, slip};

rule! {
    /// The URL names a folder, not a file.
    ///
    /// The remote name of an upload must be that of the file. A server that finds a folder there refuses the request as
    /// malformed.
    ///
    /// ```fires
    /// = url http://server/upload/
    /// > CREATE-SESSION
    /// < 400 error=0x80070057 context=0x5
    /// ```
    /// ```fires
    /// = url http://server/upload/2026/file.bin
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > CANCEL-SESSION
    /// < 200
    /// = url http://server/upload/2026
    /// > CREATE-SESSION
    /// < 400 error=0x80070057 context=0x5
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 400 error=0x80070057 context=0x5
    /// ```
    /// ```silent
    /// = url http://server/upload/
    /// > CREATE-SESSION
    /// < 405 plain
    ///   Server: nginx/1.22.1
    /// ```
    ///
    /// Answerable: the client
    /// Advice: Put the name of the file at the end of the job's remote URL.
    /// Reference: [MC-BUP] 2.2.1.2
    Error, belief 85, needs Anything, TroubledAround
}

fn check(session: &Session, around: &Around<'_>, notes: &mut Notes<'_>) {
    let Some(url) = session.url.as_deref() else { return };
    for exchange in &session.exchanges {
        let Some(answer) = look::refused_create(exchange) else { continue };
        if !slip::may_be_about_the_url(exchange) {
            continue;
        }
        let invalid = slip::is_invalid_argument(answer);
        let inside = || {
            around.same_server(session).any(|brief| {
                let other = brief.url.as_deref().filter(|_| brief.created);
                other
                    .and_then(|other| other.strip_prefix(url))
                    .is_some_and(|rest| rest.starts_with('/'))
            })
        };
        let (confidence, why) = if url.ends_with('/') {
            (Confidence::Likely, "whose path ends with a slash")
        } else if invalid && inside() {
            (Confidence::Certain, "a folder that takes other uploads")
        } else if invalid && !slip::names_file(url) {
            (Confidence::Possible, "and nothing else is wrong with the request")
        } else {
            continue;
        };
        let message =
            format!("{} answered to Create-Session for \"{url}\", {why}", answer.http_status);
        let severity = course::unless_recovered(session, exchange, notes.severity());
        notes.note(severity, confidence, &[exchange.span()], message);
    }
}
