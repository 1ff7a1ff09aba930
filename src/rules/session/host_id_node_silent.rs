//! The rule `host-id-node-silent`.

use crate::model::Session;
use crate::rules::Notes;
use crate::rules::look;

rule! {
    /// The host that BITS-Host-Id named stopped answering.
    ///
    /// It accepts connections, but a request stays unanswered.
    /// Advice: Look at that node: hung, or the wrong port.
    /// Reference: [MC-BUP] 1.3.4.2
    Error, belief 49, needs WholeSession, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    let Some(host) = &session.host_id else { return };
    for (exchange, waited) in look::unanswered(session) {
        if exchange.server.ip() != session.server.address {
            notes.likely(
                exchange.span(),
                format!("{host} did not answer {} within {waited:.1} s", exchange.kind),
            );
        }
    }
}
