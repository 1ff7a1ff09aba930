//! The rule `ack-offset-beyond-end`.

use crate::model::{Exchange, Session};
use crate::rules::{Notes, offsets, wording};

rule! {
    /// The server acknowledges bytes behind the end of the file.
    ///
    /// No client can go on at a byte that the file does not have.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200 received=21
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200 received=20
    /// ```
    /// The Ack is that of another upload, of which the capture lacks the request:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200 received=10
    /// = connection
    /// > FRAGMENT 0-29/60 session=2 lost
    /// < 200 received=30
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-29/60 session=2 lost
    /// < 200 received=30
    /// > FRAGMENT 0-9/20 session=1
    /// < 200 received=10
    /// ```
    ///
    /// Answerable: the server
    /// Advice: Mend the server: BITS-Received-Content-Range must name the next byte that it wants.
    /// Reference: [MC-BUP] 2.2.7.2
    Error, belief 35, needs Anything, Exchange
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    if exchange.request.is_some()
        && let Some((next, total)) = offsets::beyond_end(session, exchange)
    {
        notes.add(
            exchange.span(),
            format!(
                "the server acknowledged byte {next} of a file of {}",
                wording::counted(total, "byte")
            ),
        );
    }
}
