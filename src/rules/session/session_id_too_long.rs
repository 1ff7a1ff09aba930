//! The rule `session-id-too-long`.

use crate::model::{Exchange, Session};
use crate::rules::{Notes, look};

rule! {
    /// The server gave an id that is longer than ids may be.
    ///
    /// An id may be any text of HTTP, of 100 characters at most; most are GUIDs.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200
    ///   BITS-Session-Id: x*101
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200
    ///   BITS-Session-Id: x*100
    /// ```
    ///
    /// Answerable: the server
    /// Advice: Let the server give shorter ids, best a GUID in braces.
    /// Reference: BITS packet page Ack for Create-Session
    Note, belief 0, needs Anything, Exchange
}

/// The most characters of an id (the packet page of the Ack for Create-Session).
const MOST: usize = 100;

fn check(_: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let answer = exchange.response.as_ref().filter(|_| look::creates(exchange));
    let id = answer.and_then(|answer| answer.session_id.as_deref());
    if let Some(length) = id.map(|id| id.chars().count()).filter(|length| *length > MOST) {
        notes.add(exchange.span(), format!("BITS-Session-Id has {length} characters"));
    }
}
