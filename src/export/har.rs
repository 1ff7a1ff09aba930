//! The exchanges as an HTTP Archive 1.2, for developers and tickets; bodies are left out, credentials masked.

use std::borrow::Cow;
use std::io::{self, Write};
use std::net::{Ipv6Addr, SocketAddr};

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::Serialize;
use serde_json::{Value, json};

use super::json::{self, Listed};
use crate::model::{Exchange, Report, Request, Response, Session, url};
use crate::observe::heads::{Heads, RawHead};

/// Writes the archive: a page for each session, an entry for each exchange with a request; HAR knows no response
/// without one, so those are counted. What HAR has no name for is under `_bits`.
pub fn write(out: &mut dyn Write, report: &Report, heads: &Heads) -> io::Result<()> {
    let sessions = || (1_u64..).zip(&report.sessions);
    let asked = sessions().flat_map(|(number, session)| {
        let asked = session.exchanges.iter().filter(|exchange| exchange.request.is_some());
        asked.map(move |exchange| (number, session, exchange))
    });
    let mut asked: Vec<_> = asked.collect();
    asked.sort_by_key(|(_, _, exchange)| exchange.span().first.time);
    let entries =
        asked.iter().map(|(number, session, exchange)| entry(exchange, *number, session, heads));
    let pages = sessions().map(|(number, session)| page(number, session));
    let names = report.captures.iter().map(|input| &*input.name);
    let log = Log {
        bits: (report.captures.len() > 1).then(|| json!({"captures": names.collect::<Vec<_>>()})),
        creator: json!({"name": report.tool.name, "version": report.tool.version}),
        entries: Listed(|| entries.clone()),
        pages: Listed(|| pages.clone()),
        version: "1.2",
    };
    json::write_line(out, &Archive { log })
}

#[derive(Serialize)]
struct Archive<L> {
    log: L,
}

#[derive(Serialize)]
struct Log<E, P> {
    #[serde(rename = "_bits", skip_serializing_if = "Option::is_none")]
    bits: Option<Value>,
    creator: Value,
    entries: E,
    pages: P,
    version: &'static str,
}

fn page(number: u64, session: &Session) -> Value {
    let unasked = session.exchanges.iter().filter(|exchange| exchange.request.is_none());
    json!({
        "id": name(number), "title": title(session), "startedDateTime": session.started,
        "pageTimings": {"onContentLoad": -1, "onLoad": rounded(session.duration_seconds * 1000.0)},
        "_bits": {"session_id": session.id, "outcome": session.outcome.name(), "file": session.file,
                  "diagnosis": session.diagnosis, "findings": session.findings,
                  "responses_without_request": unasked.count()},
    })
}

/// The name of the page of a session.
fn name(number: u64) -> String {
    format!("session_{number}")
}

fn title(session: &Session) -> String {
    let name = session.name().unwrap_or("an upload");
    format!("{name}: {}", session.outcome.name())
}

fn entry(exchange: &Exchange, number: u64, session: &Session, heads: &Heads) -> Value {
    let (request_head, response_head) = heads.of(exchange);
    let (request, response) = (exchange.request.as_ref(), exchange.response.as_ref());
    let timings = timings(exchange);
    let time = rounded(timings.iter().sum());
    let [send, wait, receive] = timings;
    let mut entry = json!({
        "pageref": name(number),
        "startedDateTime": exchange.span().first.time,
        "time": time,
        "request": request.map(|request| request_of(exchange, request, request_head)),
        "response": response_of(response, response_head),
        "cache": {},
        "timings": {"blocked": -1, "dns": -1, "connect": -1, "ssl": -1,
                    "send": send, "wait": wait, "receive": receive},
        "serverIPAddress": exchange.server.ip(),
        "connection": exchange.connection.to_string(),
        "_bits": {
            "packet_type": exchange.kind.name(), "session_id": session.id,
            "client": exchange.client, "server": exchange.server,
            "content_range": request.and_then(|request| request.content_range.as_ref()),
            "next_offset": response.and_then(|response| response.next_offset),
            "error": response.and_then(|response| response.error.as_ref()),
            "request_frames": request.map(|request| request.span.frames()),
            "request_frame_labels": request.and_then(|request| request.span.labels()),
            "response_frames": response.map(|response| response.span.frames()),
            "response_frame_labels": response.and_then(|response| response.span.labels()),
        },
    });
    if let Some(own) = entry.get_mut("_bits").and_then(Value::as_object_mut) {
        own.retain(|_, value| !value.is_null());
    }
    entry
}

/// Milliseconds of sending, waiting and receiving; 0 for what did not end, since none of them may be left out or
/// negative.
fn timings(exchange: &Exchange) -> [f64; 3] {
    let millis = |nanos: i64| nanos.max(0) as f64 / 1e6;
    let Some(request) = &exchange.request else { return [0.0; 3] };
    let send = millis(request.span.last.time.since(request.span.first.time));
    let Some(response) = &exchange.response else { return [send, 0.0, 0.0] };
    let wait = millis(response.span.first.time.since(request.span.last.time));
    [send, wait, millis(response.span.last.time.since(response.span.first.time))]
}

