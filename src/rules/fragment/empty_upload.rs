//! The rule `empty-upload`.

use crate::bits::PacketType;
use crate::model::{Outcome, Session};
use crate::rules::{Notes, look};

rule! {
    /// An upload of an empty file.
    ///
    /// It has no Fragment, or one of no bytes. What a server makes of that is nowhere written down.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > CLOSE-SESSION
    /// < 200
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-0/0
    ///   Content-Range: bytes 0-/0
    /// < 200 received=0
    /// > CLOSE-SESSION
    /// < 200
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-0/1
    /// < 200
    /// > CLOSE-SESSION
    /// < 200
    /// ```
    ///
    /// Answerable: the client
    /// Confirm: Whether the file is on the server.
    /// Reference: [MC-BUP] 2.2.6
    Note, belief 0, needs WholeSession, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    let fragment = session.exchanges.iter().find(|e| e.kind == PacketType::Fragment);
    let named = fragment.and_then(look::range).and_then(|range| range.total);
    if let Some(fragment) = fragment.filter(|_| named == Some(0)) {
        notes.add(fragment.span(), "the Fragment says that the file has 0 bytes");
        return;
    }
    let close = session.first_success(&PacketType::CloseSession);
    if let (None, Some(close), Outcome::Completed) = (fragment, close, session.outcome) {
        notes.add(close.span(), "closed without a Fragment");
    }
}
