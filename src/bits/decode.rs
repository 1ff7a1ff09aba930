//! From a message head to the fields of the upload protocol, in every spelling that the field uses.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::PacketType;
use super::fields::{self, ContentRange};
use super::names::{Field, Fields, Set};
use super::secrets::Secrets;
use super::words::Words;
use crate::at::Span;
use crate::http::{Head, Header, Oddities, Start};
use crate::model::exchange::{Body, ErrorCode, RareRequest, RareResponse, Request, Response};
use crate::model::rare::Rare;

/// Whether a head belongs to the upload protocol: told by its headers, or by the verb where those are cut off.
pub fn is_bits(head: &Head<'_>) -> bool {
    if head.odd.cut_line {
        // Whose upload it is, a part of its target cannot tell.
        return false;
    }
    has_verb(head)
        || head.headers.iter().any(|header| {
            let name = header.name.as_bytes();
            name.get(..5).is_some_and(|prefix| prefix.eq_ignore_ascii_case(b"bits-"))
                && [
                    "BITS-Packet-Type",
                    "BITS-Package-Type",
                    "BITS-Session-Id",
                    "BITS-Supported-Protocols",
                ]
                .iter()
                .any(|known| header.name.eq_ignore_ascii_case(known))
        })
}

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

fn lent(bytes: &[u8]) -> Cow<'_, str> {
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

fn number(bytes: &[u8]) -> Option<u64> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

/// The type of a request, from `BITS-Packet-Type`.
pub fn packet_type(request: &Request) -> PacketType {
    request
        .packet_type
        .as_deref()
        .map_or(PacketType::Unknown, |value| PacketType::parse(value.trim()))
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
        content_length: fields.first(Field::ContentLength).and_then(number),
        body: Body::default(),
        longest_value: longest.unwrap_or(0),
        awaits: None,
        rare: if is_ordinary(head, &fields, USUAL_IN_REQUEST) {
            Rare::default()
        } else {
            rare_of_request(head, &fields, secrets).into()
        },
    }
}

/// The packet type of a request within whose name the capture ends, where that can be but one.
fn begun_type(head: &Head<'_>) -> Option<PacketType> {
    let cut = head.cut.filter(|cut| cut.name.eq_ignore_ascii_case("BITS-Packet-Type"))?;
    PacketType::begun(std::str::from_utf8(cut.value).ok().filter(|start| !start.is_empty())?)
}

fn rare_of_request(head: &Head<'_>, fields: &Fields<'_, '_>, secrets: Secrets) -> RareRequest {
    let value = |field: Field| fields.first(field).map(text);
    let credential = |field: Field| value(field).map(|value| secrets.credential(&value));
    let credentials = || values(head, fields, &[Field::Authorization, Field::ProxyAuthorization]);
    RareRequest {
        method_override: value(Field::XHttpMethodOverride),
        content_length_raw: lengths(head, fields),
        content_encoding: value(Field::ContentEncoding),
        transfer_encoding: value(Field::TransferEncoding),
        authorization: credential(Field::Authorization),
        proxy_authorization: credential(Field::ProxyAuthorization),
        user: credentials().find_map(basic_user),
        ntlm: credentials().find_map(ntlm),
        expect: value(Field::Expect),
        via: value(Field::Via),
        hops: hops(head, fields),
        file_type: None,
        long_field: long_field(head),
        after_gap: head.after_gap,
        odd: oddities(head, fields),
    }
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
        content_length: fields.first(Field::ContentLength).and_then(number),
        connection: value(Field::Connection),
        content_type: value(Field::ContentType),
        date: value(Field::Date),
        answered_by: None,
        body: Body::default(),
        rare: if is_ordinary(head, &fields, USUAL_IN_RESPONSE) && received.is_none_or(is_number) {
            Rare::default()
        } else {
            rare_of_response(head, &fields, received, secrets).into()
        },
    }
}

