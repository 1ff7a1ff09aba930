//! The rule `host-id-with-port`.

use crate::model::{Session, host};
use crate::rules::{Notes, look};

rule! {
    /// BITS-Host-Id holds a port.
    ///
    /// Its grammar is a host alone: scheme, port and path of the URL stay. A Windows client puts the value where the
    /// host was.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1 host=node1:8080 fallback=60
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1 host=2001:db8::81 fallback=60
    /// ```
    ///
    /// Answerable: the server
    /// Advice: Set BITSHostId to a host name or address alone.
    /// Reference: [MC-BUP] 2.2.3.2
    Note, belief 0, needs Anything, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    for exchange in session.exchanges.iter().filter(|exchange| look::creates(exchange)) {
        let named = exchange.response.as_ref().and_then(|ack| ack.host_id.as_deref());
        if let Some(host) = named
            && let Some(port) = host::port(host)
        {
            notes.add(exchange.span(), format!("BITS-Host-Id \"{host}\" names port {port}"));
        }
    }
}
