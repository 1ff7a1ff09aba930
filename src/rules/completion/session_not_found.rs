//! The rule `session-not-found`.

use crate::bits::PacketType;
use crate::model::fold::SESSION_NOT_FOUND;
use crate::model::{Exchange, Session};
use crate::rules::Notes;

rule! {
    /// The server does not know the session.
    ///
    /// It expired, was cleaned up, or lives on another node; the client starts over at byte 0.
    /// Advice: Look at the idle time, at restarts of the server, and at the affinity of a farm.
    /// Confirm: The server's log of the node that created the session.
    /// Reference: [MC-BUP] 2.2.1.2
    Error, belief 70, needs Anything, Exchange
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(response) = &exchange.response else { return };
    let named = exchange.request.as_ref().and_then(|request| request.session_id.as_deref());
    if exchange.kind == PacketType::CancelSession {
        return;
    }
    if response.error_value() == Some(SESSION_NOT_FOUND) {
        notes.add(
            exchange.span(),
            format!("{} was answered with BG_E_SESSION_NOT_FOUND", exchange.kind),
        );
    } else if named.is_some() && looks_lost(session, exchange) {
        notes.likely(
            exchange.span(),
            format!(
                "{} was refused ({}) as if the session were unknown",
                exchange.kind, response.http_status
            ),
        );
    }
}

/// Servers that do not use the code say it in words, or with an empty code on a Fragment that is in order.
fn looks_lost(session: &Session, exchange: &Exchange) -> bool {
    let Some(response) = &exchange.response else { return false };
    let in_words =
        !response.is_ack() && response.body_start.to_ascii_lowercase().contains("session");
    let in_order = exchange
        .request
        .as_ref()
        .and_then(|r| r.content_range.as_ref())
        .is_some_and(|range| range.valid);
    let empty_code =
        response.is_ack() && response.http_status == 400 && response.error_value().is_none();
    let reconnected =
        session.exchanges.first().is_some_and(|first| first.connection != exchange.connection);
    let vague = response.http_status == 500 && response.error_value() == Some(1);
    response.http_status >= 400
        && (in_words || empty_code && in_order && session.joined || vague && reconnected)
}
