//! The rule `pipelined-requests`.

use crate::model::{Exchange, Session};
use crate::rules::Notes;

rule! {
    /// A request was sent before the last one was answered.
    ///
    /// The protocol allows one outstanding request; Windows keeps to that, so this is another client.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// > FRAGMENT 10-19/20
    /// < 200 received=10
    /// < 200 received=20
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
    /// Advice: Let the client wait for each Ack before the next request.
    /// Reference: [MC-BUP] 2.2.1
    Warning, belief 0, needs WholeExchange, Exchange
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(request) = &exchange.request else { return };
    let waiting = session.exchanges.iter().find(|other| {
        let sent =
            other.request.as_ref().is_some_and(|r| r.span.first.frame < request.span.first.frame);
        // Directions captured apart may stand one behind the other in a file: their times tell.
        let answered = other.response.as_ref().is_some_and(|response| {
            let (answer, begun) = (response.span.first, request.span.first);
            answer.frame > request.span.last.frame && answer.time > begun.time
        });
        other.connection == exchange.connection && sent && answered
    });
    if let Some(waiting) = waiting {
        notes.add(
            exchange.span(),
            format!(
                "{} was sent before the {} ahead of it was answered",
                exchange.kind, waiting.kind
            ),
        );
    }
}
