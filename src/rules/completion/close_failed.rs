//! The rule `close-failed`.

use crate::model::{Exchange, Session};
use crate::rules::Notes;

rule! {
    /// Close-Session was refused.
    ///
    /// 404 means that the server's copy is gone: cleaned up, taken by an antivirus, deleted.
    /// Advice: Look at the upload directory and the antivirus of the server.
    /// Reference: [MC-BUP] 3.2.5.2.7
    Error, belief 72, needs Anything, Exchange
}

fn check(_: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(response) = &exchange.response else { return };
    let closes = exchange.kind == crate::bits::PacketType::CloseSession;
    if closes && response.http_status >= 400 && !response.is_challenge() {
        notes.add(exchange.span(), format!("Close-Session was answered {}", response.http_status));
    }
}
