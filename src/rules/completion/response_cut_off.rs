//! The rule `response-cut-off`.

use crate::at::At;
use crate::model::{Exchange, Response, Session};
use crate::rules::{Confidence, Notes, course, look, sender, unanswered, wording};
use crate::stream::{Connection, Reset, Side};

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
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200 plain sent=10
    ///   | an answer that is longer than that
    /// ! server resets
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 500 plain sent=10
    ///   | an answer that is longer than that
    /// ! server resets
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 500 plain
    ///   | an answer
    /// ! server closes
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1 lost
    /// > FRAGMENT 0-9/20
    /// ! server closes
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1 lost
    /// > FRAGMENT 0-9/20
    /// < 500 plain sent=10
    ///   | an answer that is longer than that
    /// ! server closes
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200 lost
    /// ! server closes
    /// ```
    ///
    /// Answerable: the server
    /// Advice: Look into the server's log for a crash or recycle at this time.
    /// Confirm: The server's Application log; a capture at the server.
    /// Reference: RFC 9112 8
    Warning, belief 41, needs Anything, Exchange
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(connection) = session.connection(exchange.connection) else { return };
    let mut span = exchange.span();
    let told = match &exchange.response {
        Some(response) => {
            cut_off(response, connection).filter(|_| has_end(connection, Some(response)))
        }
        None => hung_up(exchange, connection)
            .filter(|_| has_end(connection, None) && unanswered::is_seen(session, exchange)),
    };
    if let Some((message, end)) = told {
        span.extend(end);
        let severity = course::unless_recovered(session, exchange, notes.severity());
        let severity = course::unless_made_good(session, exchange, severity);
        notes.note(severity, Confidence::Certain, &[span], message);
    }
}

/// Whether the capture has all that the server sent of an answer, as far as there is one.
fn has_end(connection: &Connection, response: Option<&Response>) -> bool {
    let server = &connection.server_side;
    let seen = |response: &Response| !response.is_cut() && response.body.lacks.is_none();
    let told = server.lost_by_capture == 0 || response.is_none_or(seen);
    told && server.cut + server.missing == 0 && connection.client_side.packets > 0
}

fn cut_off(response: &Response, connection: &Connection) -> Option<(String, At)> {
    let first = look::first_fin(connection).filter(|(side, _)| *side == Side::Server);
    let fin = first.map(|(_, fin)| fin).filter(|_| !response.body.reset);
    let own =
        |reset: &Reset| reset.side == Side::Server && !sender::of(connection, reset).middlebox;
    let reset = connection.reset.filter(own);
    // A page about a refusal is often cut by what refuses the rest of the request.
    let reset = reset.filter(|_| response.is_success() || response.is_cut());
    let end = fin.or(reset.map(|reset| reset.at))?;
    let seen = response.body.bytes;
    let message = match response.content_length {
        _ if response.body.complete => return None,
        _ if response.is_cut() => "the answer ends inside its head".to_owned(),
        Some(length) if seen < length => {
            format!("the answer ends after {seen} of {}", wording::counted(length, "byte"))
        }
        _ => return None,
    };
    Some((message, end))
}

/// A whole request that the server left unanswered; one that crossed the end of the connection does not count.
fn hung_up(exchange: &Exchange, connection: &Connection) -> Option<(String, At)> {
    let fin = connection.server_side.fin?;
    let request = exchange.request.as_ref().filter(|request| request.body.complete)?;
    // Where the capture lacks something of the client, that may be the first FIN.
    let first = look::first_fin(connection).is_some_and(|(side, _)| side == Side::Server)
        && connection.client_side.lost_by_capture == 0;
    let later = fin.frame > request.span.last.frame;
    (first && later).then(|| {
        let secs = fin.time.secs_since(request.span.last.time);
        let message = format!(
            "the server closed the connection {} after the {} without an answer",
            wording::lasting(secs),
            exchange.kind
        );
        (message, fin)
    })
}

#[cfg(test)]
mod tests {
    use crate::rules::Severity::Note;
    use crate::rules::tests::severity;

    #[test]
    fn an_upload_that_goes_on_makes_it_a_note() {
        let text = "> CREATE-SESSION\n< 200 session=1\n> PING\n< 500 plain sent=10\n  | an answer that is longer than that\n\
             ! server closes\n= connection\n> PING\n< 200 lost\n> FRAGMENT 0-9/10\n< 200";
        assert_eq!(severity("response-cut-off", text), Some(Note));
    }
}
