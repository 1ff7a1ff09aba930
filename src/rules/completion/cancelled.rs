//! The rule `cancelled`.

use crate::model::{Exchange, Session};
use crate::rules::Notes;

rule! {
    /// The client cancelled the upload.
    ///
    /// Whatever the server had is dropped; no effect on the file after the last Fragment.
    /// Reference: [MC-BUP] 2.2.10
    Note, belief 0, needs Anything, Exchange
}

fn check(_: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    if exchange.kind == crate::bits::PacketType::CancelSession {
        notes.add(exchange.span(), "Cancel-Session");
    }
}
