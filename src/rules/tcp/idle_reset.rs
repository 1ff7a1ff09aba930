//! The rule `idle-reset`.

use crate::model::Session;
use crate::rules::{Notes, reset};
use crate::stream::Side;

rule! {
    /// A connection was dropped while it was idle, and the client did not know.
    ///
    /// The request after a pause met RST: a firewall, an address translator or a balancer had forgotten the connection without telling
    /// its ends.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200
    /// ... 350 s
    /// > FRAGMENT 10-19/20
    /// ! server resets
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200
    /// > FRAGMENT 10-19/20
    /// ! server resets
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200
    /// ... 350 s
    /// ! server resets
    /// ```
    ///
    /// Answerable: the network
    /// Advice: Raise the idle timer of the firewall or balancer on the way above the pauses of the job, or let its ends use keep-alives.
    /// Client: 0x80072EFE
    /// Confirm: The device's log shows the connection as timed out; a capture on the server does not show the RST leaving.
    /// Reference: RFC 5382 5
    Warning, belief 47, needs Anything, TroubledSession
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    for (exchange, reset, sender) in reset::inside(session, Side::Server) {
        let before = session
            .on(exchange.connection)
            .filter(|other| other.span().last.frame < exchange.span().first.frame)
            .map(|other| other.span().last)
            .max_by_key(|at| at.frame);
        let Some(before) = before else { continue };
        let idle = exchange.span().first.time.secs_since(before.time);
        if idle >= IDLE_SECS {
            let message = format!(
                "after {idle:.0} s without a packet the {} met RST ({})",
                exchange.kind, sender.evidence
            );
            notes.likely(reset::span(exchange, &reset), message);
        }
    }
}

/// The shortest idle timers of devices on the way; servers that close idle connections sooner do so with FIN.
const IDLE_SECS: f64 = 30.0;
