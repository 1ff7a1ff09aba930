//! The rule `retransmission-heavy`.

use crate::at::Span;
use crate::rules::Notes;
use crate::stream::Connection;

rule! {
    /// More than 2 % of the data was sent again.
    ///
    /// Loss on the path; the copies that a mirror port makes do not count.
    /// Advice: Look at the path: duplex mismatch, wireless, an overloaded link.
    Warning, belief 5, needs Anything, Connection
}

fn check(connection: &Connection, notes: &mut Notes<'_>) {
    for side in [&connection.client_side, &connection.server_side] {
        let heavy = side.retransmitted_bytes.saturating_mul(100 / PERCENT) > side.payload_bytes;
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

/// A healthy path loses far less; throughput suffers visibly from here on.
const PERCENT: u64 = 2;

/// One or two retransmissions prove nothing about a path.
const FEW: u32 = 3;
