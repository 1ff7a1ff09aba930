//! The rule `length-range-mismatch`.

use crate::model::{Exchange, Session};
use crate::rules::Notes;

rule! {
    /// Content-Length and Content-Range disagree.
    ///
    /// Advice: Mend the client, or find the box that cuts requests short.
    /// Reference: [MC-BUP] 2.2.6
    Error, belief 74, needs WholeExchange, Exchange
}

fn check(_: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(request) = &exchange.request else { return };
    let named = request.content_range.as_ref().and_then(|range| range.len());
    let (Some(named), Some(length)) = (named, request.content_length) else { return };
    // The first legs of an authentication carry no body although they name one.
    let unsent =
        length == 0 && exchange.response.as_ref().is_some_and(|response| response.is_challenge());
    if named != length && !unsent {
        notes.add(
            exchange.span(),
            format!("Content-Range names {named} bytes, Content-Length {length}"),
        );
    }
}
