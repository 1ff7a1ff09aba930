//! What the page of a refusal names as its reason, where that is not the verb.

use crate::model::Response;

/// Why a request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It came without a client certificate.
    Certificate,
    /// Its header is too long.
    Header,
    /// It came without TLS.
    Tls,
    /// The server it was for cannot be reached.
    Unreachable,
}

/// What pages say, in lower case.
const WORDS: [(&str, Reason); 10] = [
    ("no required ssl certificate was sent", Reason::Certificate),
    ("request header or cookie too large", Reason::Header),
    ("request header is too large", Reason::Header),
    ("request header fields too large", Reason::Header),
    ("size of a request header field exceeds server limit", Reason::Header),
    ("number of request header fields exceeds", Reason::Header),
    ("the plain http request was sent to https port", Reason::Tls),
    ("sent an http request to an https server", Reason::Tls),
    ("speaking plain http to an ssl-enabled server port", Reason::Tls),
    ("unable to connect", Reason::Unreachable),
];

/// The reason that a page names, and its words for it.
pub fn reason(response: &Response) -> Option<(Reason, &str)> {
    let body = response.body_start.as_str();
    // Lower case of ASCII keeps every offset.
    let lower = body.to_ascii_lowercase();
    WORDS.iter().find_map(|(words, reason)| {
        let start = lower.find(words)?;
        Some((*reason, body.get(start..start.checked_add(words.len())?)?))
    })
}

/// Whether a request was called malformed for another reason than its verb.
pub fn is_about_more_than_verb(response: &Response) -> bool {
    response.http_status == 400 && reason(response).is_some()
}
