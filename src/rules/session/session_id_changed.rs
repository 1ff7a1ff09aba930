//! The rule `session-id-changed`.

use crate::bits::protocol::canonical_id;
use crate::model::{Exchange, Session};
use crate::rules::Notes;

rule! {
    /// An answer carries another session id than its request.
    ///
    /// Sessions were mixed up, or a proxy cached an answer.
    /// Advice: Mend the server: it must repeat the id or leave it out.
    /// Reference: [MC-BUP] 2.2.1.2
    Error, belief 40, needs WholeExchange, Exchange
}

fn check(_: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let asked = exchange
        .request
        .as_ref()
        .and_then(|request| request.session_id.as_deref())
        .unwrap_or_default();
    let given = exchange
        .response
        .as_ref()
        .and_then(|response| response.session_id.as_deref())
        .unwrap_or_default();
    if !asked.is_empty() && !given.is_empty() && canonical_id(asked) != canonical_id(given) {
        notes.add(exchange.span(), format!("asked for {asked}, answered for {given}"));
    }
}
