//! The rule `ack-range-missing`.

use crate::model::{Exchange, Session};
use crate::rules::Notes;

rule! {
    /// A Fragment was accepted without naming the next byte.
    ///
    /// A Windows client cannot go on without BITS-Received-Content-Range.
    /// Advice: Mend the server, or find the proxy that took the header away.
    /// Reference: [MC-BUP] 2.2.7.2
    Error, belief 50, needs WholeExchange, Exchange
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(response) = exchange.response.as_ref().filter(|r| r.is_success() && r.is_ack()) else {
        return;
    };
    let healthy = matches!(
        session.outcome,
        crate::model::Outcome::Completed | crate::model::Outcome::Cancelled
    );
    if exchange.kind == crate::bits::PacketType::Fragment
        && response.next_offset.is_none()
        && !healthy
    {
        notes.add(exchange.span(), "the Ack has no BITS-Received-Content-Range");
    }
}
