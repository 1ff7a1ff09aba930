//! The rule `request-abandoned`.

use crate::model::Session;
use crate::rules::Notes;
use crate::rules::look;

rule! {
    /// The client gave up waiting before its five minutes were over.
    ///
    /// It has a shorter timer of its own, or its job was suspended.
    /// Advice: Look whether the server acknowledged the bytes at TCP level: then it hung, else they were lost.
    /// Reference: [MC-BUP] 3.1.2.2
    Warning, belief 38, needs WholeSession, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    for (exchange, waited) in look::unanswered(session) {
        if waited < look::CLIENT_WAITS_SECS {
            notes.likely(
                exchange.span(),
                format!("{} was not answered within {waited:.0} s", exchange.kind),
            );
        }
    }
}
