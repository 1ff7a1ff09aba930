//! An exchange with pseudonyms.

use super::names::Names;
use crate::bits::PacketType;
use crate::model::exchange::{ErrorCode, RareExchange, RareRequest, RareResponse};
use crate::model::{Exchange, Request, Response};
use crate::rules::origin;

/// Replaces who and where in an exchange.
pub(super) fn exchange(exchange: &mut Exchange, names: &mut Names<'_>) {
    let Exchange {
        kind,
        connection: _,
        client,
        server,
        tls: _,
        tunnel: _,
        request,
        response,
        rare,
        inferred: _,
        number: _,
    } = exchange;
    if let Some(RareExchange { interim: _, interim_at: _, stray: _, order: _ }) = rare.as_mut() {}
    if let PacketType::Other(raw) = kind {
        names.field("BITS-Packet-Type", [raw]);
    }
    names.socket(client);
    names.socket(server);
    request.iter_mut().for_each(|request| asked(request, names));
    response.iter_mut().for_each(|answer| self::response(answer, names));
}

fn asked(request: &mut Request, names: &mut Names<'_>) {
    let Request {
        span: _,
        method,
        target,
        minor_version: _,
        host,
        user_agent,
        packet_type,
        session_id,
        supported_protocols,
        content_name,
        content_range,
        content_length: _,
        body: _,
        longest_value: _,
        awaits: _,
        rare,
    } = request;
    names.method(method);
    names.text(target);
    names.texts([host, session_id, content_name].into_iter().flatten());
    names.products(user_agent);
    names.ranges(content_range);
    names.field("BITS-Packet-Type", packet_type);
    names.field("BITS-Supported-Protocols", supported_protocols);
    rare.as_mut().into_iter().for_each(|rare| asked_rarely(rare, names));
}

fn asked_rarely(rare: &mut RareRequest, names: &mut Names<'_>) {
    let RareRequest {
        method_override,
        content_length_raw,
        content_encoding,
        transfer_encoding,
        authorization,
        proxy_authorization,
        user,
        ntlm: _,
        expect,
        via,
        hops,
        file_type,
        long_field,
        after_gap: _,
        late: _,
        pause_nanos: _,
        repeated,
        odd: _,
    } = rare;
    method_override.iter_mut().for_each(|method| names.method(method));
    names.field("Content-Length", content_length_raw);
    names.field("Content-Encoding", content_encoding);
    names.field("Transfer-Encoding", transfer_encoding);
    names.field("Authorization", authorization);
    names.field("Proxy-Authorization", proxy_authorization);
    names.texts(user);
    names.field("Expect", expect);
    names.products(via);
    names.hops(hops);
    names.lines(repeated);
    if let Some(mut kind) = file_type.take() {
        names.becomes(&mut kind, "a type that is left out".to_owned());
    }
    long_field.iter_mut().for_each(|name| names.field_name(name));
}

/// Replaces who and where in a response.
pub(super) fn response(response: &mut Response, names: &mut Names<'_>) {
    origin::names(response).for_each(|name| names.named(&name));
    let Response {
        span: _,
        http_status: _,
        reason,
        minor_version: _,
        packet_type,
        protocol,
        session_id,
        next_offset: _,
        accept_encoding,
        server,
        content_length: _,
        connection,
        content_type,
        date,
        answered_by: _,
        body: _,
        rare,
    } = response;
    names.products([reason]);
    names.field("BITS-Packet-Type", packet_type);
    names.field("BITS-Protocol", protocol);
    names.texts(session_id);
    names.field("Accept-Encoding", accept_encoding);
    names.products(server);
    names.field("Connection", connection);
    names.field("Content-Type", content_type);
    names.field("Date", date);
    rare.as_mut().into_iter().for_each(|rare| answered_rarely(rare, names));
}

fn answered_rarely(rare: &mut RareResponse, names: &mut Names<'_>) {
    let RareResponse {
        host_id,
        host_id_fallback_timeout_seconds: _,
        host_id_fallback_timeout_raw,
        next_offset_raw,
        reply_url,
        error,
        error_context,
        via,
        hops,
        content_length_raw,
        retry_after,
        dav,
        cookies,
        location,
        allow,
        challenges,
        ntlm_challenge: _,
        body_start,
        echoes: _,
        repeated,
        odd: _,
    } = rare;
    names.texts([host_id, reply_url, location].into_iter().flatten());
    names.field("BITS-Host-Id-Fallback-Timeout", host_id_fallback_timeout_raw);
    names.field("BITS-Received-Content-Range", next_offset_raw);
    if let Some(ErrorCode { header: _, raw, value: _, notation: _ }) = error {
        names.field("BITS-Error", [raw]);
    }
    names.field("BITS-Error-Context", error_context);
    names.products(via);
    names.hops(hops);
    names.lines(repeated);
    names.field("Content-Length", content_length_raw);
    names.field("Retry-After", retry_after);
    names.field("DAV", dav);
    names.stay(cookies);
    names.field("Allow", allow);
    names.field("WWW-Authenticate", challenges);
    names.products([body_start]);
}
