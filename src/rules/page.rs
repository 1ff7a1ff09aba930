//! Pages that come with an answer: what they are, and what that of a refusal names as its reason.

use crate::model::{Request, Response};
use crate::rules::http::request_malformed;

/// Why a request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// What is behind the gateway failed it, as that tells.
    Behind,
    /// Something in the words of the upload protocol: only what speaks it knows those.
    Bits,
    /// It came without a client certificate.
    Certificate,
    /// The disk or the quota is full.
    Full,
    /// Its header is too long.
    Header,
    /// A policy forbids it.
    Policy,
    /// It came without TLS.
    Tls,
    /// The server it was for cannot be reached.
    Unreachable,
}

/// What pages say, in lower case.
pub(super) const WORDS: [(&str, Reason); 26] = [
    ("bits-packet-type", Reason::Bits),
    ("bits-supported-protocols", Reason::Bits),
    ("bits-session-id", Reason::Bits),
    ("protocol not supported", Reason::Bits),
    ("no required ssl certificate was sent", Reason::Certificate),
    ("not enough space on the disk", Reason::Full),
    ("no space left on device", Reason::Full),
    ("disk quota exceeded", Reason::Full),
    ("request header or cookie too large", Reason::Header),
    ("request header is too large", Reason::Header),
    ("request header fields too large", Reason::Header),
    ("size of a request header field exceeds server limit", Reason::Header),
    ("number of request header fields exceeds", Reason::Header),
    ("in accordance with company policy", Reason::Policy),
    ("denied the specified uniform resource locator", Reason::Policy),
    ("rejected by the http filter", Reason::Policy),
    ("the plain http request was sent to https port", Reason::Tls),
    ("sent an http request to an https server", Reason::Tls),
    ("speaking plain http to an ssl-enabled server port", Reason::Tls),
    ("unable to connect", Reason::Unreachable),
    ("error reading from remote server", Reason::Behind),
    ("backend fetch failed", Reason::Behind),
    ("no server is available to handle this request", Reason::Behind),
    ("the server didn't respond in time", Reason::Behind),
    ("did not receive a timely response", Reason::Behind),
    ("upstream request timeout", Reason::Behind),
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

/// What the page of a gateway says of what is behind it, as `; its page says "…"`.
pub fn of_gateway(response: &Response) -> String {
    let told = reason(response).filter(|(reason, _)| *reason == Reason::Behind);
    told.map_or_else(String::new, |(_, words)| format!("; its page says \"{words}\""))
}

/// Whether a request was called malformed in the words of the upload protocol, without an Ack.
pub fn speaks_bits(response: &Response) -> bool {
    let reason = reason(response).map(|(reason, _)| reason);
    response.http_status == 400 && !response.is_ack() && reason == Some(Reason::Bits)
}

/// Whether a request was called malformed for another reason than its verb, or may have been for what is cut off of it.
pub fn is_about_more_than_verb(request: &Request, response: &Response) -> bool {
    let other = |(reason, _)| reason != Reason::Policy;
    let told = || reason(response).is_some_and(other) || refuses_url(response);
    let faulty = || request_malformed::fault(request).is_some();
    response.http_status == 400 && (request.is_cut() || told() || faulty())
}

/// Whether Squid refused the URL: it is no URL, or one without scheme and host at a port for clients that know of the
/// proxy.
pub fn refuses_url(response: &Response) -> bool {
    response.own_error().is_some_and(|error| error.starts_with("ERR_INVALID_URL"))
}

/// The sub-status that an error page of IIS tells to clients it trusts: 6 of `404.6 - Not Found`.
pub fn sub_status(response: &Response) -> Option<u16> {
    let status = format!("{}.", response.http_status);
    let mut places = response.body_start.match_indices(&status);
    places.find_map(|(at, _)| {
        let (before, rest) = response.body_start.split_at_checked(at)?;
        let digits = rest.get(status.len()..)?;
        let end = digits.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(digits.len());
        let alone = before.ends_with([' ', '>']) && digits.get(end..)?.starts_with([' ', '<']);
        digits.get(..end)?.parse().ok().filter(|_| alone)
    })
}

/// Whether the page that comes with an answer is one of http.sys.
pub fn is_of_http_sys(response: &Response) -> bool {
    response.body_start.contains("HTTP Error ")
}

/// Whether a response is a web page.
pub fn is_page(response: &Response) -> bool {
    let kind = response.content_type.as_deref().unwrap_or_default().to_ascii_lowercase();
    let start = response.body_start.trim_start().to_ascii_lowercase();
    let page = start.starts_with("<!doctype html") || start.starts_with("<html");
    page || kind.starts_with("text/html") && !start.is_empty()
}

/// The title of a web page.
pub fn title(response: &Response) -> Option<&str> {
    let body = response.body_start.as_str();
    let lower = body.to_ascii_lowercase();
    // Lower case of ASCII keeps every offset.
    let start = lower.find("<title>")?.checked_add(7)?;
    let end = start.checked_add(lower.get(start..)?.find("</title>")?)?;
    body.get(start..end).map(str::trim).filter(|title| !title.is_empty())
}

/// The title of a web page, where it says more than the status does.
pub fn own_title(response: &Response) -> Option<&str> {
    let status = response.http_status.to_string();
    let reason = response.reason.to_ascii_lowercase();
    title(response).filter(|title| {
        let told = !reason.is_empty() && title.to_ascii_lowercase().contains(&reason);
        !told && !title.contains(&status)
    })
}
