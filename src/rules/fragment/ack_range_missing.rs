//! The rule `ack-range-missing`.

use crate::bits::PacketType;
use crate::model::{Exchange, Response, Session};
use crate::rules::{Confidence, Notes, Severity, course, front};

rule! {
    /// A Fragment was accepted without naming the next byte.
    ///
    /// A Windows client cannot go on without BITS-Received-Content-Range. Where the client went on all the same, this
    /// is only a remark.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200 received=
    /// ```
    /// The packet type is missing as well, in all Acks:
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    ///   BITS-Packet-Type:
    ///   Server: nginx/1.22.1
    /// > FRAGMENT 0-9/20
    /// < 200 plain
    ///   Server: nginx/1.22.1
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200
    /// ```
    /// It is there, though it names no byte:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200
    ///   BITS-Received-Content-Range: -1
    /// ```
    ///
    /// Answerable: the server, or a proxy that takes headers away
    /// Advice: Let the server send BITS-Received-Content-Range with every Ack to a Fragment; look for a proxy that drops it.
    /// Confirm: A capture at the server: whether its Ack has the header there.
    /// Reference: [MC-BUP] 2.2.7.2
    Error, belief 50, needs WholeExchange, Exchange
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let lacks = |ack: &Response| ack.next_offset.is_none() && ack.next_offset_raw.is_none();
    let acks = |ack: &Response| ack.is_ack() || front::is_unmarked(session, exchange);
    let accepted =
        exchange.response.as_ref().is_some_and(|ack| ack.is_success() && lacks(ack) && acks(ack));
    if exchange.kind != PacketType::Fragment || !accepted {
        return;
    }
    let severity =
        if course::went_on(session, exchange) { Severity::Note } else { notes.severity() };
    let message = "the Ack to the Fragment has no BITS-Received-Content-Range";
    notes.note(severity, Confidence::Certain, &[exchange.span()], message);
}
