//! The rule `notification-timeout`.

use crate::model::{Exchange, Session};
use crate::rules::Notes;

rule! {
    /// The application behind the server did not answer in time.
    ///
    /// The server waits five minutes for it; the client sends the last Fragment again.
    /// Advice: Make the application answer faster; expect to be notified twice.
    /// Reference: [MC-BUP] 3.3.6
    Error, belief 89, needs Anything, Exchange
}

fn check(_: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(response) = &exchange.response else { return };
    if exchange.kind == crate::bits::PacketType::Fragment && response.http_status == 408 {
        notes.add(exchange.span(), "the last Fragment was answered 408");
    }
}
