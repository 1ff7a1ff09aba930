//! The rule `destination-not-found`.

use crate::model::{Exchange, Session};
use crate::rules::Notes;

rule! {
    /// The BITS server does not know the path.
    ///
    /// Advice: Check the URL; BITS does not create folders.
    /// Reference: [MC-BUP] 2.2.3
    Error, belief 83, needs WholeExchange, Exchange
}

fn check(_: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(response) = exchange.response.as_ref().filter(|response| response.is_ack()) else {
        return;
    };
    if exchange.kind == crate::bits::PacketType::CreateSession && response.http_status == 404 {
        notes.add(exchange.span(), "Create-Session was answered 404 by a BITS server");
    }
}
