//! The rule `execute-enabled`.

use crate::model::{Exchange, Session};
use crate::rules::{Confidence, Notes, course};

rule! {
    /// The upload directory allows scripts or programs to run.
    ///
    /// BITS refuses to write where IIS would execute what was uploaded.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 403 error=0x80200023 context=0x5
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 403 error=0x80070005 context=0x5
    /// ```
    ///
    /// Answerable: the server
    /// Advice: Switch script and execute permission off for the virtual directory (Handler Mappings, Edit Feature Permissions).
    /// Reference: [MC-BUP] 2.2.1.2
    Error, belief 88, needs Anything, Trouble
}

/// `BG_E_SERVER_EXECUTE_ENABLE`.
const EXECUTE_ENABLE: u32 = 0x8020_0023;

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(answer) = &exchange.response else { return };
    if answer.error_value() == Some(EXECUTE_ENABLE) {
        let severity = course::unless_recovered(session, exchange, notes.severity());
        let message =
            format!("{} was answered {} with 0x80200023", exchange.kind, answer.http_status);
        notes.note(severity, Confidence::Certain, &[exchange.span()], message);
    }
}
