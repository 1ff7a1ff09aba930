//! The rule `close-without-final-fragment`.

use crate::model::Session;
use crate::rules::Notes;

rule! {
    /// The session was closed before every byte was there.
    ///
    /// The server deletes what it has.
    /// Advice: The client must send the rest first.
    Error, belief 73, needs WholeSession, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    let Some(total) = session.bytes_total else { return };
    if session.outcome_qualifiers.iter().any(|word| word == "closed-short")
        && let Some(last) = session.exchanges.last()
    {
        notes.add(
            last.span(),
            format!("closed with {} of {total} bytes acknowledged", session.bytes_acknowledged),
        );
    }
}
