//! The rule `request-malformed`.

use crate::model::{Exchange, Odd, Request, Session};
use crate::rules::{Confidence, Notes, course, front, look};

rule! {
    /// The request is written in a way that every server must refuse.
    ///
    /// It has two lengths that differ, one that is no number, no Host, or one that is no host: the answer to that is 400,
    /// whatever is asked.
    ///
    /// ```fires
    /// > CREATE-SESSION
    ///   + Content-Length: 7
    /// < 400 plain
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    ///   Content-Length: -1
    /// < 400 plain
    /// ```
    /// Some take a list of one length:
    /// ```silent
    /// > CREATE-SESSION
    ///   Content-Length: 0, 0
    /// < 400 plain
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    ///   Host: a b
    /// < 400 plain
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    ///   Host:
    /// < 400 plain
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    ///   Host: [2001:db8::1]:8080
    /// < 400 plain
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    ///   Host: a b
    /// < 404 plain
    /// ```
    ///
    /// Answerable: the client, or what writes its requests anew
    /// Advice: Look at what the client was given as its URL and its header fields, and at software on its side that changes requests.
    /// Confirm: A capture at the client: whether its request leaves like this.
    /// Reference: RFC 9112 3.2, 6.3
    Error, belief 92, needs WholeExchange, Trouble
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let refusal = look::stranger(exchange).filter(|answer| answer.http_status == 400);
    let Some(fault) = refusal.and(exchange.request.as_ref()).and_then(fault) else { return };
    let severity = course::unless_made_good(session, exchange, notes.severity());
    let by = front::by(session, exchange);
    let message = format!("{fault} in the {}, which was answered 400{by}", exchange.kind);
    notes.note(severity, Confidence::Likely, &[exchange.span()], message);
}

/// What a server must refuse a request for.
pub(in crate::rules) fn fault(request: &Request) -> Option<String> {
    let lengths = &request.content_length_raw;
    let differ = request.odd.contains(&Odd::ContradictoryLength);
    let wrong = differ && !lengths.is_empty();
    let wrong = wrong || !request.is_cut() && lengths.iter().any(|length| is_no_length(length));
    if wrong && request.transfer_encoding.is_none() {
        return Some(format!("Content-Length {}", lengths.join(" and ")));
    }
    match &request.host {
        None if request.minor_version > 0 && !request.is_cut() => Some("no Host".to_owned()),
        Some(host) if !host.bytes().all(may_be_in_host) => Some(format!("Host \"{host}\"")),
        _ => None,
    }
}

/// Whether a Content-Length is neither a number nor a list of numbers (RFC 9110 8.6).
fn is_no_length(length: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    !length.split(',').all(|part| is_number(part.trim()))
}

/// Whether a byte may stand in a host with its port (RFC 3986 3.2.2, 3.2.3).
fn may_be_in_host(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=[]:".contains(&byte)
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::diagnosed;

    #[test]
    fn a_request_that_is_malformed_is_not_refused_for_its_verb() {
        let diagnosis = diagnosed("> CREATE-SESSION\n  Host: a b\n< 400 plain\n  Server: nginx\n");
        assert_eq!(diagnosis.cause, "request-malformed");
        assert!(diagnosis.summary.contains("Host \"a b\" in the Create-Session"));
        assert!(!diagnosis.contributing.contains(&"verb-rejected-by-server".to_owned()));
        let diagnosis =
            diagnosed("> CREATE-SESSION\n  Content-Length: -1\n< 400 plain\n  Server: nginx\n");
        assert_eq!(diagnosis.cause, "request-malformed");
        assert!(!diagnosis.contributing.contains(&"verb-rejected-by-server".to_owned()));
    }
}