fn rare_of_response(
    head: &Head<'_>,
    fields: &Fields<'_, '_>,
    received: Option<&[u8]>,
    secrets: Secrets,
) -> RareResponse {
    let value = |field: Field| fields.first(field).map(text);
    let challenges = || values(head, fields, &[Field::WwwAuthenticate, Field::ProxyAuthenticate]);
    RareResponse {
        host_id: value(Field::BitsHostId),
        host_id_fallback_timeout_seconds: fields
            .first(Field::BitsHostIdFallbackTimeout)
            .or_else(|| fields.first(Field::BitsHostidFallbackTimeout))
            .and_then(number),
        next_offset_raw: received.filter(|raw| !is_number(raw)).map(text),
        reply_url: value(Field::BitsReplyUrl).map(|url| secrets.target(url)),
        error: value(Field::BitsError)
            .and_then(|raw| error("BITS-Error", raw))
            .or_else(|| error("BITS-Error-Code", value(Field::BitsErrorCode)?)),
        error_context: value(Field::BitsErrorContext).filter(|raw| !raw.is_empty()),
        via: value(Field::Via),
        hops: hops(head, fields),
        content_length_raw: lengths(head, fields),
        retry_after: value(Field::RetryAfter),
        dav: value(Field::Dav),
        cookies: cookies(head, fields, secrets),
        location: value(Field::Location).map(|url| secrets.target(url)),
        allow: value(Field::Allow),
        challenges: challenges().map(|value| secrets.credential(&text(value))).collect(),
        ntlm_challenge: challenges().any(|value| ntlm(value) == Some(2)),
        body_start: String::new(),
        odd: oddities(head, fields),
    }
}

/// Fields of a request of which nothing is rare.
const USUAL_IN_REQUEST: Set = Set::of(&[
    Field::Host,
    Field::UserAgent,
    Field::BitsPacketType,
    Field::BitsPackageType,
    Field::BitsSessionId,
    Field::BitsSupportedProtocols,
    Field::ContentName,
    Field::ContentRange,
    Field::ContentLength,
    Field::ContentType,
    Field::Connection,
    Field::AcceptEncoding,
]);

/// Fields of a response of which nothing is rare.
const USUAL_IN_RESPONSE: Set = Set::of(&[
    Field::BitsPacketType,
    Field::BitsPackageType,
    Field::BitsProtocol,
    Field::BitsSessionId,
    Field::BitsReceivedContentRange,
    Field::BitsRecievedContentRange,
    Field::AcceptEncoding,
    Field::Server,
    Field::ContentLength,
    Field::Connection,
    Field::ContentType,
    Field::Date,
]);

/// Whether a head has nothing but `usual` fields, once each and as they should be: then nothing in it is rare.
fn is_ordinary(head: &Head<'_>, fields: &Fields<'_, '_>, usual: Set) -> bool {
    let fits = |header: &Header<'_>| header.value.len() <= fields::VALUE_LIMIT;
    fields.present.is_within(usual)
        && fields.repeated.is_within(Set::default())
        && fields.first(Field::ContentLength).is_none_or(is_digits)
        && head.headers.iter().all(fits)
        && head.whole
        && !head.after_gap
        && head.odd == Oddities::default()
}

fn is_digits(value: &[u8]) -> bool {
    !value.is_empty() && value.iter().all(u8::is_ascii_digit)
}

/// Whether an offset is just a number.
fn is_number(raw: &[u8]) -> bool {
    lent(raw).trim().parse::<u64>().is_ok()
}

fn error(header: &str, raw: String) -> Option<ErrorCode> {
    if raw.is_empty() {
        return None;
    }
    let (value, notation) = fields::hresult(&raw).unzip();
    Some(ErrorCode { header: header.to_owned(), raw, value, notation })
}

/// All values of `fields`, in the order of the head.
fn values<'a>(
    head: &'a Head<'_>,
    known: &Fields<'_, '_>,
    fields: &'static [Field],
) -> impl Iterator<Item = &'a [u8]> {
    // Most heads have none of them.
    let some = known.present.has_any(Set::of(fields));
    let headers = if some { head.headers } else { &[] };
    let named = |name: &str| Field::of(name).is_some_and(|field| fields.contains(&field));
    headers.iter().filter(move |header| named(header.name)).map(|header| header.value.trim_ascii())
}

