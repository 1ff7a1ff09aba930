//! The rule `close-without-final-fragment`.

use crate::bits::PacketType;
use crate::model::Session;
use crate::rules::{Notes, look};

rule! {
    /// The session was closed before every byte was there.
    ///
    /// The server deletes what it has.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200
    /// > CLOSE-SESSION
    /// < 200
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-19/20
    /// < 200
    /// > CLOSE-SESSION
    /// < 200
    /// ```
    ///
    /// Answerable: the client
    /// Advice: Let the client send the rest before it closes; look at who completed the job early.
    /// Confirm: The length of the file on the server, if there is one.
    /// Reference: [MC-BUP] 2.2.8
    Error, belief 73, needs WholeSession, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    let Some(total) = session.bytes_total else { return };
    let close = session.exchanges.iter().rev().find(|e| e.kind == PacketType::CloseSession);
    // The last byte was sent, and the server counts it as still wanted.
    let miscounted = session.bytes_acknowledged.checked_add(1) == Some(total)
        && session.exchanges.iter().any(|one| look::is_final(one) && look::names_last_byte(one));
    if session.outcome_qualifiers.iter().any(|word| word == "closed-short")
        && !miscounted
        && let Some(close) = close
    {
        notes.add(
            close.span(),
            format!("closed with {} of {total} bytes acknowledged", session.bytes_acknowledged),
        );
    }
}
