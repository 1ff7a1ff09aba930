//! Requests that were sent whole and got no answer.

use std::num::NonZeroU64;

use crate::at::At;
use crate::bits::PacketType;
use crate::model::session::CLIENT_WAITS_SECS;
use crate::model::{Exchange, Request, Response, Session, TlsConnection};
use crate::rules::{Finding, course, look, origin, wording};
use crate::stream::{Connection, Reset, Side};

/// Requests that the client sent whole and then stopped waiting for, with the seconds it waited, where the capture has
/// what proves it. Those whose connection the server ended, be it by an alert of TLS, are none.
pub fn whole(session: &Session) -> impl Iterator<Item = (&Exchange, f64)> {
    session.exchanges.iter().filter_map(|exchange| {
        let request = exchange.request.as_ref().filter(|_| exchange.response.is_none())?;
        let connection = session.connection(exchange.connection)?;
        let reset = connection.reset.map(|reset| (reset.side, reset.at));
        let first =
            look::first_fin(connection).into_iter().chain(reset).min_by_key(|(_, at)| at.frame);
        let ended = first.is_some_and(|(side, _)| side == Side::Server);
        let refused = || TlsConnection::all_of(connection).any(|tls| tls.failed());
        if !request.body.complete || ended || !is_seen(session, exchange) || refused() {
            return None;
        }
        let closed = connection.client_side.fin.or(connection.reset.filter(tells).map(|r| r.at));
        // FIN waits behind what is repeated: who opens another connection meanwhile has left already.
        let opened = session.begun_after(request.span.last.frame).map(|next| next.first);
        let repeats = |at: &At| {
            let stall = connection.client_side.resent.stall;
            stall.is_some_and(|stall| stall.span.last.frame > at.frame)
        };
        let left = |end: &At| opened.filter(|at| at.frame < end.frame).filter(repeats);
        let closed = closed.map(|end| left(&end).unwrap_or(end));
        // On the same connection, the next request may just not have waited for the answer to this one.
        let moved = |next: &&Exchange| next.connection != exchange.connection;
        let next = || course::after(session, exchange).find(moved).map(|next| next.span().first);
        // Without an end, no frame tells what came before the client moved.
        let lost = || !session.is_whole() || is_taken_for_done(session, exchange);
        let end = closed.or_else(|| next().filter(|_| !lost()))?;
        let waited = end.time.secs_since(request.span.last.time);
        if lacks_repeats(connection, request, waited) {
            return None;
        }
        // Who waits to the end closes the connection, which was not seen then.
        (closed.is_some() || waited < CLIENT_WAITS_SECS).then_some((exchange, waited))
    })
}

/// The last request, where the client still waits for its answer at `end`, with the seconds it has waited.
pub fn under_way(session: &Session, end: At) -> Option<(&Exchange, f64)> {
    let exchange = session.exchanges.last()?;
    let request = exchange.request.as_ref().filter(|request| request.body.complete)?;
    let connection = session.connection(exchange.connection)?;
    let open = connection.reset.is_none() && look::first_fin(connection).is_none();
    let waits = open && is_seen(session, exchange);
    waits.then(|| (exchange, end.time.secs_since(request.span.last.time)))
}

/// Whether a client waited as long as it does, to the second: what is seen of a wait depends on where it is captured.
pub fn is_timeout(waited: f64) -> bool {
    waited.round() >= CLIENT_WAITS_SECS
}

/// Whether an RST tells that the capture has all that the server sent before.
const fn tells(reset: &Reset) -> bool {
    reset.acked && !reset.tells_of_more
}

/// Whether nothing was repeated for so long of what was not acknowledged, as every host does (RFC 6298 5.4): the capture
/// lacks either, or both, and what came with that.
fn lacks_repeats(connection: &Connection, request: &Request, waited: f64) -> bool {
    let (client, server) = (&connection.client_side, &connection.server_side);
    let repeated =
        client.resent.stall.is_some_and(|stall| stall.span.last.frame > request.span.first.frame);
    let held = repeated || client.repeats > 0 || !server.zero_windows.is_empty();
    client.unacked() > 0 && waited >= REPEATS_SECS && !held
}

/// Within this time, in seconds, every host repeats what is not acknowledged on a path that can be used.
const REPEATS_SECS: f64 = 10.0;

