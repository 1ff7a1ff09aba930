//! The rule `nic-offload-artifacts`.

use crate::rules::Notes;
use crate::stream::Connection;

rule! {
    /// The capture was taken inside a host, before its network card cut the segments.
    ///
    /// Segments are larger than any packet on the wire, and their checksums need not be right; sizes and losses on the
    /// wire are other.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-19999/20000 whole
    /// < 200
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-19999/20000
    /// < 200
    /// ```
    ///
    /// Advice: Nothing; to see the packets of the wire, capture at a switch or switch off the offloads (TSO, LRO) of the card.
    /// Reference: RFC 9293 3.7.1
    Note, belief 0, needs Anything, Connection
}

fn check(connection: &Connection, notes: &mut Notes<'_>) {
    let sides = [
        (&connection.client_side, &connection.server_side, "client"),
        (&connection.server_side, &connection.client_side, "server"),
    ];
    for (side, other, who) in sides {
        let agreed = other.mss.map_or(LONGEST, u32::from);
        // Loopback interfaces have an MTU of 65,536 and say so.
        if side.longest > agreed.max(LONGEST) {
            let message = format!("the {who} sends segments of up to {} bytes", side.longest);
            notes.add(connection.span(), message);
        }
    }
}

/// Payload of the largest packets on common networks, in bytes; more only where the receiver says so.
const LONGEST: u32 = 1_460;
