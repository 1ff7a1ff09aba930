//! The rule `capture-ends-mid-session`.

use crate::model::{Outcome, Qualifier, Session};
use crate::rules::Notes;

rule! {
    /// The end of the session was not captured.
    ///
    /// Nothing speaks of failure: how it went on is unknown.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/20000 sent=3000
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200
    /// > CLOSE-SESSION
    /// < 200
    /// ```
    ///
    /// Answerable: the capture
    /// Advice: Capture until the client has closed the session, or look at its log.
    Note, belief 0, needs Anything, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    let Some(last) = session.exchanges.last() else { return };
    let open = session.connection(last.connection).is_none_or(|connection| !connection.is_over());
    let interrupted = session.is(Qualifier::Interrupted);
    if session.outcome == Outcome::Incomplete && open && !interrupted {
        notes.add(last.span(), "the capture ends before the session does");
    }
}
