//! The rule `notification-timeout`.

use crate::bits::PacketType;
use crate::bits::hresult::MISPRINTED;
use crate::model::{Exchange, Session};
use crate::rules::{Confidence, Notes, Severity, look};

rule! {
    /// The application behind the server did not answer in time.
    ///
    /// The server gives it five minutes, BITS 1.5 thirty seconds. The client sends the last Fragment again, so the
    /// application may get the same upload twice.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// ... 300 s
    /// < 408 error=0x80070112 context=0x7
    /// ```
    /// Something else lost patience with the client:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 408 plain
    /// ```
    ///
    /// Answerable: the application behind the server
    /// Advice: Let the application at BITSServerNotificationURL answer within five minutes, and expect the same upload twice.
    /// Confirm: The log of that application: how long it worked on this upload.
    /// Reference: [MC-BUP] 3.3.6
    Error, belief 89, needs Anything, Trouble
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(response) = look::refusal(exchange) else { return };
    let by_code = response.error_value() == Some(MISPRINTED) && response.is_of_application();
    let by_status = response.http_status == 408 && response.is_ack() && look::is_final(exchange);
    let fragment = matches!(exchange.kind, PacketType::Fragment | PacketType::Unknown);
    if !fragment || !(by_code || by_status) {
        return;
    }
    let (status, waited) = (response.http_status, look::wait_secs(exchange));
    let message = match exchange.kind {
        PacketType::Fragment => format!(
            "the last Fragment was answered {status} after {waited:.0} s of waiting for the application"
        ),
        _ => format!("{} was answered {status} for the application", look::NOT_CAPTURED),
    };
    let recovered = look::recovered(session, exchange);
    let severity = if recovered { Severity::Warning } else { notes.severity() };
    notes.note(severity, Confidence::Certain, &[exchange.span()], message);
}
