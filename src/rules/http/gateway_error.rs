//! The rule `gateway-error`.

use crate::model::{Exchange, Session};
use crate::rules::origin::Origin;
use crate::rules::{Notes, look};

rule! {
    /// A gateway has no live server behind it.
    ///
    /// Advice: Look at the servers behind the gateway.
    Error, belief 94, needs WholeExchange, Exchange
}

fn check(_: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(response) = look::foreign(exchange) else { return };
    let (who, status) = (Origin::of_response(response), response.http_status);
    if matches!(status, 502 | 503)
        && who != Origin::HttpSys
        && look::wait_secs(exchange) < look::ROUND_TIMEOUT_SECS
    {
        notes.likely(exchange.span(), format!("{} answered {status}", who.name()));
    }
}
