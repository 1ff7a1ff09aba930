//! The rule `response-cut-off`.

use crate::at::At;
use crate::model::{Exchange, Response, Session};
use crate::rules::{Confidence, Notes, Severity, look};
use crate::stream::{Connection, Side};

rule! {
    /// The server closed the connection before its answer was complete.
    ///
    /// There is no answer, or it ends within its head or before the length that it announced: the process died, or
    /// something on the way cut it.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 500 plain sent=10
    ///   | an answer that is longer than that
    /// ! server closes
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// ! server closes
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 500 plain
    ///   | an answer
    /// ! server closes
    /// ```
    ///
    /// Answerable: the server
    /// Advice: Look into the server's log for a crash or recycle at this time.
    /// Confirm: The server's Application log; a capture at the server.
    /// Reference: RFC 9112 8
    Warning, belief 44, needs WholeSession, Exchange
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(connection) = session.connection(exchange.connection) else { return };
    let Some(fin) = connection.server_side.fin else { return };
    let mut span = exchange.span();
    let told = match &exchange.response {
        Some(response) => cut_off(response),
        None => hung_up(exchange, connection, fin),
    };
    if let Some(message) = told {
        span.extend(fin);
        let recovered = look::recovered(session, exchange);
        let severity = if recovered { Severity::Note } else { notes.severity() };
        notes.note(severity, Confidence::Certain, &[span], message);
    }
}

fn cut_off(response: &Response) -> Option<String> {
    if response.body.complete || response.body.reset {
        return None;
    }
    let seen = response.body.bytes;
    match response.content_length {
        _ if response.is_cut() => Some("the answer ends inside its head".to_owned()),
        Some(length) if seen < length => {
            Some(format!("the answer ends after {seen} of {length} bytes"))
        }
        _ => None,
    }
}

/// A whole request that the server left unanswered; one that crossed the end of an idle connection does not count.
fn hung_up(exchange: &Exchange, connection: &Connection, fin: At) -> Option<String> {
    let request = exchange.request.as_ref().filter(|request| request.body.complete)?;
    let first = look::first_fin(connection).is_some_and(|(side, _)| side == Side::Server);
    let later = fin.frame > request.span.last.frame;
    (first && later).then(|| {
        let secs = fin.time.secs_since(request.span.last.time);
        format!(
            "the server closed the connection {secs:.1} s after the {} without an answer",
            exchange.kind
        )
    })
}
