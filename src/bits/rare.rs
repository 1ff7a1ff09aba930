//! What few heads have: credentials, errors, hops, spellings that differ from the usual one.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::decode::text;
use super::fields;
use super::names::{Field, Fields, Set};
use super::secrets::{Secrets, challenges};
use crate::http::{Head, Header, Oddities, number};
use crate::model::Odd;
use crate::model::exchange::{ErrorCode, RareRequest, RareResponse};
use crate::rare::Rare;

/// Fields of a request of which nothing is rare.
const USUAL_IN_REQUEST: Set = Set::of(&[
    Field::Host,
    Field::UserAgent,
    Field::BitsPacketType,
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

/// What is rare in a request.
pub(super) fn of_request(
    head: &Head<'_>,
    fields: &Fields<'_, '_>,
    secrets: Secrets,
) -> Rare<RareRequest> {
    if is_ordinary(head, fields, USUAL_IN_REQUEST) {
        return Rare::default();
    }
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
        late: None,
        pause_nanos: 0,
        repeated: repeated(head, fields, secrets),
        odd: oddities(head, fields),
    }
    .into()
}

/// What is rare in a response; `received` is where the next byte is told.
pub(super) fn of_response(
    head: &Head<'_>,
    fields: &Fields<'_, '_>,
    received: Option<&[u8]>,
    secrets: Secrets,
) -> Rare<RareResponse> {
    if is_ordinary(head, fields, USUAL_IN_RESPONSE) && received.is_none_or(is_number) {
        return Rare::default();
    }
    let value = |field: Field| fields.first(field).map(text);
    let offers: Vec<String> =
        values(head, fields, &[Field::WwwAuthenticate, Field::ProxyAuthenticate])
            .map(text)
            .collect();
    let challenges = || offers.iter().flat_map(|value| challenges(value));
    let fallback = fields
        .first(Field::BitsHostIdFallbackTimeout)
        .or_else(|| fields.first(Field::BitsHostidFallbackTimeout));
    RareResponse {
        host_id: value(Field::BitsHostId),
        host_id_fallback_timeout_seconds: fallback.and_then(number),
        host_id_fallback_timeout_raw: fallback.filter(|raw| !is_number(raw)).map(text),
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
        challenges: challenges().map(|value| secrets.credential(value)).collect(),
        ntlm_challenge: challenges().any(|value| ntlm(value.as_bytes()) == Some(2)),
        body_start: String::new(),
        echoes: Vec::new(),
        repeated: repeated(head, fields, secrets),
        odd: oddities(head, fields),
    }
    .into()
}

/// Whether a head has nothing but `usual` fields, once each and as they should be: then nothing in it is rare.
fn is_ordinary(head: &Head<'_>, fields: &Fields<'_, '_>, usual: Set) -> bool {
    let fits = |header: &Header<'_>| header.value.len() <= fields::VALUE_LIMIT;
    fields.present.is_within(usual)
        && fields.repeated.is_within(Set::default())
        && fields.first(Field::ContentLength).is_none_or(is_number)
        && head.headers.iter().all(fits)
        && head.whole
        && !head.after_gap
        && head.odd == Oddities::default()
}

/// Whether a value is just a number.
fn is_number(value: &[u8]) -> bool {
    number(value).is_some()
}

fn error(header: &str, raw: String) -> Option<ErrorCode> {
    if raw.is_empty() {
        return None;
    }
    let (value, notation) = fields::hresult(&raw).unzip();
    Some(ErrorCode { header: header.to_owned(), raw, value, notation })
}

/// All values of `fields`, in the order of the head.
pub(super) fn values<'a>(
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

/// Which message of NTLM a value carries, bare or inside the token of Negotiate ([MS-NLMP] 2.2.1, RFC 4178 4.2).
pub(crate) fn ntlm(value: &[u8]) -> Option<u8> {
    let token = value.split(|byte| *byte == b' ').nth(1)?;
    let end = token.iter().position(|byte| matches!(byte, b'=' | b','));
    // Whole groups of four letters, without those that are padded.
    let front = end.unwrap_or(token.len()).min(NTLM_WITHIN) & !3;
    let decoded = STANDARD.decode(token.get(..front)?).ok()?;
    let place = memchr::memmem::find(&decoded, NTLM)?;
    decoded.get(place..)?.get(NTLM.len()).copied()
}

/// What a message of NTLM begins with; its type follows.
const NTLM: &[u8] = b"NTLMSSP\0";

/// Letters of a token within which the message begins: names of mechanisms stand before it.
const NTLM_WITHIN: usize = 272;

/// All values of Content-Length, where there is more to say than one number.
fn lengths(head: &Head<'_>, fields: &Fields<'_, '_>) -> Vec<String> {
    let Some(first) = fields.first(Field::ContentLength) else { return Vec::new() };
    let all = || values(head, fields, &[Field::ContentLength]);
    if is_number(first) && all().all(|value| value == first) {
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

/// Lines that are kept of those that repeat a field.
const REPEATS: usize = 8;

/// The lines of a head that repeat a field of which it can have but one.
fn repeated(head: &Head<'_>, fields: &Fields<'_, '_>, secrets: Secrets) -> Vec<String> {
    if !fields.repeated.has_any(SINGLE) {
        return Vec::new();
    }
    let mut seen = Set::default();
    let again = |header: &&Header<'_>| {
        let Some(field) = Field::of(header.name).map(|field| Set::of(&[field])) else {
            return false;
        };
        let again = seen.has_any(field) && SINGLE.has_any(field);
        seen = seen.or(field);
        again
    };
    let line = |header: &Header<'_>| {
        let value = text(header.value.trim_ascii());
        format!("{}: {}", header.name, secrets.target(value))
    };
    head.headers.iter().filter(again).take(REPEATS).map(line).collect()
}

fn oddities(head: &Head<'_>, fields: &Fields<'_, '_>) -> Vec<Odd> {
    let repeated = fields.repeated.has_any(SINGLE);
    let misprinted = fields.first(Field::BitsPackageType).is_some()
        && fields.first(Field::BitsPacketType).is_none();
    if head.whole && !repeated && !misprinted && head.odd == Oddities::default() {
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
        (bare_lf, Odd::BareLf),
        (folded, Odd::Folded),
        (nul, Odd::Nul),
        (control, Odd::Control),
        (bad_lines, Odd::BadLines),
        (contradictory_length, Odd::ContradictoryLength),
        (version, Odd::Version),
        (repeated, Odd::Repeated),
        (misprinted, Odd::PackageType),
        (!head.whole, Odd::Cut),
    ]
    .into_iter()
    .filter(|(is, _)| *is)
    .map(|(_, odd)| odd)
    .collect()
}
