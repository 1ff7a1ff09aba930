//! The rule `host-id-fallback`.

use crate::model::Session;
use crate::rules::Notes;

rule! {
    /// The client went back to the first host.
    ///
    /// The host that BITS-Host-Id named did not answer any more; the first may not know the session.
    /// Advice: Look at the named node and at the names and ports that lead to it.
    /// Reference: [MC-BUP] 3.1.6.3
    Warning, belief 48, needs Anything, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    let Some(host) = &session.host_id else { return };
    let mut moved = false;
    for exchange in &session.exchanges {
        let at_origin = exchange.server.ip() == session.server.address
            && exchange.server.port() == session.server.port;
        if moved && at_origin && exchange.request.is_some() {
            notes.add(exchange.span(), format!("back from {host} to {}", exchange.server));
            return;
        }
        moved |= !at_origin;
    }
}
