//! The exchanges as an HTTP Archive 1.2, for developers and tickets; bodies are left out, credentials masked.

use std::io::{self, Write};
use std::net::SocketAddr;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Value, json};

use super::json;
use crate::model::{Exchange, Report, Request, Response, Session, url};
use crate::observe::heads::{Heads, RawHead};

/// Writes the archive: a page for each session, an entry for each exchange with a request. What HAR has no name for is
/// under `_bits`.
pub fn write(out: &mut dyn Write, report: &Report, heads: &Heads) -> io::Result<()> {
    let mut pages = Vec::new();
    let mut entries = Vec::new();
    for (number, session) in (1_u64..).zip(&report.sessions) {
        let page = format!("session_{number}");
        pages.push(json!({
            "id": page, "title": title(session), "startedDateTime": session.started,
            "pageTimings": {"onContentLoad": -1, "onLoad": session.duration_seconds * 1000.0},
            "_bits": {"session_id": session.id, "outcome": session.outcome.name(), "file": session.file,
                      "diagnosis": session.diagnosis, "findings": session.findings},
        }));
        let known = session.exchanges.iter().filter(|exchange| exchange.request.is_some());
        entries.extend(
            known.map(|exchange| {
                (exchange.span().first.time, entry(exchange, &page, session, heads))
            }),
        );
    }
    entries.sort_by_key(|(begun, _)| *begun);
    let entries: Vec<Value> = entries.into_iter().map(|(_, entry)| entry).collect();
    let archive = json!({"log": {
        "version": "1.2",
        "creator": {"name": report.tool.name, "version": report.tool.version},
        "pages": pages, "entries": entries,
    }});
    json::write_line(out, &archive)
}

fn title(session: &Session) -> String {
    let name = session.name().unwrap_or("an upload");
    format!("{name}: {}", session.outcome.name())
}

fn entry(exchange: &Exchange, page: &str, session: &Session, heads: &Heads) -> Value {
    let (request_head, response_head) = heads.of(exchange);
    let (request, response) = (exchange.request.as_ref(), exchange.response.as_ref());
    let timings = timings(exchange);
    let time: f64 = timings.iter().sum();
    let [send, wait, receive] = timings;
    let mut entry = json!({
        "pageref": page,
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

/// Milliseconds of sending, waiting and receiving; 0 for what did not end, since none of them may be left out or negative.
fn timings(exchange: &Exchange) -> [f64; 3] {
    let millis = |nanos: i64| nanos.max(0) as f64 / 1e6;
    let Some(request) = &exchange.request else { return [0.0; 3] };
    let send = millis(request.span.last.time.since(request.span.first.time));
    let Some(response) = &exchange.response else { return [send, 0.0, 0.0] };
    let wait = millis(response.span.first.time.since(request.span.last.time));
    [send, wait, millis(response.span.last.time.since(response.span.first.time))]
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

/// Brackets stand only around an address of IPv6 (RFC 3986 3.2.2).
const NO_PATH: &AsciiSet = &NO_URI.add(b'[').add(b']');

/// With everything that no URI may hold as percent escapes.
pub(super) fn encoded(url: &str) -> String {
    let path = url::path_within(url);
    let front = url.strip_suffix(path).unwrap_or_default();
    format!("{}{}", utf8_percent_encode(front, NO_URI), utf8_percent_encode(path, NO_PATH))
}

#[cfg(test)]
mod tests {
    #[test]
    fn brackets_are_encoded_but_for_those_of_an_address() {
        assert_eq!(
            super::encoded("http://[fd00::1]:8530/up/report[1].docx?[a]"),
            "http://[fd00::1]:8530/up/report%5B1%5D.docx?%5Ba%5D"
        );
    }
}