/// Milliseconds to the nanosecond: what is beyond is noise of the arithmetic.
fn rounded(millis: f64) -> f64 {
    (millis * 1e6).round() / 1e6
}

fn request_of(exchange: &Exchange, request: &Request, head: Option<&RawHead>) -> Value {
    let query = request.target.split_once('?').map_or("", |(_, query)| query);
    let pairs: Vec<Value> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| json!({"name": name, "value": value}))
        .collect();
    json!({
        "method": request.method,
        "url": full_url(exchange, request),
        "httpVersion": format!("HTTP/1.{}", request.minor_version),
        "cookies": [],
        "headers": headers(head),
        "queryString": pairs,
        "headersSize": size(head),
        "bodySize": request.body.bytes,
    })
}

fn response_of(response: Option<&Response>, head: Option<&RawHead>) -> Value {
    let body = response.map_or(0, |response| response.body.bytes);
    let text = |pick: fn(&Response) -> Option<&str>| response.and_then(pick).unwrap_or_default();
    json!({
        // 0 is what browsers write for a request without an answer.
        "status": response.map_or(0, |response| response.http_status),
        "statusText": response.map_or("", |response| &response.reason),
        "httpVersion": format!("HTTP/1.{}", response.map_or(1, |response| response.minor_version)),
        "cookies": [],
        "headers": headers(head),
        "content": {"size": body, "mimeType": text(|response| response.content_type.as_deref())},
        "redirectURL": text(|response| response.location.as_deref()),
        "headersSize": size(head),
        "bodySize": if response.is_some() { json!(body) } else { json!(-1) },
    })
}

fn headers(head: Option<&RawHead>) -> Vec<Value> {
    let fields = head.map_or(&[][..], |head| &head.fields);
    fields.iter().map(|(name, value)| json!({"name": name, "value": value})).collect()
}

fn size(head: Option<&RawHead>) -> Value {
    head.map_or(json!(-1), |head| json!(head.bytes))
}

/// The URL with its query; the address stands in where no host is named.
fn full_url(exchange: &Exchange, request: &Request) -> String {
    let path = url::path_of(request);
    let bare = url::of(exchange, request)
        .map_or_else(|| fallback(exchange.server, exchange.tls, path), |url| url.text());
    let query = request.target.split_once('?').map(|(_, query)| format!("?{query}"));
    encoded(&format!("{bare}{}", query.unwrap_or_default()))
}

fn fallback(server: SocketAddr, tls: bool, path: &str) -> String {
    format!(
        "{}://{server}{}",
        if tls { "https" } else { "http" },
        if path.starts_with('/') { path } else { "/" }
    )
}

/// What no URI may hold as it is (RFC 3986 2), beside all that is not ASCII.
const NO_URI: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// Brackets stand only around an address of IPv6 (RFC 3986 3.2.2), and what is sent has no fragment.
const NO_PATH: &AsciiSet = &NO_URI.add(b'[').add(b']').add(b'#');

/// What would end the host.
const NO_HOST: &AsciiSet = &NO_PATH.add(b':').add(b'@').add(b'?');

/// With everything that no URI may hold as percent escapes.
pub(super) fn encoded(url: &str) -> String {
    let path = url::path_within(url);
    let front = url.strip_suffix(path).unwrap_or_default();
    let (scheme, authority) = front.split_once("://").unwrap_or(("http", front));
    let is_port = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let parted = authority.rsplit_once(':').filter(|(_, port)| is_port(port));
    let (host, port) = parted.map_or((authority, None), |(host, port)| (host, Some(port)));
    let port = port.map_or_else(String::new, |port| format!(":{port}"));
    format!("{scheme}://{}{port}{}", encoded_host(host), escaped(path, NO_PATH))
}

fn encoded_host(host: &str) -> Cow<'_, str> {
    let within = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    match within.and_then(|address| address.parse::<Ipv6Addr>().ok()) {
        Some(_) => host.into(),
        None => escaped(host, NO_HOST).into(),
    }
}

/// With `set` as percent escapes, and each percent sign that begins none (RFC 3986 2.1).
fn escaped(text: &str, set: &'static AsciiSet) -> String {
    let mut parts = text.split('%');
    let mut out = String::with_capacity(text.len());
    out.extend(utf8_percent_encode(parts.next().unwrap_or_default(), set));
    for part in parts {
        let digits = part.bytes().take(2).filter(u8::is_ascii_hexdigit).count();
        out.push_str(if digits == 2 { "%" } else { "%25" });
        out.extend(utf8_percent_encode(part, set));
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn brackets_are_encoded_but_for_those_of_an_address() {
        assert_eq!(
            super::encoded("http://[fd00::1]:8530/up/report[1].docx?[a]"),
            "http://[fd00::1]:8530/up/report%5B1%5D.docx?%5Ba%5D"
        );
        assert_eq!(
            super::encoded("http://a [31mred:x:80/[a#b"),
            "http://a%20%5B31mred%3Ax:80/%5Ba%23b"
        );
    }

    #[test]
    fn a_percent_sign_that_begins_no_escape_is_one() {
        assert_eq!(
            super::encoded("http://a%zz/%%{x}%20%4/%"),
            "http://a%25zz/%25%25%7Bx%7D%20%254/%25"
        );
    }
}
