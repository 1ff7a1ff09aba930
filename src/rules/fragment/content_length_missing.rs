//! The rule `content-length-missing`.

use crate::bits::PacketType;
use crate::bits::hresult::INVALID_ARGUMENT;
use crate::model::negotiation::Verdict;
use crate::model::{Exchange, Request, Session};
use crate::rules::{Confidence, Notes, Severity, look};

rule! {
    /// A request without Content-Length.
    ///
    /// Every packet needs it, an empty one too. http.sys answers 411, the BITS server 400; where the server did not
    /// mind, this is only a remark.
    ///
    /// ```fires
    /// > CREATE-SESSION
    ///   Content-Length:
    /// < 411 plain
    ///   Server: Microsoft-HTTPAPI/2.0
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > CLOSE-SESSION
    /// < 200
    /// ```
    ///
    /// Answerable: the client, or a proxy that sends chunks
    /// Advice: Let the client send Content-Length with every request; keep proxies from sending chunks.
    /// Confirm: The log of what answered, with this status; of http.sys that is its error log (System32\LogFiles\HTTPERR), with LengthRequired.
    /// Reference: [MC-BUP] 2.2.1.1
    Error, belief 94, needs WholeExchange, Exchange
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(request) = exchange.request.as_ref().filter(|request| is_missing(request)) else {
        return;
    };
    let Some(response) = &exchange.response else { return };
    let refused = response.http_status == 400
        && response.error_value() == Some(INVALID_ARGUMENT)
        && !has_other_fault(session, exchange);
    let (severity, confidence) = match response.http_status {
        411 => (notes.severity(), Confidence::Certain),
        _ if refused => (notes.severity(), Confidence::Likely),
        _ => (Severity::Note, Confidence::Certain),
    };
    let how = if request.transfer_encoding.is_some() {
        "comes in chunks"
    } else {
        "has no Content-Length"
    };
    let message = format!("{} {how} and was answered {}", exchange.kind, response.http_status);
    notes.note(severity, confidence, &[exchange.span()], message);
}

fn is_missing(request: &Request) -> bool {
    request.content_length.is_none() && request.content_length_raw.is_empty()
}

/// Whether something else explains the refusal: other requests without the header passed, or the packet is wrong in
/// itself.
fn has_other_fault(session: &Session, exchange: &Exchange) -> bool {
    let passed = session
        .exchanges
        .iter()
        .any(|other| other.request.as_ref().is_some_and(is_missing) && other.succeeded());
    let verdict = session.negotiation.as_ref().map(|negotiation| negotiation.verdict);
    let protocol = exchange.kind == PacketType::CreateSession
        && verdict.is_some_and(|verdict| verdict != Verdict::RefusedAlthoughKnown);
    let range = exchange.kind == PacketType::Fragment
        && look::range(exchange).is_none_or(|range| !range.valid);
    passed
        || protocol
        || range
        || matches!(exchange.kind, PacketType::Other(_) | PacketType::Unknown)
}

#[cfg(test)]
mod tests {
    use crate::rules::Severity::Note;
    use crate::rules::tests::fired;

    #[test]
    fn a_server_that_does_not_mind_makes_it_a_note() {
        let findings = fired("> CREATE-SESSION\n  Content-Length:\n< 200 session=1");
        assert!(findings.contains(&("content-length-missing".to_owned(), Note)), "{findings:?}");
    }
}
