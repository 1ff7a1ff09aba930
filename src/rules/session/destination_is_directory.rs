//! The rule `destination-is-directory`.

use crate::bits::fields::VALUE_LIMIT;
use crate::bits::hresult::INVALID_ARGUMENT;
use crate::model::negotiation::{Negotiation, Verdict};
use crate::model::{Exchange, Response, Session};
use crate::rules::{Around, Confidence, Notes, look};

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
        if !may_be_about_the_url(exchange) {
            continue;
        }
        let invalid = is_invalid(answer);
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
        } else if invalid && !has_extension(url) {
            (Confidence::Possible, "and nothing else is wrong with the request")
        } else {
            continue;
        };
        let message =
            format!("{} answered to Create-Session for \"{url}\", {why}", answer.http_status);
        let severity = look::unless_recovered(session, exchange, notes.severity());
        notes.note(severity, confidence, &[exchange.span()], message);
    }
}

/// Whether a Create-Session was refused as malformed where neither its fields nor its URL tell why.
pub fn is_refused_for_nothing(session: &Session, exchange: &Exchange) -> bool {
    let file = session.url.as_deref().is_some_and(|url| !url.ends_with('/') && has_extension(url));
    let refused = look::refused_create(exchange).is_some_and(is_invalid);
    file && refused && may_be_about_the_url(exchange)
}

fn is_invalid(answer: &Response) -> bool {
    answer.http_status == 400 && answer.error_value() == Some(INVALID_ARGUMENT)
}

/// Whether nothing else of the request explains a refusal as malformed.
fn may_be_about_the_url(exchange: &Exchange) -> bool {
    let negotiation = Negotiation::of(exchange);
    let about_offers = match negotiation.verdict {
        Verdict::RefusedAlthoughKnown => negotiation.offered.len() > 1,
        verdict => verdict != Verdict::RefusedOther,
    };
    exchange.request.as_ref().is_some_and(|request| {
        !about_offers
            && request.longest_value <= VALUE_LIMIT as u64
            && request.content_length == Some(0)
            && request.content_length_raw.is_empty()
    })
}

fn has_extension(url: &str) -> bool {
    url.rsplit('/').next().is_some_and(|name| name.contains('.'))
}
