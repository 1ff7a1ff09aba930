//! The rule `session-id-missing`.

use crate::model::{Exchange, Outcome, Session};
use crate::rules::{Confidence, Notes, Severity, look};

rule! {
    /// A session was opened without an id.
    ///
    /// The Ack for Create-Session is the one answer that must carry BITS-Session-Id: all that follows refers to it. Later
    /// answers of Windows servers leave it out.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200
    /// ```
    ///
    /// Answerable: the server
    /// Advice: Let the server send BITS-Session-Id; if it does, find the proxy that takes the header away.
    /// Client: 0x8020001B
    /// Confirm: A capture beside the server shows whether the header leaves it.
    /// Reference: [MC-BUP] 2.2.3.2
    Error, belief 82, needs WholeExchange, Exchange
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(ack) = exchange.response.as_ref().filter(|_| look::creates(exchange)) else { return };
    if ack.session_id.as_deref().is_some_and(|id| !is_empty(id)) {
        return;
    }
    let harmless = session.outcome == Outcome::Completed;
    let severity = if harmless { Severity::Note } else { notes.severity() };
    let message =
        format!("Create-Session was answered {} without BITS-Session-Id", ack.http_status);
    notes.note(severity, Confidence::Certain, &[exchange.span()], message);
}

/// Whether nothing is left of it without its braces.
fn is_empty(id: &str) -> bool {
    id.trim().bytes().all(|byte| matches!(byte, b'{' | b'}'))
}
