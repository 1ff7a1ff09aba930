//! The rule `capture-starts-mid-session`.

use crate::bits::PacketType;
use crate::model::{Exchange, Session};
use crate::rules::Notes;

rule! {
    /// The start of the session was not captured.
    ///
    /// It was opened before the first frame; what was negotiated is unknown.
    ///
    /// ```fires
    /// > FRAGMENT 10-19/20 session=1
    /// < 200
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// ```
    /// Where nothing but answers was captured, the start may be among what was asked:
    /// ```silent
    /// = sees server
    /// > CREATE-SESSION
    /// < 400 error=0x80070057 context=0x5
    /// ```
    /// A request that belongs to no session says nothing of its start.
    /// ```silent
    /// > PING
    ///   BITS-Packet-Type:
    /// < 400 plain
    /// ```
    /// ```silent
    /// > FRAGMENT 10-19/20 session=1
    /// < 500 error=0x8020001F context=0x5
    /// ```
    ///
    /// Answerable: the capture
    /// Advice: Begin the capture before the upload to see the whole of it.
    Note, belief 0, needs Anything, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    let Some(first) = session.exchanges.first() else { return };
    // A session that its server does not know either may never have been created.
    let known = session.first_success(&PacketType::Fragment).is_some();
    let unknown = session.exchanges.iter().any(Exchange::says_lost);
    if session.joined && !session.is_answers_only() && (known || !unknown) {
        notes.add(first.span(), "the first message seen is not its Create-Session");
    }
}
