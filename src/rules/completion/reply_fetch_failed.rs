//! The rule `reply-fetch-failed`.

use crate::bits::PacketType;
use crate::model::Session;
use crate::rules::Notes;

rule! {
    /// The reply could not be fetched.
    ///
    /// The upload is at the server, but the job waits for its reply: the session timed out, or the account has no
    /// right to read.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200 reply=/replies/1
    /// > GET /replies/1
    /// < 404 plain
    /// ```
    /// HEAD fetches nothing, and a range is not the whole:
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200 reply=/replies/1
    /// > HEAD /replies/1
    /// < 200 plain
    /// > GET /replies/1
    /// < 206 plain
    /// > GET /replies/1
    /// < 404 plain
    /// ```
    /// An authentication round on the way:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200 reply=/replies/1
    /// > GET /replies/1
    /// < 401 plain
    /// > GET /replies/1
    /// < 200 plain
    /// > CLOSE-SESSION
    /// < 200
    /// ```
    ///
    /// Answerable: the server
    /// Advice: Give the account read rights on the folder BITS-Sessions, raise BITSSessionTimeout, allow GET of the reply's extension.
    /// Confirm: The server's log: status and substatus of the GET.
    /// Reference: [MC-BUP] 1.3.3
    Error, belief 68, needs Anything, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    let Some(reply) = session.reply else { return };
    let Some(status) = reply.http_status.filter(|status| *status >= 400) else { return };
    let closed = session.exchanges.iter().any(|e| e.kind == PacketType::CloseSession);
    // A round of authentication may go on behind the end of the capture.
    if matches!(status, 401 | 407) && !closed {
        return;
    }
    notes.add(reply.request, format!("the GET of the reply was answered {status}"));
}
