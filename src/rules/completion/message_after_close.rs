//! The rule `message-after-close`.

use crate::bits::PacketType;
use crate::model::{Exchange, Session};
use crate::rules::{Notes, look};

rule! {
    /// A packet for a session that was closed.
    ///
    /// An error is the right answer to it.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200
    /// > CLOSE-SESSION
    /// < 200
    /// > FRAGMENT 0-9/10
    /// < 500 error=0x8020001F context=0x5
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200
    /// > CLOSE-SESSION
    /// < 200
    /// > CLOSE-SESSION
    /// < 500 error=0x8020001F context=0x5
    /// ```
    /// Another upload may have the same id:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200
    /// > CLOSE-SESSION
    /// < 200
    /// = connection
    /// > CLOSE-SESSION
    /// < 200
    /// ```
    /// A Close-Session that is repeated because its answer did not arrive is a retry:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200
    /// > CLOSE-SESSION
    /// < 200 dropped
    /// ... 5 s
    /// = connection
    /// > CLOSE-SESSION
    /// < 500 error=0x8020001F context=0x5
    /// ```
    ///
    /// Answerable: the client
    /// Advice: Mend the client, or look for what repeats its requests.
    /// Reference: [MC-BUP] 3.2.5.2.7
    Warning, belief 10, needs Anything, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    for exchange in &session.exchanges {
        let other = !matches!(
            exchange.kind,
            PacketType::Ping | PacketType::CloseSession | PacketType::CancelSession
        );
        let late = other && look::is_over_before(session, exchange)
            || look::closed_before(session, exchange).is_some_and(|done| repeats(exchange, done));
        if late && exchange.request.is_some() {
            notes.add(exchange.span(), format!("{} after the session was over", exchange.kind));
        }
    }
}

/// Whether a Close is for the session that another one had closed: on a connection of its own, a success may be for another
/// upload with the same id.
fn repeats(exchange: &Exchange, done: &Exchange) -> bool {
    exchange.connection == done.connection || !look::succeeded(exchange)
}
