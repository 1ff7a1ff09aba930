//! From a message head to the fields of the upload protocol, in every spelling that the field uses.

use std::borrow::Cow;

use super::PacketType;
use super::fields::{self, ContentRange};
use super::names::{Field, Fields, Set};
use super::rare;
use super::secrets::Secrets;
use super::words::Words;
use crate::at::Span;
use crate::http::{Head, Header, Start};
use crate::model::exchange::{Body, Request, Response};

/// Whether a head belongs to the upload protocol: by its verb, or by a header that only packets have. GET and HEAD carry
/// no file: with such headers they are copies, as proxies send them to ask another server for leave.
pub fn is_bits(head: &Head<'_>) -> bool {
    if head.odd.cut_line {
        // Whose upload it is, a part of its target cannot tell.
        return false;
    }
    let fetches = matches!(head.start, Start::Request { method: "GET" | "HEAD", .. });
    has_verb(head) || !fetches && has_packet_field(head)
}

/// Whether a head has a header that only packets of the upload protocol have.
pub fn has_packet_field(head: &Head<'_>) -> bool {
    let is = |header: &Header<'_>| PACKET.iter().any(|name| header.name.eq_ignore_ascii_case(name));
    head.headers.iter().any(is)
}

const PACKET: [&str; 4] =
    ["BITS-Packet-Type", "BITS-Package-Type", "BITS-Session-Id", "BITS-Supported-Protocols"];

/// Whether a request belongs to the upload protocol by its verb, and the capture ends within its first line.
pub fn is_beheaded(head: &Head<'_>) -> bool {
    head.odd.cut_line && has_verb(head)
}

fn has_verb(head: &Head<'_>) -> bool {
    matches!(head.start, Start::Request { method, .. } if method.eq_ignore_ascii_case("BITS_POST"))
}

/// The text of a header value; bytes that are no UTF-8 become `\xNN`.
///
/// A backslash that looks like the start of that becomes `\x5C`, so that the bytes can be had back.
pub fn text(bytes: &[u8]) -> String {
    lent(bytes).into_owned()
}

pub(super) fn lent(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) if memchr::memchr(b'\\', bytes).is_none() => text.into(),
        _ => escaped(bytes).into(),
    }
}

fn escaped(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut out = String::with_capacity(bytes.len());
    for part in bytes.utf8_chunks() {
        let mut valid = part.valid();
        while let Some(at) = valid.find("\\x") {
            let (before, rest) = valid.split_at(at);
            let digits =
                rest.get(2..4).is_some_and(|two| two.bytes().all(|b| b.is_ascii_hexdigit()));
            out.push_str(before);
            out.push_str(if digits { "\\x5C" } else { "\\" });
            valid = rest.get(1..).unwrap_or_default();
        }
        out.push_str(valid);
        for byte in part.invalid() {
            let _ = write!(out, "\\x{byte:02X}");
        }
    }
    out
}

/// The type of a request, from `BITS-Packet-Type`. Where that tells none, one with a Content-Range and a body is a
/// Fragment: no other packet brings bytes of the file ([MC-BUP] 2.2.6.1).
pub fn packet_type(request: &Request) -> PacketType {
    let told = request.packet_type.as_deref().map(|value| PacketType::parse(value.trim()));
    let brings = request.content_range.is_some() && request.content_length != Some(0);
    match told {
        None | Some(PacketType::Other(_)) if brings => PacketType::Fragment,
        told => told.unwrap_or(PacketType::Unknown),
    }
}

/// Decodes the head of a request.
pub fn request(head: &Head<'_>, span: Span, secrets: Secrets, words: &mut Words) -> Request {
    let Start::Request { method, target } = head.start else { return Request::default() };
    let fields = Fields::of(head.headers);
    let longest = head.headers.iter().map(|header| header.value.len() as u64).max();
    let method = words.share(method);
    let target = if secrets.keeps(target.as_bytes()) {
        words.share(target)
    } else {
        secrets.target(target.to_owned()).into()
    };
    let host = fields.first(Field::Host).map(|host| match secrets.keeps(host) {
        true => words.text(host),
        false => secrets.target(text(host)).into(),
    });
    let offers = offers(head, &fields);
    let supported_protocols = offers.map(|offers| words.text(&offers));
    let begun_type = begun_type(head).map(|kind| words.share(kind.name()));
    let mut value = |field: Field| fields.first(field).map(|value| words.text(value));
    Request {
        span,
        method,
        target,
        minor_version: head.minor_version,
        host,
        user_agent: value(Field::UserAgent),
        packet_type: value(Field::BitsPacketType)
            .or_else(|| value(Field::BitsPackageType))
            .or(begun_type),
        session_id: value(Field::BitsSessionId),
        supported_protocols,
        content_name: value(Field::ContentName),
        content_range: fields.first(Field::ContentRange).map(|raw| ContentRange::parse(&lent(raw))),
        content_length: head.content_length,
        body: Body::default(),
        longest_value: longest.unwrap_or(0),
        awaits: None,
        rare: rare::of_request(head, &fields, secrets),
    }
}

/// The packet type of a request within whose name the capture ends, where that can be but one.
fn begun_type(head: &Head<'_>) -> Option<PacketType> {
    let cut = head.cut.filter(|cut| cut.name.eq_ignore_ascii_case("BITS-Packet-Type"))?;
    PacketType::begun(std::str::from_utf8(cut.value).ok().filter(|start| !start.is_empty())?)
}

/// Decodes the head of a response.
pub fn response(head: &Head<'_>, span: Span, secrets: Secrets, words: &mut Words) -> Response {
    let Start::Response { status, reason } = head.start else { return Response::default() };
    let fields = Fields::of(head.headers);
    let reason = words.share(reason);
    let usual = fields.first(Field::BitsReceivedContentRange);
    let received = usual.or_else(|| fields.first(Field::BitsRecievedContentRange));
    let mut value = |field: Field| fields.first(field).map(|value| words.text(value));
    Response {
        span,
        http_status: status,
        reason,
        minor_version: head.minor_version,
        packet_type: value(Field::BitsPacketType).or_else(|| value(Field::BitsPackageType)),
        protocol: value(Field::BitsProtocol),
        session_id: value(Field::BitsSessionId),
        next_offset: received.and_then(|raw| fields::received(&lent(raw))),
        accept_encoding: value(Field::AcceptEncoding),
        server: value(Field::Server),
        content_length: head.content_length,
        connection: value(Field::Connection),
        content_type: value(Field::ContentType),
        date: value(Field::Date),
        answered_by: None,
        body: Body::default(),
        rare: rare::of_response(head, &fields, received, secrets),
    }
}

/// What the client offers; several lines are one list (RFC 9110 5.3).
fn offers<'a>(head: &Head<'a>, fields: &Fields<'_, 'a>) -> Option<Cow<'a, [u8]>> {
    let first = fields.first(Field::BitsSupportedProtocols)?;
    if !fields.repeated.has_any(Set::of(&[Field::BitsSupportedProtocols])) {
        return Some(first.into());
    }
    let lines: Vec<_> = rare::values(head, fields, &[Field::BitsSupportedProtocols]).collect();
    Some(lines.join(&b", "[..]).into())
}
