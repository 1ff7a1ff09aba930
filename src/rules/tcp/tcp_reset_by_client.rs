//! The rule `tcp-reset-by-client`.

use crate::model::{Exchange, Session};
use crate::rules::{Notes, Severity, lost, reset};
use crate::stream::{Reset, Side};

rule! {
    /// The client reset the connection before it had its answer.
    ///
    /// A time-out, a job that was suspended or cancelled, a user who logged off.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/20000 sent=4000
    /// ! client resets
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/20000
    /// < 200
    /// ! client resets
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200 lost
    /// ! client resets
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/10000 lost
    /// < 200
    /// > CLOSE-SESSION
    /// < 200 lost
    /// ! client resets
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/20000 sent=4000
    /// ! server closes
    /// ! client resets
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20 dropped
    /// ! again
    /// ! again
    /// ... 20 s
    /// ! client resets
    /// ```
    ///
    /// Answerable: the client
    /// Advice: Look into the client's BITS log at this time.
    /// Confirm: Event 61 in the client's BITS-Client log at the same second.
    /// Reference: [MC-BUP] 3.1.6
    Warning, belief 40, needs Anything, TroubledSession
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    let own = notes.severity();
    let weigh = |exchange: &Exchange, reset: &Reset| {
        // The client had its reason.
        let connection = session.connection(exchange.connection);
        let stalled = connection.is_some_and(|connection| reset::is_stalled(connection, reset.at));
        lost::unless_done(session, exchange, if stalled { Severity::Note } else { own })
    };
    reset::judge(session, Side::Client, weigh, notes);
}
