//! The rule `unknown-packet-type`.

use crate::bits::PacketType;
use crate::model::{Exchange, Session};
use crate::rules::Notes;

rule! {
    /// A request with an unknown BITS-Packet-Type.
    ///
    /// Advice: Mend the client; servers answer 400.
    /// Reference: [MC-BUP] 2.2.1.2
    Error, belief 95, needs Anything, Exchange
}

fn check(_: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    if let PacketType::Other(raw) = &exchange.kind {
        notes.add(exchange.span(), format!("BITS-Packet-Type is \"{raw}\""));
    }
}
