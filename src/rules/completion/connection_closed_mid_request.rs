//! The rule `connection-closed-mid-request`.

use crate::model::Session;
use crate::rules::{Confidence, Notes, Severity, reset, unanswered};
use crate::stream::Side;

rule! {
    /// The connection was closed inside a request.
    ///
    /// It ended in order, not by a reset: on the client the service was stopped, the job suspended or cancelled; a
    /// server that does so did not want the rest.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/20000 sent=4000
    /// ! client closes
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/20000
    /// < 200
    /// ! client closes
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// ! server closes
    /// ... 60 s
    /// > FRAGMENT 0-9999/20000 sent=4000
    /// ! server resets
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1 lost
    /// > FRAGMENT 0-9999/20000 sent=4000
    /// ! client closes
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/20000 sent=4000
    /// < 413 lost
    /// ! client closes
    /// ```
    ///
    /// Answerable: who closed it
    /// Advice: Look into the logs of who closed it: a stopped service, a suspended job, a user who logged off, a recycled process.
    /// Confirm: Event 61 in the client's BITS-Client log at the same second.
    /// Reference: [MC-BUP] 3.1.6
    Warning, belief 39, needs Anything, TroubledSession
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    for cut in unanswered::cut(session) {
        if !cut.reset && cut.secs < unanswered::CLIENT_SENDS_SECS {
            let message = format!(
                "the {} closed the connection after {} of {} bytes of the {}",
                cut.by.name(),
                cut.sent(),
                cut.announced(),
                cut.exchange.kind
            );
            // The client had its reason.
            let connection = session.connection(cut.exchange.connection);
            let stalled = cut.by == Side::Client
                && connection
                    .is_some_and(|connection| reset::is_stalled(connection, cut.span.last));
            let severity = if stalled { Severity::Note } else { notes.severity() };
            notes.note(severity, Confidence::Certain, &[cut.span], message);
        }
    }
}
