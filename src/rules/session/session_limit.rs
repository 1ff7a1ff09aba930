//! The rule `session-limit`.

use crate::model::Session;
use crate::rules::{Around, Confidence, Notes, course};

rule! {
    /// One client holds more sessions open than a Windows server lets a user have.
    ///
    /// IIS allows 50 for each user by default (BITSNumberOfSessionsLimit). Its clean-up task removes the newest beyond that,
    /// whose uploads then begin again.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// = repeat 50
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// = repeat 49
    /// ```
    ///
    /// Answerable: the client
    /// Advice: Close or cancel sessions that are done with, or raise BITSNumberOfSessionsLimit for the virtual directory.
    /// Confirm: The folders below BITS-Sessions on the server.
    /// Reference: [MC-BUP] 3.2.1
    Warning, belief 24, needs Anything, Around
}

/// BITSNumberOfSessionsLimit where nothing else is set.
const LIMIT: usize = 50;

fn check(session: &Session, around: &Around<'_>, notes: &mut Notes<'_>) {
    if !session.outcome.leaves_open() {
        return;
    }
    let Some(created) = course::created(session) else { return };
    let client = session.client.address;
    let others = around
        .same_server(session)
        .filter(|brief| brief.client == client && brief.created && brief.whole && brief.is_open())
        .count();
    // The one that is too many; those behind it say nothing new.
    if others == LIMIT {
        let message =
            format!("{} sessions of {client} are open, {LIMIT} are allowed by default", others + 1);
        notes.note(notes.severity(), Confidence::Likely, &[created.span()], message);
    }
}
