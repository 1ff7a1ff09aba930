//! The rule `upload-too-large`.

use crate::bits::hresult::TOO_LARGE;
use crate::model::{Exchange, Session};
use crate::rules::{Confidence, Notes, look};

rule! {
    /// The upload is larger than the server allows.
    ///
    /// The server answered `BG_E_TOO_LARGE`.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 500 error=0x80200020 context=0x5
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 413 plain
    /// ```
    ///
    /// Answerable: the server
    /// Advice: Raise BITSMaximumUploadSize on the virtual directory, or split the file.
    /// Confirm: BITSMaximumUploadSize of the virtual directory beside the length of the file.
    /// Reference: [MC-BUP] 2.2.1.2
    Error, belief 90, needs Anything, Trouble
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(response) = &exchange.response else { return };
    if response.error_value() == Some(TOO_LARGE) && !response.is_of_application() {
        let status = response.http_status;
        let total = session
            .bytes_total
            .map(|total| format!(", the file has {}", look::counted(total, "byte")));
        let total = total.unwrap_or_default();
        let message = format!("{} was answered {status} with BG_E_TOO_LARGE{total}", exchange.kind);
        let severity = look::unless_recovered(session, exchange, notes.severity());
        notes.note(severity, Confidence::Certain, &[exchange.span()], message);
    }
}
