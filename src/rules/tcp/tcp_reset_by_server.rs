//! The rule `tcp-reset-by-server`.

use crate::model::Session;
use crate::rules::Notes;
use crate::rules::look;
use crate::stream::Side;

rule! {
    /// The server reset the connection before it had answered.
    ///
    /// The RST has the TTL of the server's other packets.
    /// Advice: Look into the server's log at this time: a recycled worker process, a connection limit, a filter.
    /// Confirm: A capture on the server shows the same RST leaving.
    Error, belief 45, needs Anything, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    for (exchange, reset, fits) in look::resets(session, Side::Server) {
        if fits {
            notes.likely(
                look::reset_span(exchange, &reset),
                format!(
                    "the server reset the connection in frame {}, TTL {} as in its other packets",
                    reset.at.frame, reset.ttl
                ),
            );
        }
    }
}
