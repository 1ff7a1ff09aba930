//! The rule `host-id-no-fallback-timeout`.

use crate::model::Session;
use crate::rules::hosts::Named;
use crate::rules::{Notes, look};

rule! {
    /// The server named a host and no time after which to give it up.
    ///
    /// Without a fallback time-out a client stays with a dead node for ever.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1 host=node1
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1 host=node1 fallback=86400
    /// ```
    ///
    /// Answerable: the server
    /// Advice: Set BITSHostIdFallbackTimeout beside BITSHostId.
    /// Reference: [MC-BUP] 3.1.2.3
    Note, belief 0, needs Anything, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    let Some(named) = Named::of(session) else { return };
    let whole = look::whole_answer(named.opened).is_some();
    if whole && session.host_id_fallback_timeout_seconds.is_none() {
        let message = format!("BITS-Host-Id \"{}\" without a fallback time-out", named.value);
        notes.add(named.opened.span(), message);
    }
}
