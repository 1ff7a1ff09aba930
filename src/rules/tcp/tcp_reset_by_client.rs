//! The rule `tcp-reset-by-client`.

use crate::model::Session;
use crate::rules::Notes;
use crate::rules::look;
use crate::stream::Side;

rule! {
    /// The client reset the connection before it had its answer.
    ///
    /// A time-out, a job suspended or cancelled, a user who logged off.
    /// Advice: Look into the client's BITS log at this time.
    Warning, belief 40, needs Anything, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    for (exchange, reset, fits) in look::resets(session, Side::Client) {
        if fits {
            notes.likely(
                look::reset_span(exchange, &reset),
                format!(
                    "the client reset the connection in frame {}, TTL {} as in its other packets",
                    reset.at.frame, reset.ttl
                ),
            );
        }
    }
}
