//! The rule `guid-missing-in-ack`.

use crate::model::{Exchange, Session};
use crate::rules::{Confidence, Notes, Severity, course, look};

rule! {
    /// A session was opened without naming the protocol.
    ///
    /// A Windows client drops an Ack for Create-Session that has no BITS-Protocol. Other clients may go on.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1 protocol=
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 403 error=0x80070005 context=0x5
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200
    /// ```
    ///
    /// Answerable: the server
    /// Advice: Let the server send BITS-Protocol with its choice; if it does, find the proxy that takes the header away.
    /// Client: 0x8020001B
    /// Confirm: A capture beside the server shows whether the header leaves it.
    /// Reference: [MC-BUP] 2.2.3.2
    Warning, belief 33, needs WholeExchange, Exchange
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(ack) = exchange.response.as_ref().filter(|_| look::creates(exchange)) else { return };
    if ack.protocol.as_deref().is_some_and(|guid| !guid.trim().is_empty()) {
        return;
    }
    let went_on = course::fragment_follows(session, exchange);
    let (severity, what) = if went_on {
        (Severity::Note, "; the client goes on all the same")
    } else {
        (notes.severity(), "")
    };
    let message =
        format!("Create-Session was answered {} without BITS-Protocol{what}", ack.http_status);
    notes.note(severity, Confidence::Certain, &[exchange.span()], message);
}
