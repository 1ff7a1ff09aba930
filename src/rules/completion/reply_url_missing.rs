//! The rule `reply-url-missing`.

use crate::model::Session;
use crate::rules::{Around, Confidence, Notes, Severity, look, wording};

rule! {
    /// The last Ack names no reply, though earlier uploads to this URL got one.
    ///
    /// A job that waits for a reply cannot get it: the application behind the server gave none. An upload without a
    /// reply looks the same, so only what happened before tells.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200 reply=/replies/1
    /// > GET /replies/1
    /// < 200 plain
    /// > CLOSE-SESSION
    /// < 200
    /// > CREATE-SESSION
    /// < 200 session=2
    /// > FRAGMENT 0-9/10
    /// < 200
    /// ```
    /// Another client got one:
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200 reply=/replies/1
    /// > GET /replies/1
    /// < 200 plain
    /// > CLOSE-SESSION
    /// < 200
    /// = client 10.0.0.6
    /// > CREATE-SESSION
    /// < 200 session=2
    /// > FRAGMENT 0-9/10
    /// < 200
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200
    /// > CLOSE-SESSION
    /// < 200
    /// ```
    ///
    /// Answerable: the application behind the server
    /// Advice: Find out why the application at BITSServerNotificationURL gave no BITS-Static-Response-URL or body this time.
    /// Confirm: The type of the job on the client (bitsadmin /info): upload-reply or upload.
    /// Reference: [MC-BUP] 2.2.7.2
    Error, belief 64, needs WholeSession, Around
}

fn check(session: &Session, around: &Around<'_>, notes: &mut Notes<'_>) {
    let last = session
        .exchanges
        .iter()
        .rev()
        .find(|exchange| look::is_final(exchange) && exchange.succeeded());
    let Some(last) = last.filter(|_| session.reply_url.is_none()) else { return };
    let own = around.same_upload().filter(|brief| brief.replied).count();
    let before = around.same_url(session).filter(|brief| brief.replied).count().max(own);
    if before == 0 {
        return;
    }
    // A client that closes got what it wanted.
    let (severity, confidence) = match session.outcome.is_done() {
        true => (Severity::Note, Confidence::Possible),
        false => (notes.severity(), Confidence::Likely),
    };
    let earlier = wording::counted(before, "earlier upload");
    let message =
        format!("no BITS-Reply-URL with the last byte, though {earlier} to this URL got one");
    notes.note(severity, confidence, &[last.span()], message);
}
