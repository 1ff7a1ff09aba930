//! The rule `host-id-odd`.

use crate::bits::PacketType;
use crate::model::{Exchange, Response, Session, host};
use crate::rules::hosts::Named;
use crate::rules::{Notes, course};

rule! {
    /// BITS-Host-Id or its time-out is not what it should be, or where.
    ///
    /// Only the Ack to Create-Session carries them: a host, a name or an address alone, and beside it the seconds after
    /// which a client gives that up. A client can do nothing with anything else.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1 host=http://node2.contoso.test/ fallback=60
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1 fallback=60
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1 host=server
    ///   BITS-Host-Id-Fallback-Timeout: 1 day
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200 host=node2
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1 host=node2.contoso.test fallback=60
    /// ```
    ///
    /// Answerable: the server
    /// Advice: Set BITSHostId to a host name or address alone and BITSHostIdFallbackTimeout to seconds; let the server send them with the Ack to Create-Session only.
    /// Reference: [MC-BUP] 2.2.3.2
    Note, belief 0, needs WholeExchange, Exchange
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(answer) = exchange.response.as_ref().filter(|answer| answer.is_ack()) else { return };
    let message = if exchange.kind == PacketType::CreateSession {
        malformed(session, answer)
    } else {
        // A server that adds it adds it to all.
        let before = course::ahead(session, exchange).take(course::LOOKED_AT).any(is_misplaced);
        let host = answer.host_id.as_deref().filter(|_| is_misplaced(exchange) && !before);
        host.map(|host| format!("BITS-Host-Id \"{host}\" in the Ack to {}", exchange.kind))
    };
    if let Some(message) = message {
        notes.add(exchange.span(), message);
    }
}

/// What is wrong with them in the Ack to Create-Session.
fn malformed(session: &Session, answer: &Response) -> Option<String> {
    let fallback = answer.fallback_in_words();
    match (answer.host_id.as_deref(), fallback) {
        (Some(host), _) if !host::is_host(host) => {
            Some(format!("BITS-Host-Id is \"{host}\", which is no host"))
        }
        // Of a host that is another one, the rule about time-outs tells it.
        (Some(_), Some(words))
            if answer.host_id_fallback_timeout_seconds.is_none()
                && Named::of(session).is_none() =>
        {
            Some(format!("the fallback time-out is {words}, which is no number of seconds"))
        }
        (None, Some(words)) => Some(format!("a fallback time-out, {words}, without BITS-Host-Id")),
        _ => None,
    }
}

/// Whether an Ack names a host that is not to Create-Session.
fn is_misplaced(exchange: &Exchange) -> bool {
    let known = !matches!(
        exchange.kind,
        PacketType::CreateSession | PacketType::Unknown | PacketType::Other(_)
    );
    known && exchange.response.as_ref().is_some_and(|answer| answer.host_id.is_some())
}
