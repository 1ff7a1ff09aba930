//! The rule `tcp-reset-by-middlebox`.

use crate::model::Session;
use crate::rules::Notes;
use crate::rules::look;
use crate::stream::Side;

rule! {
    /// A RST came from something between client and server.
    ///
    /// Its TTL differs from that of the packets of the host it claims to come from.
    /// Advice: Look for a firewall, an intrusion prevention system or an idle timer on the way.
    /// Confirm: A capture on the far side does not show the RST leaving.
    Error, belief 46, needs Anything, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    for side in [Side::Client, Side::Server] {
        for (exchange, reset, fits) in look::resets(session, side) {
            if !fits {
                notes.likely(
                    look::reset_span(exchange, &reset),
                    format!(
                        "the RST in frame {} has TTL {}, unlike the other packets of its sender",
                        reset.at.frame, reset.ttl
                    ),
                );
            }
        }
    }
}
