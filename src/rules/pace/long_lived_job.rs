//! The rule `long-lived-job`.

use crate::model::Session;
use crate::rules::{Around, Notes};

rule! {
    /// The same upload is tried for days, or over and over.
    ///
    /// More than three days or more than twenty sessions: a job that nobody looks after, or one that is meant to
    /// persist.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 503 plain
    /// ... 4 d
    /// = connection
    /// > CREATE-SESSION
    /// < 503 plain
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 503 plain
    /// ... 2 d
    /// = connection
    /// > CREATE-SESSION
    /// < 503 plain
    /// ```
    ///
    /// Answerable: the client
    /// Confirm: bitsadmin /list /allusers /verbose on the client: who owns the job and when it was made.
    /// Reference: [MC-BUP] 3.1.2
    Note, belief 0, needs Anything, Around
}

/// Longer than a job takes that works.
const LONG_SECS: f64 = 3.0 * 86_400.0;

/// More sessions than a job takes that works.
const MANY: usize = 20;

fn check(session: &Session, around: &Around<'_>, notes: &mut Notes<'_>) {
    let Some(span) = session.span() else { return };
    let open =
        |brief: &&crate::rules::around::Brief| brief.outcome != crate::model::Outcome::Completed;
    let mut tries = 1_usize;
    let mut first = span.first;
    for brief in around.same_upload(session).rev().take_while(open) {
        tries += 1;
        if brief.first.time < first.time {
            first = brief.first;
        }
    }
    let secs = span.last.time.secs_since(first.time);
    if secs > LONG_SECS || tries > MANY {
        let days = secs / 86_400.0;
        notes.add(span, format!("{tries} sessions for this upload over {days:.1} days"));
    }
}
