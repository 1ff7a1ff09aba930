//! The rule `gateway-timeout`.

use crate::model::{Exchange, Session};
use crate::rules::origin::Origin;
use crate::rules::{Notes, look};

rule! {
    /// A gateway gave up waiting for the server behind it.
    ///
    /// Advice: Raise the gateway's time-out above the five minutes of a notification.
    /// Reference: [MC-BUP] 3.3.2
    Error, belief 94, needs WholeExchange, Exchange
}

fn check(_: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(response) = look::foreign(exchange) else { return };
    let (who, status) = (Origin::of_response(response), response.http_status);
    if status == 504
        || matches!(status, 502 | 503) && look::wait_secs(exchange) >= look::ROUND_TIMEOUT_SECS
    {
        notes.likely(
            exchange.span(),
            format!("{} answered {status} after {:.0} s", who.name(), look::wait_secs(exchange)),
        );
    }
}
