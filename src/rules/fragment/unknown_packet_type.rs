//! The rule `unknown-packet-type`.

use crate::bits::PacketType;
use crate::model::{Exchange, Session};
use crate::rules::Notes;

rule! {
    /// A request with an unknown BITS-Packet-Type.
    ///
    /// Servers know Create-Session, Ping, Fragment, Close-Session and Cancel-Session.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > RESUME-SESSION
    /// < 400 error=0x80070057 context=0x5
    /// ```
    /// The names are compared without case:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > CLOSE-SESSION
    /// < 200
    /// ```
    ///
    /// Answerable: the client
    /// Advice: Let the client send one of the five packet types.
    /// Reference: [MC-BUP] 2.2.1.2
    Error, belief 95, needs Anything, Exchange
}

fn check(_: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    if let PacketType::Other(raw) = &exchange.kind {
        notes.add(exchange.span(), format!("BITS-Packet-Type is \"{raw}\""));
    }
}
