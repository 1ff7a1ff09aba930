//! The rule `ping-skipped`.

use crate::bits::PacketType;
use crate::model::Session;
use crate::rules::Notes;
use crate::rules::hosts::Named;

rule! {
    /// The client did not begin with a Ping at the host that it was sent to.
    ///
    /// That is allowed. A Windows client pings first, which proves the host before bytes are sent to it.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1 host=192.0.2.81 fallback=60
    /// = server 192.0.2.81:80
    /// = url http://192.0.2.81/upload/file.bin
    /// > FRAGMENT 0-9/10
    /// < 200
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1 host=192.0.2.81 fallback=60
    /// = server 192.0.2.81:80
    /// = url http://192.0.2.81/upload/file.bin
    /// > PING
    /// < 200
    /// > FRAGMENT 0-9/10
    /// < 200
    /// ```
    ///
    /// Answerable: the client
    /// Advice: Nothing need be done; a client of one's own make saves bytes with a Ping first.
    /// Reference: [MC-BUP] 2.2.4
    Note, belief 0, needs WholeSession, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    let Some(named) = Named::of(session) else { return };
    let Some(first) = named.later().find(|exchange| named.takes(exchange)) else { return };
    if first.kind != PacketType::Ping {
        let message = format!("\"{}\" was sent a {} first", named.value, first.kind);
        notes.add(first.span(), message);
    }
}
