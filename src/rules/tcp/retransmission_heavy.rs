//! The rule `retransmission-heavy`.

use crate::at::Span;
use crate::model::Session;
use crate::rules::Notes;

rule! {
    /// More than 2 % of the data was sent again.
    ///
    /// Loss on the path; the copies that a mirror port makes do not count.
    /// Advice: Look at the path: duplex mismatch, wireless, an overloaded link.
    Warning, belief 5, needs Anything, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    for connection in &session.connections {
        for side in [&connection.client_side, &connection.server_side] {
            let heavy = side.retransmitted_bytes.saturating_mul(50) > side.payload_bytes;
            if heavy && side.retransmitted >= FEW {
                notes.add(
                    Span { first: connection.first, last: connection.last },
                    format!(
                        "{} segments with {} of {} bytes were retransmitted",
                        side.retransmitted, side.retransmitted_bytes, side.payload_bytes
                    ),
                );
            }
        }
    }
}

/// One or two retransmissions prove nothing about a path.
const FEW: u32 = 3;
