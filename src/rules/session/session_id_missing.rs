//! The rule `session-id-missing`.

use crate::model::{Exchange, Session};
use crate::rules::Notes;

rule! {
    /// A session was opened without an id.
    ///
    /// Advice: Mend the server, or find the proxy that took the header away.
    /// Reference: [MC-BUP] 2.2.3.2
    Error, belief 82, needs WholeExchange, Exchange
}

fn check(_: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(response) = exchange.response.as_ref().filter(|r| r.is_success() && r.is_ack()) else {
        return;
    };
    let creates = exchange.kind == crate::bits::PacketType::CreateSession;
    if creates && response.session_id.as_deref().is_none_or(str::is_empty) {
        notes.add(exchange.span(), "the Ack for Create-Session has no BITS-Session-Id");
    }
}
