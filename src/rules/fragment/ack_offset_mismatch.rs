//! The rule `ack-offset-mismatch`.

use crate::model::{Exchange, Session};
use crate::rules::{Notes, look};

rule! {
    /// The server acknowledges another offset than the one after the Fragment.
    ///
    /// A client that believes it repeats bytes or leaves a hole in the file.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200 received=9
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200 received=10
    /// ```
    ///
    /// Answerable: the server
    /// Advice: Mend the server: its Ack must name the next byte that it wants.
    /// Reference: [MC-BUP] 2.2.7.2
    Warning, belief 30, needs WholeExchange, Exchange
}

fn check(_: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(response) = exchange.response.as_ref().filter(|response| response.is_success()) else {
        return;
    };
    let end = look::range(exchange).filter(|range| range.valid).and_then(|range| range.end);
    if let (Some(next), Some(end)) = (response.next_offset, end)
        && end.checked_add(1) != Some(next)
    {
        notes.add(
            exchange.span(),
            format!("acknowledged {next} after a Fragment that ends with byte {end}"),
        );
    }
}
