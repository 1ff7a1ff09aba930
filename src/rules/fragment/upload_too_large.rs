//! The rule `upload-too-large`.

use crate::model::{Exchange, Session};
use crate::rules::Notes;

rule! {
    /// The upload is larger than the server allows.
    ///
    /// The server answered `BG_E_TOO_LARGE`.
    /// Advice: Raise BITSMaximumUploadSize on the virtual directory, or split the file.
    /// Reference: [MC-BUP] 2.2.1.2
    Error, belief 90, needs Anything, Exchange
}

fn check(_: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(response) = &exchange.response else { return };
    let code = response.error_value();
    if code == Some(0x8020_0020) {
        notes.add(
            exchange.span(),
            format!("{} was answered {} with BG_E_TOO_LARGE", exchange.kind, response.http_status),
        );
    }
}
