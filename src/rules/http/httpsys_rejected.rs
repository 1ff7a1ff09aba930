//! The rule `httpsys-rejected`.

use crate::model::{Exchange, Session};
use crate::rules::origin::Origin;
use crate::rules::{Notes, look};

rule! {
    /// http.sys answered before IIS was asked.
    ///
    /// A bad header, a missing length, or a stopped application pool.
    /// Advice: Look into the http.sys error log for the reason phrase.
    Error, belief 93, needs WholeExchange, Exchange
}

fn check(_: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(response) = look::foreign(exchange) else { return };
    let (who, status) = (Origin::of_response(response), response.http_status);
    if who == Origin::HttpSys && status >= 400 {
        notes.likely(exchange.span(), format!("http.sys answered {status}"));
    }
}
