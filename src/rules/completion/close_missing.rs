//! The rule `close-missing`.

use crate::at::At;
use crate::model::session::RETRY_SECS;
use crate::model::{Outcome, Session};
use crate::rules::{Around, Notes, look, wording};
use crate::stream::Side;

rule! {
    /// Every byte was acknowledged, but the session was never closed.
    ///
    /// By the specification the server moves the file into its place when the session is closed; older pages of Microsoft
    /// have it do so after the last Fragment.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200
    /// ! client closes
    /// ```
    /// The client will come back, as far as the capture shows:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200
    /// ! server closes
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200
    /// ! server closes
    /// ! client closes
    /// ```
    /// It had left before the answer came:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// ! client closes
    /// < 200
    /// ```
    /// The capture lacks what came then:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200
    /// ! client closes
    /// ! server closes
    /// = connection
    /// > CLOSE-SESSION lost
    /// < 200 lost
    /// ! client closes
    /// ! server closes
    /// ```
    ///
    /// Answerable: the client
    /// Advice: See whether the file is in its place on the server, and how the job ended in the client's BITS log.
    /// Confirm: The folder BITS-Sessions of the virtual directory: whether the session is still there.
    /// Reference: [MC-BUP] 1.3.2
    Warning, belief 30, needs WholeSession, Around
}

fn check(session: &Session, around: &Around<'_>, notes: &mut Notes<'_>) {
    let full = session.bytes_total.is_some_and(|total| {
        total > 0 && session.bytes_acknowledged == total && session.bytes_unique == total
    });
    let impossible = session.exchanges.iter().any(|exchange| {
        let next = exchange.response.as_ref().and_then(|answer| answer.next_offset);
        next > session.bytes_total
    });
    if session.outcome != Outcome::Incomplete || !full || impossible {
        return;
    }
    let Some(last) = session.exchanges.last().filter(|last| last.response.is_some()) else {
        return;
    };
    // It may be there, and the capture lacks it.
    let unasked = last.request.is_none() && !last.confirms_bytes();
    if unasked || session.lacks_end || session.may_be_beside(0) {
        return;
    }
    let quiet = around.quiet_secs_after(session);
    // One that answers the end by the server says nothing.
    let by_client = session.connection(last.connection).and_then(look::first_fin);
    // A client that went on after a FIN before may do so again.
    let returns = session
        .connections
        .iter()
        .any(|connection| connection.id != last.connection && connection.client_side.fin.is_some());
    let before = |at: At, end: &At| at.frame < end.frame || at.time < end.time;
    let heard = |end: &At| last.response.as_ref().is_some_and(|it| before(it.span.last, end));
    // Who leaves before the answer comes does not know that all is there.
    let left = by_client.is_some_and(|(side, end)| side == Side::Client && heard(&end)) && !returns;
    if left && session.reply_url.is_none() {
        notes.likely(last.span(), "the client left after the last byte without Close-Session");
    } else if quiet > RETRY_SECS {
        let message =
            format!("no Close-Session in the {} after the last byte", wording::lasting(quiet));
        notes.likely(last.span(), message);
    }
}
