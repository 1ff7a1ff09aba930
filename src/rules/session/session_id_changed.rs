//! The rule `session-id-changed`.

use crate::bits::PacketType;
use crate::bits::protocol::canonical_id;
use crate::model::{Exchange, Session};
use crate::rules::Notes;

rule! {
    /// An answer carries another session id than its request.
    ///
    /// The server mixed sessions up, or something on the way gave an answer that belongs to another request. An answer may
    /// leave the id out, and spelling does not count.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session={11111111-2222-3333-4444-555555555555}
    /// > FRAGMENT 0-9/10
    /// < 200 session={66666666-2222-3333-4444-555555555555}
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session={ABCDEF12-2222-3333-4444-555555555555}
    /// > FRAGMENT 0-9/10
    /// < 200 session=abcdef12-2222-3333-4444-555555555555
    /// > CLOSE-SESSION
    /// < 200
    /// ```
    /// A Create-Session is answered with a new id, whatever it names itself:
    /// ```silent
    /// > CREATE-SESSION
    ///   BITS-Session-Id: {11111111-2222-3333-4444-555555555555}
    /// < 200 session={66666666-2222-3333-4444-555555555555}
    /// ```
    ///
    /// Answerable: the server
    /// Advice: Mend the server: it must repeat the id of the request or leave it out; look for a cache or proxy on the way.
    /// Confirm: A capture beside the server shows which answer it gave to this request.
    /// Reference: [MC-BUP] 2.2.1.2
    Error, belief 40, needs WholeExchange, Exchange
}

fn check(_: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    if exchange.kind == PacketType::CreateSession {
        return;
    }
    let asked = exchange.request.as_ref().and_then(|request| request.session_id.as_deref());
    let given = exchange.response.as_ref().and_then(|response| response.session_id.as_deref());
    let (Some(asked), Some(given)) = (asked, given) else { return };
    let (known, other) = (canonical_id(asked), canonical_id(given));
    if !known.is_empty() && !other.is_empty() && known != other {
        notes.add(
            exchange.span(),
            format!("{} for session \"{asked}\" was answered for \"{given}\"", exchange.kind),
        );
    }
}
