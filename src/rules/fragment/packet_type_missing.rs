//! The rule `packet-type-missing`.

use crate::bits::PacketType;
use crate::model::{Exchange, Outcome, Session};
use crate::rules::{Confidence, Notes, Severity, look};

rule! {
    /// A packet of the protocol without BITS-Packet-Type.
    ///
    /// Either the request does not say what it is, or an answer in the middle of a session does not say that it is
    /// from BITS: something on the way takes headers away, or answers itself.
    ///
    /// ```fires
    /// > CREATE-SESSION
    ///   BITS-Packet-Type:
    /// < 400 error=0x80070057 context=0x5
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200 plain
    ///   Server: portal
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 502 plain
    /// ```
    ///
    /// Answerable: the client, or a proxy that takes headers away
    /// Advice: Let client and server send BITS-Packet-Type with every message; exempt the path from proxies that filter headers.
    /// Confirm: A capture on the other side of the proxy: whether the header is there.
    /// Reference: [MC-BUP] 2.2.1.2
    Error, belief 88, needs WholeExchange, Exchange
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let (Some(request), Some(response)) = (&exchange.request, &exchange.response) else { return };
    if request.packet_type.is_none() {
        let severity = look::if_refused(exchange, notes.severity());
        let message = format!("a {} request without BITS-Packet-Type", quoted(&request.method));
        notes.note(severity, Confidence::Certain, &[exchange.span()], message);
    } else if response.is_success() && !response.is_ack() && is_inside(session, exchange) {
        // A server that never says so is home-made; one that usually does was not asked.
        let usual =
            session.exchanges.iter().filter_map(|e| e.response.as_ref()).any(|r| r.is_ack());
        let harmless = !usual || session.outcome == Outcome::Completed;
        let severity = if harmless { Severity::Note } else { notes.severity() };
        let message = format!(
            "{} was answered {} without BITS-Packet-Type by {}",
            exchange.kind,
            response.http_status,
            look::answerer(response)
        );
        notes.note(severity, Confidence::Certain, &[exchange.span()], message);
    }
}

fn quoted(method: &str) -> String {
    format!("\"{method}\"")
}

/// Whether a session was opened before it: answers to a first packet that are not from BITS have rules of their own.
fn is_inside(session: &Session, exchange: &Exchange) -> bool {
    let opens = matches!(exchange.kind, PacketType::CreateSession | PacketType::Ping);
    !opens && session.id.is_some()
}
