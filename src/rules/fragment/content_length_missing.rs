//! The rule `content-length-missing`.

use crate::bits::PacketType;
use crate::model::negotiation::Verdict;
use crate::model::{Exchange, Request, Session};
use crate::rules::{Confidence, Notes, Severity, look, slip};

rule! {
    /// A request without Content-Length, or with one that is no number.
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
    /// ```fires
    /// > CREATE-SESSION
    ///   Content-Length: -1
    /// < 200 session=1
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
    Error, belief 94, needs Anything, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    let lacking = || session.exchanges.iter().filter(|exchange| is_missing(exchange));
    // Others that passed show that the server does not mind.
    let passed = lacking().any(Exchange::succeeded);
    for exchange in lacking().filter(|exchange| look::is_whole(session, exchange)) {
        let (Some(request), Some(response)) = (&exchange.request, &exchange.response) else {
            continue;
        };
        let invalid = slip::is_invalid_argument(response);
        let refused = invalid && !passed && !is_wrong_in_itself(session, exchange);
        let (severity, confidence) = match response.http_status {
            411 => (notes.severity(), Confidence::Certain),
            _ if refused => (notes.severity(), Confidence::Likely),
            _ => (Severity::Note, Confidence::Certain),
        };
        let how = match (&request.transfer_encoding, request.content_length_raw.first()) {
            (Some(_), _) => "comes in chunks".to_owned(),
            (None, Some(raw)) => format!("has the Content-Length \"{raw}\""),
            (None, None) => "has no Content-Length".to_owned(),
        };
        let message = format!("{} {how} and was answered {}", exchange.kind, response.http_status);
        notes.note(severity, confidence, &[exchange.span()], message);
    }
}

fn is_missing(exchange: &Exchange) -> bool {
    let lacks = |request: &Request| {
        // Several that differ contradict each other: another rule tells of that.
        request.content_length.is_none() && request.content_length_raw.len() < 2
    };
    exchange.request.as_ref().is_some_and(lacks)
}

/// Whether something else in the packet explains a refusal.
fn is_wrong_in_itself(session: &Session, exchange: &Exchange) -> bool {
    let verdict = session.negotiation.as_ref().map(|negotiation| negotiation.verdict);
    match exchange.kind {
        PacketType::CreateSession => {
            verdict.is_some_and(|verdict| verdict != Verdict::RefusedAlthoughKnown)
        }
        PacketType::Fragment => look::range(exchange).is_none_or(|range| !range.valid),
        PacketType::Other(_) | PacketType::Unknown => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::Severity::{Error, Note};
    use crate::rules::tests::severity;

    #[test]
    fn a_server_that_does_not_mind_makes_it_a_note() {
        let text = "> CREATE-SESSION\n  Content-Length:\n< 200 session=1";
        assert_eq!(severity("content-length-missing", text), Some(Note));
    }

    #[test]
    fn a_refusal_is_for_want_of_it_unless_something_else_in_the_packet_is_wrong() {
        let weighed = |packet: &str| {
            let opened = "> CREATE-SESSION\n< 200 session=1\n";
            let text = format!("{opened}> {packet}\n  Content-Length:\n< 400 error=0x80070057");
            severity("content-length-missing", &text)
        };
        assert_eq!(weighed("FRAGMENT 0-9/20"), Some(Error));
        assert_eq!(weighed("FRAGMENT 0-9/20\n  Content-Range: bytes 9-0/20"), Some(Note));
        assert_eq!(weighed("CLOSE-SESSION"), Some(Error));
        let foreign = "> CREATE-SESSION offers={11111111-2222-3333-4444-555555555555}\n  Content-Length:\n\
                       < 400 error=0x80070057";
        assert_eq!(severity("content-length-missing", foreign), Some(Note));
    }
}
