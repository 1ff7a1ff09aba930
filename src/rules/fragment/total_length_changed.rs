//! The rule `total-length-changed`.

use crate::model::{Exchange, Session};
use crate::rules::{Notes, look};

rule! {
    /// The length of the file changes within the session.
    ///
    /// The source grew while it was sent, as a log does, or two jobs were mixed. The server refuses it.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200
    /// > FRAGMENT 10-19/30
    /// < 400 error=0x80070057 context=0x5
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
    /// Advice: Upload a closed copy that nobody writes to.
    /// Confirm: The time of the last change of the source file; 0x8020001D in the client's BITS log.
    /// Reference: [MC-BUP] 2.2.1.2
    Error, belief 75, needs Anything, Exchange
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let range = look::range(exchange);
    let (Some(total), Some(first)) = (range.and_then(|range| range.total), session.bytes_total)
    else {
        return;
    };
    if total != first && !look::is_over_before(session, exchange) {
        notes.add(
            exchange.span(),
            format!(
                "the Fragment says that the file has {}, the first one said {first}",
                look::counted(total, "byte")
            ),
        );
    }
}
