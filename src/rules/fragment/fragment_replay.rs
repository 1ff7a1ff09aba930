//! The rule `fragment-replay`.

use crate::model::ranges::Ranges;
use crate::model::{Exchange, Session};
use crate::rules::{Confidence, Notes, Severity, course, look, offsets, wording};

rule! {
    /// A Fragment was sent again although the server had confirmed all of it.
    ///
    /// The Ack did not reach the client, or something on the way repeats requests. On a new connection it only shows
    /// what was lost with the old one.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200
    /// > FRAGMENT 0-9/20
    /// < 200
    /// ```
    /// Other bytes of a server that takes them in any order:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 20-29/30
    /// < 200 received=30
    /// > FRAGMENT 0-9/30
    /// < 200 received=10
    /// ```
    /// The first one was never answered:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// ! client resets
    /// > PING
    /// < 200
    /// > FRAGMENT 0-9/20
    /// < 200
    /// ```
    ///
    /// Answerable: the network, or the client
    /// Advice: Look at TCP before the repeat: whether the Ack reached the client, and whether a proxy repeats requests.
    /// Confirm: A capture at the client: whether the first Ack arrived there.
    /// Reference: [MC-BUP] 2.2.6
    Warning, belief 10, needs WholeExchange, Exchange
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(range) = look::range(exchange).filter(|range| range.valid) else { return };
    let (Some(start), Some(end)) = (range.start, range.end) else { return };
    let Some((had, connection)) = offsets::confirmed(session, exchange) else { return };
    if end >= had
        || !was_accepted(session, exchange, start, end)
        || course::is_over_before(session, exchange)
    {
        return;
    }
    let severity =
        if connection == exchange.connection { notes.severity() } else { Severity::Note };
    let had = wording::counted(had, "byte");
    let message = format!("bytes {start} to {end} again, though {had} had been confirmed");
    notes.note(severity, Confidence::Certain, &[exchange.span()], message);
}

/// Whether these bytes had been sent and accepted: an offset out of thin air proves no repeat.
fn was_accepted(session: &Session, exchange: &Exchange, start: u64, end: u64) -> bool {
    let mut accepted = Ranges::default();
    let earlier = course::ahead(session, exchange).filter(|other| other.succeeded());
    earlier.filter_map(look::range).any(|range| {
        if let (Some(first), Some(last)) = (range.start, range.end) {
            accepted.add(first, last.saturating_add(1));
        }
        accepted.covers(start, end.saturating_add(1))
    })
}

#[cfg(test)]
mod tests {
    use crate::rules::Severity::Note;
    use crate::rules::tests::severity;

    #[test]
    fn on_a_new_connection_it_is_a_note() {
        let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< 200\n! client closes\n\
             = connection\n> PING\n< 200\n> FRAGMENT 0-9/20\n< 200";
        assert_eq!(severity("fragment-replay", text), Some(Note));
    }
}
