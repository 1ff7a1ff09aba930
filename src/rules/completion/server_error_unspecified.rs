//! The rule `server-error-unspecified`.

use crate::bits::hresult;
use crate::model::{Exchange, Session};
use crate::rules::Notes;

rule! {
    /// The server failed without saying why.
    ///
    /// The error code is missing, zero, or means nothing.
    /// Advice: Look into the server's log at this time.
    Error, belief 42, needs Anything, Exchange
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(response) = &exchange.response else { return };
    let told =
        matches!(response.http_status, 401 | 403 | 404 | 407 | 409 | 411 | 413 | 416 | 501..=505);
    let silent = response.error_value().is_none_or(|code| hresult::symbol(code).is_none());
    let from_bits = response.is_ack() || session.id.is_some();
    if response.http_status >= 400 && !told && silent && from_bits && !response.is_cut() {
        notes.add(
            exchange.span(),
            format!("{} was answered {} without a reason", exchange.kind, response.http_status),
        );
    }
}
