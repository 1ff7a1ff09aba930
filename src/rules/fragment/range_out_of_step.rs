//! The rule `range-out-of-step`.

use crate::model::Session;
use crate::rules::{Confidence, Notes, Severity};

rule! {
    /// The server wants another offset than the Fragment has.
    ///
    /// The protocol mends this by itself: the client goes on at the offset that the 416 names.
    /// Advice: Find out why the server's state changed: another node, a restored disk.
    /// Reference: [MC-BUP] 3.1.5.1.4
    Note, belief 55, needs Anything, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    let refused = session.exchanges.iter().filter(|exchange| {
        exchange
            .response
            .as_ref()
            .is_some_and(|response| response.http_status == 416 && response.next_offset.is_some())
    });
    for (count, exchange) in refused.enumerate() {
        let severity = match count {
            0 => Severity::Note,
            1 => Severity::Warning,
            _ => Severity::Error,
        };
        let next =
            exchange.response.as_ref().and_then(|response| response.next_offset).unwrap_or(0);
        notes.note(
            severity,
            Confidence::Certain,
            &[exchange.span()],
            format!("416: the server wants byte {next}"),
        );
    }
}
