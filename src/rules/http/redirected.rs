//! The rule `redirected`.

use crate::model::{Exchange, Session};
use crate::rules::{Notes, look};

rule! {
    /// A BITS packet was redirected.
    ///
    /// Advice: Give the job the final URL.
    Warning, belief 60, needs WholeExchange, Exchange
}

fn check(_: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(response) = look::foreign(exchange) else { return };
    let status = response.http_status;
    if matches!(status, 300..=399) {
        notes.likely(
            exchange.span(),
            format!("{status} to {}", response.location.as_deref().unwrap_or("somewhere")),
        );
    }
}
