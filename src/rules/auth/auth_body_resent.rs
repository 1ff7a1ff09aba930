//! The rule `auth-body-resent`.

use crate::model::{Exchange, Response, Session};
use crate::rules::{Confidence, Notes, Severity, look, wording};

rule! {
    /// Bytes of the file were sent before the credentials, and again with them.
    ///
    /// A scheme that is bound to the connection begins anew on each one, and a Fragment that is met by 401 or 407 has
    /// travelled for nothing. A Ping first settles the logon without a body.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// = connection
    /// > FRAGMENT 0-9999/10000
    /// < 401 plain
    ///   WWW-Authenticate: Basic realm=x
    /// > FRAGMENT 0-9999/10000
    ///   Authorization: Basic Ym9iOng=
    /// < 200
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// = connection
    /// > PING
    /// < 401 plain
    ///   WWW-Authenticate: Basic realm=x
    /// > PING
    ///   Authorization: Basic Ym9iOng=
    /// < 200
    /// > FRAGMENT 0-9999/10000
    ///   Authorization: Basic Ym9iOng=
    /// < 200
    /// ```
    ///
    /// Answerable: the client
    /// Advice: Send a Ping first on every new connection, or use a scheme that needs no round per connection.
    /// Reference: [MC-BUP] 2.2.4
    Warning, belief 5, needs Anything, TroubledSession
}

/// Less than this many bytes sent twice is the price of a round, not a cost to act on.
const MUCH: u64 = 1 << 20;

/// The repeat is looked for among so many exchanges: the longest handshake has fewer legs.
const LEGS: usize = 8;

fn check(session: &Session, notes: &mut Notes<'_>) {
    let all = &session.exchanges;
    let again = |place: &usize, exchange: &Exchange| {
        all.iter().skip(place.saturating_add(1)).take(LEGS).any(|later| repeats(exchange, later))
    };
    let wasted: Vec<&Exchange> = all
        .iter()
        .enumerate()
        .filter(|(place, exchange)| is_challenged(exchange) && again(place, exchange))
        .map(|(_, exchange)| exchange)
        .collect();
    let bytes: u64 = wasted.iter().map(|exchange| body(exchange)).sum();
    let (Some(first), Some(last)) = (wasted.first(), wasted.last()) else { return };
    let severity = if bytes >= MUCH { notes.severity() } else { Severity::Note };
    let fragments = wording::counted(wasted.len(), "Fragment");
    let bytes = wording::counted(bytes, "byte");
    let message = format!("a challenge to {fragments}, by which {bytes} had to be sent again");
    notes.note(severity, Confidence::Certain, &[first.span(), last.span()], message);
}

fn body(exchange: &Exchange) -> u64 {
    exchange.request.as_ref().map_or(0, |request| request.body.bytes)
}

/// Whether a Fragment that carried bytes was met by a challenge.
fn is_challenged(exchange: &Exchange) -> bool {
    let challenged = exchange.response.as_ref().is_some_and(Response::is_challenge);
    challenged && body(exchange) > 0 && look::range(exchange).is_some()
}

fn repeats(exchange: &Exchange, later: &Exchange) -> bool {
    let start = |exchange| look::range(exchange).and_then(|range| range.start);
    start(later).is_some() && start(later) == start(exchange) && body(later) > 0
}
