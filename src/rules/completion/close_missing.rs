//! The rule `close-missing`.

use crate::model::Outcome;
use crate::model::Session;
use crate::rules::Notes;

rule! {
    /// Every byte was acknowledged, but the session was never closed.
    ///
    /// The file is moved into place when it is closed.
    /// Advice: Look whether the file is on the server, and into the client's log.
    /// Reference: [MC-BUP] 1.3.2
    Warning, belief 30, needs WholeSession, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    let Some(last) = session.exchanges.last() else { return };
    let gone = session.connection(last.connection).is_some_and(|connection| connection.is_over());
    let full =
        session.bytes_total.is_some_and(|total| total > 0 && session.bytes_acknowledged == total);
    if session.outcome == Outcome::Incomplete && full && last.response.is_some() && gone {
        notes.likely(last.span(), "the connection ended after the last byte without Close-Session");
    }
}
