//! The rule `reply-url-early`.

use crate::model::{Exchange, Outcome, Session};
use crate::rules::{Confidence, Notes, Severity, look};

rule! {
    /// A reply was named before the upload was complete.
    ///
    /// Only the Ack to the last Fragment should carry BITS-Reply-URL. Where the upload came through, this is only a
    /// remark.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200 reply=/replies/1
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200 reply=/replies/1
    /// ```
    ///
    /// Answerable: the server
    /// Advice: Let the server send BITS-Reply-URL with the Ack to the last Fragment only.
    /// Reference: [MC-BUP] 2.2.7.2
    Warning, belief 11, needs WholeExchange, Exchange
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let named = exchange.response.as_ref().is_some_and(|response| response.reply_url.is_some());
    let Some(range) = look::range(exchange).filter(|range| range.valid && named) else { return };
    if let (Some(end), Some(total)) = (range.end, range.total)
        && !look::is_final(exchange)
    {
        let completed = session.outcome == Outcome::Completed;
        let severity = if completed { Severity::Note } else { notes.severity() };
        let message = format!("BITS-Reply-URL after byte {end} of {total}");
        notes.note(severity, Confidence::Certain, &[exchange.span()], message);
    }
}
