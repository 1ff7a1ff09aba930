//! The rule `fragment-gap`.

use crate::model::{Exchange, Session};
use crate::rules::{Notes, look};

rule! {
    /// A Fragment starts behind the byte that the server wants next.
    ///
    /// Client and server disagree how far the file got: the server lost what it had, the client was restored from a
    /// copy, or another node answers. A 416 is the right answer.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/40
    /// < 200 received=10
    /// > FRAGMENT 20-29/40
    /// < 416 received=10
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/40
    /// < 200 received=20
    /// > FRAGMENT 20-29/40
    /// < 200
    /// ```
    ///
    /// Answerable: the client, where the server's Acks are steady; else the server
    /// Advice: Let the client start each Fragment at the byte that the last Ack named; see who lost the state.
    /// Reference: [MC-BUP] 3.2.5.2.6
    Error, belief 60, needs WholeSession, Exchange
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(range) = look::range(exchange) else { return };
    if look::is_over_before(session, exchange) {
        return;
    }
    if let (Some(expected), Some(start)) = (look::expected(session, exchange), range.start)
        && start > expected
    {
        notes.add(
            exchange.span(),
            format!("the Fragment starts at byte {start}, the server wants {expected}"),
        );
    }
}
