//! The rule `selection-on-refusal`.

use crate::model::{Exchange, Session};
use crate::rules::{Notes, look};

rule! {
    /// A refused Create-Session still names a protocol or a session.
    ///
    /// Both belong to success only. What a refusal names counts for nothing here.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 403 session=1 error=0x80070005 context=0x5
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 403 error=0x80070005 context=0x5
    /// ```
    ///
    /// Answerable: the server
    /// Advice: Mend the server: leave BITS-Protocol and BITS-Session-Id out of a refusal.
    /// Reference: [MC-BUP] 2.2.3.2
    Note, belief 0, needs Anything, Trouble
}

fn check(_: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(answer) = look::refused_create(exchange) else { return };
    let named = [("BITS-Protocol", &answer.protocol), ("BITS-Session-Id", &answer.session_id)];
    for (field, value) in named {
        if let Some(value) = value.as_deref().filter(|value| !value.trim().is_empty()) {
            notes.add(
                exchange.span(),
                format!("refused with {}, and yet {field} is \"{value}\"", answer.http_status),
            );
        }
    }
}
