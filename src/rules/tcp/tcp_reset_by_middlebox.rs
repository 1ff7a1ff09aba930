//! The rule `tcp-reset-by-middlebox`.

use crate::model::Session;
use crate::rules::{Notes, look, reset};
use crate::stream::Side;

rule! {
    /// An RST came from something between client and server.
    ///
    /// It does not look like the other packets of the host that it names: a firewall, an intrusion prevention system, the
    /// idle timer of an address translator or a balancer.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/20000 sent=4000
    /// ! server resets ttl=254
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/20000 sent=4000
    /// ! server resets
    /// ```
    ///
    /// Answerable: the network
    /// Advice: Look for a firewall, an intrusion prevention system or an idle timer on the way.
    /// Client: 0x80072EFE
    /// Confirm: A capture on the far side does not show the RST leaving.
    /// Reference: RFC 9293 3.5.2
    Error, belief 46, needs Anything, TroubledSession
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    for (side, name) in [(Side::Client, "client"), (Side::Server, "server")] {
        for (exchange, reset, sender) in reset::inside(session, side) {
            if sender.middlebox {
                let message = format!(
                    "an RST in the name of the {name} cut the {} off ({})",
                    exchange.kind, sender.evidence
                );
                let span = reset::span(exchange, &reset);
                let severity = look::unless_overcome(session, exchange, notes.severity());
                notes.note(severity, sender.confidence, &[span], message);
            }
        }
    }
}
