//! From a message head to the fields of the upload protocol, in every spelling that the field uses.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::PacketType;
use super::fields::{self, ContentRange};
use super::secrets::Secrets;
use crate::at::Span;
use crate::http::{Head, Oddities, Start};
use crate::model::exchange::{ErrorCode, Request, Response};

/// Whether a head belongs to the upload protocol: told by its headers, or by the verb where those are cut off.
pub fn is_bits(head: &Head<'_>) -> bool {
    if head.odd.cut_line {
        // Whose upload it is, a part of its target cannot tell.
        return false;
    }
    let verb = matches!(head.start, Start::Request { method, .. } if method.eq_ignore_ascii_case("BITS_POST"));
    verb || head.headers.iter().any(|header| {
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

/// The text of a header value; bytes that are no UTF-8 become `\xNN`.
///
/// A backslash that looks like the start of that becomes `\x5C`, so that the bytes can be had back.
pub fn text(bytes: &[u8]) -> String {
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

/// The type of a request, from `BITS-Packet-Type`.
pub fn packet_type(request: &Request) -> PacketType {
    request
        .packet_type
        .as_deref()
        .map_or(PacketType::Unknown, |value| PacketType::parse(value.trim()))
}

/// Decodes the head of a request.
pub fn request(head: &Head<'_>, span: Span, secrets: Secrets) -> Request {
    let Start::Request { method, target } = head.start else { return Request::default() };
    let value = |name: &str| head.field(name).map(text);
    let credential = |name: &str| value(name).map(|value| secrets.credential(&value));
    Request {
        span,
        method: method.to_owned(),
        method_override: value("X-Http-Method-Override"),
        target: secrets.target(target),
        minor_version: head.minor_version,
        host: value("Host").map(|host| secrets.target(&host)),
        user_agent: value("User-Agent"),
        packet_type: value("BITS-Packet-Type").or_else(|| value("BITS-Package-Type")),
        session_id: value("BITS-Session-Id"),
        supported_protocols: value("BITS-Supported-Protocols"),
        content_name: value("Content-Name"),
        content_range: value("Content-Range").map(|raw| ContentRange::parse(&raw)),
        content_length: value("Content-Length").and_then(|raw| raw.parse().ok()),
        content_length_raw: lengths(head),
        content_encoding: value("Content-Encoding"),
        transfer_encoding: value("Transfer-Encoding"),
        authorization: credential("Authorization"),
        proxy_authorization: credential("Proxy-Authorization"),
        user: credentials(head).find_map(basic_user),
        ntlm: credentials(head).find_map(ntlm),
        expect: value("Expect"),
        via: value("Via"),
        hops: hops(head),
        longest_value: head
            .headers
            .iter()
            .map(|header| header.value.len() as u64)
            .max()
            .unwrap_or(0),
        long_field: long_field(head),
        odd: oddities(head),
        ..Request::default()
    }
}

/// Decodes the head of a response.
pub fn response(head: &Head<'_>, span: Span, secrets: Secrets) -> Response {
    let Start::Response { status, reason } = head.start else { return Response::default() };
    let value = |name: &str| head.field(name).map(text);
    let received =
        value("BITS-Received-Content-Range").or_else(|| value("BITS-Recieved-Content-Range"));
    let next_offset = received.as_deref().and_then(fields::received);
    let plain = |raw: &String| raw.trim().parse::<u64>().is_ok();
    Response {
        span,
        http_status: status,
        reason: reason.to_owned(),
        minor_version: head.minor_version,
        packet_type: value("BITS-Packet-Type").or_else(|| value("BITS-Package-Type")),
        protocol: value("BITS-Protocol"),
        session_id: value("BITS-Session-Id"),
        host_id: value("BITS-Host-Id"),
        host_id_fallback_timeout_seconds: value("BITS-Host-Id-Fallback-Timeout")
            .or_else(|| value("BITS-HostId-Fallback-Timeout"))
            .and_then(|raw| raw.parse().ok()),
        next_offset,
        next_offset_raw: received.filter(|raw| !plain(raw)),
        reply_url: value("BITS-Reply-URL"),
        error: ["BITS-Error", "BITS-Error-Code"].iter().find_map(|name| error(name, &value(name)?)),
        error_context: value("BITS-Error-Context").filter(|raw| !raw.is_empty()),
        accept_encoding: value("Accept-Encoding"),
        server: value("Server"),
        via: value("Via"),
        hops: hops(head),
        content_length: value("Content-Length").and_then(|raw| raw.parse().ok()),
        content_length_raw: lengths(head),
        connection: value("Connection"),
        retry_after: value("Retry-After"),
        dav: value("DAV"),
        cookies: cookies(head, secrets),
        location: value("Location").map(|url| secrets.target(&url)),
        allow: value("Allow"),
        content_type: value("Content-Type"),
        date: value("Date"),
        challenges: challenges(head).map(|value| secrets.credential(&text(value))).collect(),
        ntlm_challenge: challenges(head).any(|value| ntlm(value) == Some(2)),
        odd: oddities(head),
        ..Response::default()
    }
}

fn error(header: &str, raw: &str) -> Option<ErrorCode> {
    if raw.is_empty() {
        return None;
    }
    let (value, notation) = fields::hresult(raw).unzip();
    Some(ErrorCode { header: header.to_owned(), raw: raw.to_owned(), value, notation })
}

fn challenges<'a>(head: &'a Head<'_>) -> impl Iterator<Item = &'a [u8]> {
    values(head, &["WWW-Authenticate", "Proxy-Authenticate"])
}

fn credentials<'a>(head: &'a Head<'_>) -> impl Iterator<Item = &'a [u8]> {
    values(head, &["Authorization", "Proxy-Authorization"])
}

/// All values of fields with one of `names`.
fn values<'a>(head: &'a Head<'_>, names: &'static [&str]) -> impl Iterator<Item = &'a [u8]> {
    head.headers
        .iter()
        .filter(|header| names.iter().any(|name| header.name.eq_ignore_ascii_case(name)))
        .map(|header| header.value.trim_ascii())
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
fn lengths(head: &Head<'_>) -> Vec<String> {
    let all = || values(head, &["Content-Length"]);
    let plain = |value: &[u8]| !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    let first = all().next();
    if all().all(|value| Some(value) == first && plain(value)) {
        return Vec::new();
    }
    all().map(text).collect()
}

/// Fields that only proxies, gateways and balancers add.
const HOPS: [&str; 31] = [
    "Via",
    "Forwarded",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Forwarded-Server",
    "X-Real-IP",
    "X-Cache",
    "X-Cache-Lookup",
    "X-Served-By",
    "X-Squid-Error",
    "X-Varnish",
    "Proxy-Connection",
    "Proxy-Agent",
    "X-BlueCoat-Via",
    "CF-RAY",
    "Akamai-GRN",
    "X-Iinfo",
    "X-Sucuri-ID",
    "X-Amz-Cf-Id",
    "X-Amzn-Trace-Id",
    "X-Amzn-ErrorType",
    "Apigw-Requestid",
    "X-Azure-Ref",
    "X-ARR-LOG-ID",
    "X-Envoy-Upstream-Service-Time",
    "X-Envoy-Decorator-Operation",
    "X-Kong-Proxy-Latency",
    "X-Kong-Response-Latency",
    // NetScaler garbles the name of Connection to take the field away in place.
    "Cneonction",
    "nnCoection",
];

fn hops(head: &Head<'_>) -> Vec<String> {
    head.headers
        .iter()
        .filter(|header| HOPS.iter().any(|name| header.name.eq_ignore_ascii_case(name)))
        .map(|header| format!("{}: {}", header.name, text(header.value.trim_ascii())))
        .collect()
}

/// The names of the cookies that are set; with what they hold only where that is to be shown.
fn cookies(head: &Head<'_>, secrets: Secrets) -> Vec<String> {
    let name = |value: &[u8]| match secrets {
        Secrets::Mask => text(value.split(|byte| *byte == b'=').next().unwrap_or_default()),
        Secrets::Show => text(value),
    };
    values(head, &["Set-Cookie"]).map(name).collect()
}

/// The field with the longest value, where that is longer than servers take.
fn long_field(head: &Head<'_>) -> Option<String> {
    let longest = head.headers.iter().max_by_key(|header| header.value.len())?;
    (longest.value.len() > fields::VALUE_LIMIT).then(|| longest.name.to_owned())
}

/// Fields of which a message can have but one.
const SINGLE: [&str; 6] = [
    "BITS-Packet-Type",
    "BITS-Session-Id",
    "Content-Range",
    "Content-Length",
    "BITS-Received-Content-Range",
    "Host",
];

fn repeats(head: &Head<'_>) -> bool {
    SINGLE.iter().any(|name| {
        head.headers.iter().filter(|header| header.name.eq_ignore_ascii_case(name)).count() > 1
    })
}

fn oddities(head: &Head<'_>) -> Vec<String> {
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
        (repeats(head), "repeated"),
        (!head.whole, "cut"),
    ]
    .into_iter()
    .filter(|(is, _)| *is)
    .map(|(_, name)| name.to_owned())
    .collect()
}
