//! The rule `fragment-overlap`.

use crate::model::Session;
use crate::rules::{Confidence, Notes, Severity, look, offsets};

rule! {
    /// A Fragment begins with bytes that the server already has.
    ///
    /// Normal after a lost Ack: the server drops what it has. Where it repeats although every Ack came, client and
    /// server count differently.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200
    /// > FRAGMENT 5-19/20
    /// < 200
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200
    /// > FRAGMENT 10-19/20
    /// < 200
    /// ```
    ///
    /// Answerable: the client
    /// Advice: Let the client start each Fragment at the byte that the last Ack named.
    /// Confirm: The digests of the file on both sides: they differ if the repeated bytes did.
    /// Reference: [MC-BUP] 2.2.6
    Note, belief 0, needs Anything, Session
}

/// Overlaps on one connection that are too many for lost Acks.
const TOO_MANY: usize = 3;

fn check(session: &Session, notes: &mut Notes<'_>) {
    let mut count = 0;
    for exchange in &session.exchanges {
        let Some(range) = look::range(exchange) else { continue };
        let (Some(start), Some(end)) = (range.start, range.end) else { continue };
        let Some(had) = offsets::expected(session, exchange) else { continue };
        if start >= had || end < had {
            continue;
        }
        let same = offsets::confirmed(session, exchange)
            .is_some_and(|(_, connection)| connection == exchange.connection);
        count += usize::from(same);
        let severity = if count >= TOO_MANY { Severity::Warning } else { notes.severity() };
        let message = format!("the server already has bytes {start} to {}", had.saturating_sub(1));
        notes.note(severity, Confidence::Certain, &[exchange.span()], message);
    }
}
