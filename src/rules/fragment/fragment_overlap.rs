//! The rule `fragment-overlap`.

use crate::model::{Exchange, Session};
use crate::rules::{Notes, look};

rule! {
    /// A Fragment begins with bytes that the server already has.
    ///
    /// Normal once, after a lost Ack: the server drops what it has.
    /// Reference: [MC-BUP] 2.2.6
    Note, belief 0, needs WholeExchange, Exchange
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(range) = look::range(exchange) else { return };
    let (Some(start), Some(end)) = (range.start, range.end) else { return };
    if let Some(expected) = look::expected(session, exchange)
        && start < expected
        && end >= expected
    {
        notes.add(
            exchange.span(),
            format!("bytes {start} to {} were acknowledged before", expected.saturating_sub(1)),
        );
    }
}