/// What the client offers; several lines are one list (RFC 9110 5.3).
fn offers<'a>(head: &Head<'a>, fields: &Fields<'_, 'a>) -> Option<Cow<'a, [u8]>> {
    let first = fields.first(Field::BitsSupportedProtocols)?;
    if !fields.repeated.has_any(Set::of(&[Field::BitsSupportedProtocols])) {
        return Some(first.into());
    }
    let lines: Vec<_> = values(head, fields, &[Field::BitsSupportedProtocols]).collect();
    Some(lines.join(&b", "[..]).into())
}

/// The user name of Basic credentials (RFC 7617 2).
fn basic_user(credentials: &[u8]) -> Option<String> {
    let (scheme, token) = credentials.split_at_checked(6)?;
    let decoded = scheme
        .eq_ignore_ascii_case(b"basic ")
        .then(|| STANDARD.decode(token.trim_ascii()).ok())
        .flatten()?;
    let end = decoded.iter().position(|byte| *byte == b':')?;
    decoded.get(..end).map(text)
}

/// Which message of NTLM a value carries, bare or at the front of Negotiate ([MS-NLMP] 2.2.1).
fn ntlm(value: &[u8]) -> Option<u8> {
    let token = value.split(|byte| *byte == b' ').nth(1)?.get(..16)?;
    let decoded = STANDARD.decode(token).ok()?;
    let kind = decoded.strip_prefix(b"NTLMSSP\0")?.first()?;
    Some(*kind)
}

/// All values of Content-Length, where there is more to say than one number.
fn lengths(head: &Head<'_>, fields: &Fields<'_, '_>) -> Vec<String> {
    let Some(first) = fields.first(Field::ContentLength) else { return Vec::new() };
    let all = || values(head, fields, &[Field::ContentLength]);
    if is_digits(first) && all().all(|value| value == first) {
        Vec::new()
    } else {
        all().map(text).collect()
    }
}

/// Fields that only proxies, gateways and balancers add.
fn hops(head: &Head<'_>, fields: &Fields<'_, '_>) -> Vec<String> {
    if !fields.present.has_any(Set::of(&[Field::Via, Field::Hop])) {
        return Vec::new();
    }
    head.headers
        .iter()
        .filter(|header| Field::of(header.name).is_some_and(Field::is_hop))
        .map(|header| format!("{}: {}", header.name, text(header.value.trim_ascii())))
        .collect()
}

/// The names of the cookies that are set; with what they hold only where that is to be shown.
fn cookies(head: &Head<'_>, fields: &Fields<'_, '_>, secrets: Secrets) -> Vec<String> {
    let name = |value: &[u8]| match secrets {
        Secrets::Mask => text(value.split(|byte| *byte == b'=').next().unwrap_or_default()),
        Secrets::Show => text(value),
    };
    values(head, fields, &[Field::SetCookie]).map(name).collect()
}

/// The field with the longest value, where that is longer than servers take.
fn long_field(head: &Head<'_>) -> Option<String> {
    let longest = head.headers.iter().max_by_key(|header| header.value.len())?;
    (longest.value.len() > fields::VALUE_LIMIT).then(|| longest.name.to_owned())
}

/// Fields of which a message can have but one.
const SINGLE: Set = Set::of(&[
    Field::BitsPacketType,
    Field::BitsSessionId,
    Field::ContentRange,
    Field::ContentLength,
    Field::BitsReceivedContentRange,
    Field::Host,
]);

fn oddities(head: &Head<'_>, fields: &Fields<'_, '_>) -> Vec<String> {
    let repeated = fields.repeated.has_any(SINGLE);
    if head.whole && !repeated && head.odd == Oddities::default() {
        return Vec::new();
    }
    let Oddities {
        bare_lf,
        folded,
        nul,
        control,
        bad_lines,
        contradictory_length,
        version,
        cut_line: _,
    } = head.odd;
    [
        (bare_lf, "bare-lf"),
        (folded, "folded"),
        (nul, "nul"),
        (control, "control"),
        (bad_lines, "bad-lines"),
        (contradictory_length, "contradictory-length"),
        (version, "version"),
        (repeated, "repeated"),
        (!head.whole, "cut"),
    ]
    .into_iter()
    .filter(|(is, _)| *is)
    .map(|(_, name)| name.to_owned())
    .collect()
}
