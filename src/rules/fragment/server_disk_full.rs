//! The rule `server-disk-full`.

use crate::model::{Exchange, Session};
use crate::rules::Notes;

rule! {
    /// The server's disk or quota is full.
    ///
    /// Advice: Free space on the volume that holds the upload directory.
    /// Reference: [MC-BUP] 2.2.1.2
    Error, belief 90, needs Anything, Exchange
}

fn check(_: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(response) = &exchange.response else { return };
    let code = response.error_value();
    if code == Some(0x8007_0070) || code == Some(0x8007_0112) && response.http_status == 500 {
        notes.add(
            exchange.span(),
            format!("{} was answered {} with a full disk", exchange.kind, response.http_status),
        );
    }
}
