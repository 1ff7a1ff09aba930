//! The rule `fragment-gap`.

use crate::model::{Exchange, Session};
use crate::rules::{Notes, look};

rule! {
    /// A Fragment starts behind the byte that the server wants next.
    ///
    /// The server lost what it had, the client was restored, or another node answers.
    /// Advice: Expect a 416; see who lost the state.
    /// Reference: [MC-BUP] 3.2.5.2.6
    Error, belief 60, needs WholeSession, Exchange
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(range) = look::range(exchange) else { return };
    if let (Some(expected), Some(start)) = (look::expected(session, exchange), range.start)
        && start > expected
    {
        notes.add(
            exchange.span(),
            format!("the Fragment starts at {start}, the server wants {expected}"),
        );
    }
}
