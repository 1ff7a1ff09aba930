//! The rule `remote-application-failed`.

use crate::model::{Exchange, Session};
use crate::rules::{Confidence, Notes, Severity, look};

rule! {
    /// The application behind the server failed.
    ///
    /// The error has context 0x7: the upload itself is in order, but the application that was notified of it was not
    /// reached, or failed.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 500 error=0x80190194 context=0x7
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 500 error=0x80070070 context=0x5
    /// ```
    ///
    /// Answerable: the application behind the server
    /// Advice: Look at the application behind BITSServerNotificationURL, and whether the server reaches it.
    /// Confirm: The log of that application at this time, and the server's own request to it (User-Agent BITSExts).
    /// Reference: [MC-BUP] 2.2.1.2
    Error, belief 88, needs Anything, Trouble
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(response) = look::refusal(exchange) else { return };
    if !look::is_of_application(response) || response.http_status == 408 {
        return;
    }
    let code = response.error_value().map(crate::bits::hresult::hex);
    let message = format!(
        "{} was answered {}{} for the application after {:.1} s",
        exchange.kind,
        response.http_status,
        code.map(|code| format!(", {code},")).unwrap_or_default(),
        look::wait_secs(exchange)
    );
    let recovered = look::recovered(session, exchange);
    let severity = if recovered { Severity::Warning } else { notes.severity() };
    notes.note(severity, Confidence::Certain, &[exchange.span()], message);
}
