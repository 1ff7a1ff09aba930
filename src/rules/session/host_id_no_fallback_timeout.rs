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
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1 host=node1 fallback=0x6E
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1 host=node1 fallback=4294967295
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
    let answer = look::whole_answer(named.opened).filter(|answer| !answer.falls_back());
    if let Some(answer) = answer {
        let limit = answer.fallback_in_words();
        let message = match limit {
            Some(limit) => {
                format!("BITS-Host-Id \"{}\" with the fallback time-out {limit}", named.value)
            }
            None => format!("BITS-Host-Id \"{}\" without a fallback time-out", named.value),
        };
        notes.add(named.opened.span(), message);
    }
}
