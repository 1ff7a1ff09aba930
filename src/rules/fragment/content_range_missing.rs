//! The rule `content-range-missing`.

use crate::model::{Exchange, Session};
use crate::rules::Notes;

rule! {
    /// A Fragment without Content-Range.
    ///
    /// Advice: Mend the client, or find the proxy that took the header away.
    /// Reference: [MC-BUP] 2.2.6.1
    Error, belief 75, needs WholeExchange, Exchange
}

fn check(_: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(request) = &exchange.request else { return };
    if exchange.kind == crate::bits::PacketType::Fragment && request.content_range.is_none() {
        notes.add(exchange.span(), "the Fragment does not say which bytes it carries");
    }
}