/// Whether the capture shows that a request was not answered: bytes lost elsewhere on its connection do not matter.
pub fn is_seen(session: &Session, exchange: &Exchange) -> bool {
    if has_stray_answer(session, exchange) || was_sent(session, exchange) {
        return false;
    }
    if session.is_whole() {
        return exchange.response.is_none() && !gave_id(session, exchange);
    }
    let Some(connection) = session.connection(exchange.connection) else { return false };
    // An answer may have come before the first that was captured of the server.
    let told =
        exchange.request.as_ref().is_some_and(|request| request.awaits > Some(NonZeroU64::MIN));
    let begun = connection.syn_ack.is_some() || told;
    begun && connection.server_side.cut == 0 && is_so(session, exchange)
}

/// Whether an answer to no request came right before on its connection, of which the capture lacks nothing: frames of
/// one side have earlier times then than they came at, and this may be its answer, unless it says otherwise.
fn has_stray_answer(session: &Session, exchange: &Exchange) -> bool {
    let suits = |answer: &Response| match exchange.place() {
        Some(start) => answer.next_offset.is_none_or(|next| next > start),
        None => answer.next_offset.is_none(),
    };
    let alone =
        |other: &Exchange| other.request.is_none() && other.connection == exchange.connection;
    let stray = course::ahead(session, exchange).next().filter(|other| alone(other));
    let lacks_nothing =
        |connection: &Connection| connection.lost_by_capture() == 0 && !connection.midstream;
    stray.and_then(|other| other.response.as_ref()).is_some_and(suits)
        && session.connection(exchange.connection).is_some_and(lacks_nothing)
}

/// Whether the server sent bytes behind a request that did not come by, as a later segment shows by its number: its
/// answer, which was lost.
fn was_sent(session: &Session, exchange: &Exchange) -> bool {
    let last = session.on(exchange.connection).next_back();
    let request = exchange.request.as_ref();
    let beyond =
        session.connection(exchange.connection).and_then(|it| it.server_side.resent.beyond);
    last.is_some_and(|last| std::ptr::eq(last, exchange))
        && beyond.zip(request).is_some_and(|(at, request)| at.frame > request.span.last.frame)
}

/// Whether a request was not answered, rather than answered unseen: the client acknowledged nothing more of the server
/// behind it, or the capture has all that both sent, so that every answer was told from the others, and all was
/// decrypted.
pub fn is_so(session: &Session, exchange: &Exchange) -> bool {
    let Some(request) = exchange.request.as_ref().filter(|_| exchange.response.is_none()) else {
        return false;
    };
    if gave_id(session, exchange) || was_sent(session, exchange) {
        return false;
    }
    let Some(connection) = session.connection(exchange.connection) else { return true };
    if !connection.is_read() {
        return false;
    }
    let (client, server) = (&connection.client_side, &connection.server_side);
    let lost = server.lost_by_capture + server.missing + client.lost_by_capture;
    if server.packets == 0 || lost == 0 {
        return server.packets > 0;
    }
    let next = NonZeroU64::MIN.saturating_add(server.acked);
    request.awaits.is_some_and(|awaits| next <= awaits)
}

/// Whether the client goes on behind a Fragment as if that was taken, which only an answer tells ([MC-BUP] 3.1.5.1.4).
fn is_taken_for_done(session: &Session, exchange: &Exchange) -> bool {
    let mut later = course::after(session, exchange)
        .filter(|next| next.request.is_some() && next.kind != PacketType::Ping);
    exchange.bounds().zip(later.next()).is_some_and(|((_, end), next)| match next.kind {
        PacketType::CloseSession => session.bytes_total == Some(end),
        _ => next.bounds().is_some_and(|(start, _)| start == end),
    })
}

/// Whether the answer to a Create-Session came, though the capture has none: the client goes on with an id, or at
/// another host, which nothing else can have told it ([MC-BUP] 2.2.3.2).
fn gave_id(session: &Session, exchange: &Exchange) -> bool {
    let host = |one: &Exchange| one.request.as_ref().and_then(|request| request.host.clone());
    let moved = |next: &Exchange| host(next).is_some_and(|node| host(exchange) != Some(node));
    exchange.kind == PacketType::CreateSession
        && course::after(session, exchange)
            .filter(|next| next.request.is_some())
            .find(|next| next.kind != PacketType::Ping || moved(next))
            .filter(|next| next.kind != exchange.kind)
            .is_some_and(|next| next.asked_id().is_some() || moved(next))
        // Asked last: of many Creates without an answer, each would look through all.
        && !session.exchanges.iter().any(Exchange::opens_session)
}

