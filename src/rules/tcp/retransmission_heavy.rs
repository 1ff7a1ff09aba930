//! The rule `retransmission-heavy`.

use crate::rules::{Notes, look};
use crate::stream::Connection;

rule! {
    /// More than 2 % of the data was sent again.
    ///
    /// Loss on the path; the copies that a mirror port makes do not count.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-999/1000
    /// ! again
    /// ! again
    /// ! again
    /// < 200
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-999/1000
    /// ! mirrored
    /// ! mirrored
    /// < 200
    /// ```
    ///
    /// Answerable: the network
    /// Advice: Look at the path: duplex mismatch, wireless, an overloaded link, a policer.
    /// Confirm: The error and drop counters of the interfaces on the way.
    /// Reference: RFC 9293 3.8.1
    Warning, belief 5, needs Anything, Connection
}

fn check(connection: &Connection, notes: &mut Notes<'_>) {
    for (who, side) in [("client", &connection.client_side), ("server", &connection.server_side)] {
        let heavy = side.retransmitted_bytes.saturating_mul(100 / PERCENT) > side.payload_bytes;
        if heavy && side.retransmitted >= FEW {
            notes.add(
                connection.span(),
                format!(
                    "the {who} repeated {} segments with {} of its {}",
                    side.retransmitted,
                    side.retransmitted_bytes,
                    look::counted(side.payload_bytes, "byte")
                ),
            );
        }
    }
}

/// A healthy path loses far less; throughput suffers visibly from here on.
const PERCENT: u64 = 2;

/// One or two retransmissions prove nothing about a path.
const FEW: u32 = 3;
