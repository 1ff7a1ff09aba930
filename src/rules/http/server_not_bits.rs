//! The rule `server-not-bits`.

use crate::model::{Exchange, Session};
use crate::rules::origin::Origin;
use crate::rules::{Notes, look};

rule! {
    /// The answer is that of a web page, not of a BITS server.
    ///
    /// A portal, a landing page, a server without BITS.
    /// Advice: Check where the URL leads.
    Error, belief 90, needs WholeExchange, Exchange
}

fn check(_: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(response) = look::foreign(exchange) else { return };
    let (who, status) = (Origin::of_response(response), response.http_status);
    if matches!(status, 200..=299) || status == 403 && who == Origin::WebServer {
        notes.likely(
            exchange.span(),
            format!("{} answered {status} without BITS-Packet-Type", who.name()),
        );
    }
}
