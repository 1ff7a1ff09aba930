//! The rule `ack-range-missing`.

use crate::bits::PacketType;
use crate::model::{Exchange, Session};
use crate::rules::{Confidence, Notes, Severity, look};

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
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200
    /// ```
    ///
    /// Answerable: the server, or a proxy that takes headers away
    /// Advice: Let the server send BITS-Received-Content-Range with every Ack to a Fragment; look for a proxy that drops it.
    /// Confirm: A capture at the server: whether its Ack has the header there.
    /// Reference: [MC-BUP] 2.2.7.2
    Error, belief 50, needs WholeExchange, Exchange
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let accepted = exchange
        .response
        .as_ref()
        .is_some_and(|ack| ack.is_success() && ack.is_ack() && ack.next_offset.is_none());
    if exchange.kind != PacketType::Fragment || !accepted {
        return;
    }
    let went_on = session.outcome.is_done() || look::goes_on(session, exchange);
    let severity = if went_on { Severity::Note } else { notes.severity() };
    let message = "the Ack to the Fragment has no BITS-Received-Content-Range";
    notes.note(severity, Confidence::Certain, &[exchange.span()], message);
}
