//! The rule `retransmission-differs`.

use crate::at::Span;
use crate::rules::{Notes, wording};
use crate::stream::Connection;

rule! {
    /// A segment was repeated with other bytes.
    ///
    /// Hosts repeat what they sent: something on the way rewrites, or somebody tries to show a monitor other bytes than
    /// the server. The first copy was used here.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// ! again changed
    /// < 200
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// ! again
    /// < 200
    /// ```
    ///
    /// Answerable: the network
    /// Advice: Compare with a capture on the other side of each device on the way.
    /// Reference: RFC 9293 3.4
    Warning, belief 6, needs Anything, Connection
}

fn check(connection: &Connection, notes: &mut Notes<'_>) {
    for (who, side) in [("client", &connection.client_side), ("server", &connection.server_side)] {
        if let Some(first) = side.first_differing {
            let segments = wording::counted(side.differing, "segment");
            let message = format!("{segments} of the {who} came again with other bytes");
            notes.add(Span::at(first), message);
        }
    }
}
