//! The rule `remote-application-failed`.

use crate::model::{Exchange, Session};
use crate::rules::Notes;

rule! {
    /// The application behind the server failed.
    ///
    /// The error has context 0x7: the upload itself is in order.
    /// Advice: Look at the application behind BITSServerNotificationURL.
    /// Reference: [MC-BUP] 2.2.1.2
    Error, belief 88, needs Anything, Exchange
}

fn check(_: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(response) = &exchange.response else { return };
    let context = response
        .error_context
        .as_deref()
        .and_then(crate::bits::fields::hresult)
        .map(|(value, _)| value);
    if context == Some(7) && response.http_status >= 400 && response.http_status != 408 {
        notes.add(
            exchange.span(),
            format!("{} was answered {} by the application", exchange.kind, response.http_status),
        );
    }
}
