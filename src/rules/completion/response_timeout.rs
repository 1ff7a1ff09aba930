//! The rule `response-timeout`.

use crate::model::Session;
use crate::rules::Notes;
use crate::rules::look;

rule! {
    /// The server did not answer within five minutes.
    ///
    /// That is as long as a client waits ([MC-BUP] 3.1.2.2); its log shows 0x80072EE2.
    /// Advice: Look whether the server hung or its answer was dropped.
    /// Reference: [MC-BUP] 3.1.2.2
    Error, belief 50, needs WholeSession, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    for (exchange, waited) in look::unanswered(session) {
        if waited >= look::CLIENT_WAITS_SECS {
            notes.likely(
                exchange.span(),
                format!("{} was not answered within {waited:.0} s", exchange.kind),
            );
        }
    }
}