/// What to say of a request that was not answered: how long the client waited, and whether its bytes arrived.
pub fn message(session: &Session, exchange: &Exchange, waited: f64) -> String {
    let (kind, time) = (&exchange.kind, wording::lasting(waited));
    let connection = session.connection(exchange.connection);
    let mut message = if connection.is_some_and(|connection| is_overtaken(connection, exchange)) {
        format!("{kind} was not answered before the client left, with bytes of it lost on the way")
    } else if waited < WAITS_SECS {
        format!("{kind} was not answered before the client left, {time} later")
    } else {
        format!("{kind} was not answered within {time}")
    };
    let Some(connection) = connection.filter(|connection| connection.client_side.acked > 0) else {
        return message;
    };
    match connection.client_side.unacked() {
        0 if is_late(connection, exchange, waited) => {
            message.push_str(", and its bytes were acknowledged only later");
        }
        0 if is_forgotten(connection) => message.push_str(
            ", though its bytes were acknowledged, and then not the end of the connection",
        ),
        0 => message.push_str(", though its bytes were acknowledged"),
        bytes => {
            let bytes = wording::counted(bytes, "byte");
            message.push_str(&format!(" and without acknowledgement of {bytes}"));
        }
    }
    message
}

/// Whether bytes of a request that was not answered were still repeated when the client had left.
pub fn is_late(connection: &Connection, exchange: &Exchange, waited: f64) -> bool {
    let request = exchange.request.as_ref();
    let repeated =
        request.zip(connection.client_side.resent.stall).is_some_and(|(request, stall)| {
            let own = stall.span.first.frame >= request.span.first.frame;
            own && stall.span.last.time.secs_since(request.span.last.time) > waited
        });
    repeated || is_overtaken(connection, exchange)
}

/// Whether the end of the connection by the client came by ahead of bytes of a request: those had been lost on the way.
/// When they were sent, and how long the client waited, is not known then.
fn is_overtaken(connection: &Connection, exchange: &Exchange) -> bool {
    let client = &connection.client_side;
    let ends = client.fin.zip(exchange.request.as_ref());
    ends.is_some_and(|(fin, request)| {
        let last = request.span.last;
        fin.frame < last.frame && fin.time < last.time || client.missing > 0
    })
}

/// Whether the client closed a connection and its host repeated that in vain: nothing came back any more.
pub fn is_forgotten(connection: &Connection) -> bool {
    let client = &connection.client_side;
    let fin = client.fin.filter(|_| !client.fin_acked && connection.reset.is_none());
    fin.is_some_and(|fin| connection.last.time.secs_since(fin.time) >= FORGOTTEN_SECS)
}

/// A host that is there acknowledges the end of a connection sooner, in seconds.
const FORGOTTEN_SECS: f64 = 1.0;

/// Who leaves sooner did not wait.
const WAITS_SECS: f64 = 0.5;

/// Turns a finding about a request that was not answered to the proxy that it was sent to, where that is so: no other
/// host can have acknowledged its bytes.
pub fn turn(finding: Option<&mut Finding>, session: &Session, exchange: &Exchange) {
    let asked = exchange.request.as_ref().is_some_and(Request::is_for_proxy);
    let Some(finding) = finding.filter(|_| asked || exchange.tunnel) else { return };
    let mut answers = course::ahead(session, exchange).filter_map(|other| other.response.as_ref());
    // What passes a tunnel bears names of hops behind it.
    if let Some(name) = answers.find_map(origin::hop).filter(|_| asked) {
        finding.message.push_str(&format!("; it was sent to {}", origin::proxy(&name)));
    }
    finding.turn_to("the proxy, or the server behind it").confirm_by(PROXY_LOG);
}

/// What confirms where a request stayed that went to a proxy.
const PROXY_LOG: &str = "The log of the proxy: whether it has the request, and passed it on; then that of the server behind it.";
