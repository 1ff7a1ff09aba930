//! The rule `message-after-close`.

use crate::bits::PacketType;
use crate::model::Session;
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
    /// A repeated Close-Session is a retry:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200
    /// > CLOSE-SESSION
    /// < 200
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
        if other && exchange.request.is_some() && look::is_over_before(session, exchange) {
            notes.add(exchange.span(), format!("{} after the session was over", exchange.kind));
        }
    }
}
