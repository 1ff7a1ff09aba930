//! The rule `total-length-changed`.

use crate::model::{Exchange, Session};
use crate::rules::{Notes, look};

rule! {
    /// The length of the file changes within the session.
    ///
    /// The source grew while it was sent, or two jobs were mixed.
    /// Advice: Upload a copy that nobody writes to.
    /// Reference: [MC-BUP] 2.2.1.2
    Error, belief 75, needs Anything, Exchange
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let range = exchange.request.as_ref().and_then(|request| request.content_range.as_ref());
    let (Some(total), Some(first)) = (range.and_then(|range| range.total), session.bytes_total)
    else {
        return;
    };
    if total != first && !look::is_over_before(session, exchange) {
        notes.add(
            exchange.span(),
            format!("the file is said to have {total} bytes, {first} before"),
        );
    }
}
