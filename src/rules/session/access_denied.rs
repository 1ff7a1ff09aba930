//! The rule `access-denied`.

use crate::model::{Exchange, Session};
use crate::rules::Notes;

rule! {
    /// The server denied access.
    ///
    /// No right to change the physical folder, or the file exists and may not be overwritten.
    /// Advice: Give the account Change permission on the folder; write permission on the virtual directory is not needed.
    /// Reference: [MC-BUP] 2.2.1.2
    Error, belief 84, needs Anything, Exchange
}

fn check(_: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(response) = &exchange.response else { return };
    let code = response.error_value();
    if response.is_ack()
        && (response.http_status == 403 || code == Some(0x8007_0005) && response.http_status != 501)
    {
        notes.add(
            exchange.span(),
            format!("{} was answered {} access denied", exchange.kind, response.http_status),
        );
    }
}
