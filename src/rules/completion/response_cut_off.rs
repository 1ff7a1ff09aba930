//! The rule `response-cut-off`.

use crate::at::At;
use crate::bits::PacketType;
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
    /// What it sent is none in HTTP/1:
    /// ```fires
    /// > CREATE-SESSION
    /// ! server sends 57
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
            cut_off(session, response, connection).filter(|_| has_end(connection, Some(response)))
        }
        None => hung_up(session, exchange, connection)
            .filter(|_| has_end(connection, None) && unanswered::is_seen(session, exchange)),
    };
    if let Some((mut message, end)) = told {
        let turned_away = is_turned_away(exchange, connection, end);
        let long = exchange.request.as_ref().filter(|_| turned_away);
        if let Some((request, field)) = long.and_then(|it| Some((it, it.long_field.as_deref()?))) {
            let bytes = request.longest_value;
            message.push_str(&format!("; its \"{field}\" has a value of {bytes} bytes"));
        }
        span.extend(end);
        let severity = course::unless_recovered(session, exchange, notes.severity());
        let severity = course::unless_made_good(session, exchange, severity);
        let finding = notes.note(severity, Confidence::Certain, &[span], message);
        let Some(finding) = finding else { return };
        match bytes_instead(session, exchange, connection) {
            0 if turned_away => {
                finding.turn_to("the server, or what stands in front of it").advise(OF_FILTER);
            }
            0 => {}
            1..SHORTEST => {
                finding.turn_to("the server, or who gave the job its URL").advise(OF_BEGINNING);
            }
            _ => {
                finding.turn_to("who gave the job its URL, or the server").advise(OF_PROTOCOL);
            }
        }
    }
}

/// What to do where a first request was turned away.
const OF_FILTER: &str = "Look into the logs of the server, and of what stands in front of it, at this time: a rule that refuses without a word (nginx return 444, HAProxy reject), a header that is too long, or a process that died.";

/// Whether the end of its connection was all that a Create-Session got, at once, as filters do it. Of a connection that
/// the server has spoken on, it may be that of an idle one, which crosses the request.
fn is_turned_away(exchange: &Exchange, connection: &Connection, end: At) -> bool {
    let first = exchange.kind == PacketType::CreateSession
        && connection.server_side.sent == 0
        && !connection.midstream;
    let asked = exchange.request.as_ref().filter(|_| first);
    asked.is_some_and(|request| end.time.secs_since(request.span.last.time) < AT_ONCE_SECS)
}

/// A refusal takes no longer, in seconds.
const AT_ONCE_SECS: f64 = 1.0;

/// What to do where the server sent something that is no answer.
const OF_PROTOCOL: &str = "See what speaks at this port: HTTP/2 without TLS, TLS, or no web server. Give the job the URL of a port for HTTP/1.1, or let this one take it.";

/// What to do where the server sent less than shows whether that is an answer.
const OF_BEGINNING: &str = "Look into the server's log for a crash or recycle at this time, and see what speaks at this port: TLS, or no web server.";

/// Bytes of a status line up to its status: fewer may begin one (RFC 9112 4).
const SHORTEST: u64 = "HTTP/1.1 200".len() as u64;

/// Bytes that the server sent behind a request in place of an answer; 0 where others account for them.
fn bytes_instead(session: &Session, exchange: &Exchange, connection: &Connection) -> u64 {
    let server = &connection.server_side;
    let plain = !exchange.tls && !exchange.tunnel && exchange.interim.is_empty();
    let asked = exchange.request.as_ref().filter(|_| plain && exchange.response.is_none());
    let Some(request) = asked.filter(|_| server.lost_by_capture == 0) else { return 0 };
    let behind = |at: At| at.frame > request.span.last.frame;
    // They are the answer to an earlier request.
    let earlier = |other: &Exchange| {
        other.connection == exchange.connection
            && other.response.as_ref().is_some_and(|answer| behind(answer.span.last))
    };
    if !server.last_data.is_some_and(behind) || course::ahead(session, exchange).any(earlier) {
        return 0;
    }
    // The client waits for the byte behind those that it has, counted from 1.
    request.awaits.map_or(0, |next| (server.sent + 1).saturating_sub(next.get()))
}

/// Whether the capture has all that the server sent of an answer, as far as there is one.
fn has_end(connection: &Connection, response: Option<&Response>) -> bool {
    let server = &connection.server_side;
    let seen = |response: &Response| !response.is_cut() && response.body.lacks.is_none();
    let told = server.lost_by_capture == 0 || response.is_none_or(seen);
    told && server.cut + server.missing == 0 && connection.client_side.packets > 0
}

fn cut_off(
    session: &Session,
    response: &Response,
    connection: &Connection,
) -> Option<(String, At)> {
    let first = look::first_fin(connection).filter(|(side, _)| *side == Side::Server);
    let fin = first.map(|(_, fin)| fin).filter(|_| !response.body.reset);
    let own = |reset: &Reset| {
        reset.side == Side::Server && !sender::of(session, connection, reset).middlebox
    };
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
fn hung_up(
    session: &Session,
    exchange: &Exchange,
    connection: &Connection,
) -> Option<(String, At)> {
    let fin = connection.server_side.fin?;
    let request = exchange.request.as_ref().filter(|request| request.body.complete)?;
    // Where the capture lacks something of the client, that may be the first FIN.
    let first = look::first_fin(connection).is_some_and(|(side, _)| side == Side::Server)
        && connection.client_side.lost_by_capture == 0;
    let later = fin.frame > request.span.last.frame;
    (first && later).then(|| {
        let secs = fin.time.secs_since(request.span.last.time);
        let instead = match bytes_instead(session, exchange, connection) {
            0 => "without an answer".to_owned(),
            few @ 1..SHORTEST => {
                format!("with {}, too few for an answer", wording::counted(few, "byte"))
            }
            _ => "with bytes that are no answer in HTTP/1".to_owned(),
        };
        let message = format!(
            "the server closed the connection {} after the {} {instead}",
            wording::lasting(secs),
            exchange.kind
        );
        (message, fin)
    })
}

#[cfg(test)]
mod tests {
    use crate::rules::Severity::Note;
    use crate::rules::tests::{diagnosed, severity};

    #[test]
    fn what_is_no_answer_in_http_1_may_be_of_another_protocol() {
        let told = |sent: &str| diagnosed(&format!("> CREATE-SESSION\n{sent}! server closes\n"));
        let spoken = told("! server sends 57\n");
        assert!(spoken.summary.contains("with bytes that are no answer in HTTP/1"));
        assert!(spoken.advice.unwrap().contains("HTTP/2"));
        assert!(told("").summary.contains("without an answer"));
    }

    #[test]
    fn what_may_begin_an_answer_is_not_called_another_protocol() {
        let begun = diagnosed("> CREATE-SESSION\n! server sends 7\n! server closes\n");
        assert!(begun.summary.contains("with 7 bytes, too few for an answer"), "{}", begun.summary);
        assert!(begun.advice.unwrap().contains("crash"));
    }

    #[test]
    fn an_answer_to_the_request_before_is_no_other_protocol() {
        let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/40\n> FRAGMENT 10-19/40\n\
             < 200 received=10\n! server closes\n";
        let diagnosis = diagnosed(text);
        assert!(diagnosis.summary.contains("without an answer"), "{}", diagnosis.summary);
    }

    #[test]
    fn what_closes_at_once_upon_the_first_request_may_be_a_filter() {
        let closed =
            |text: &str| diagnosed(&format!("{text}! server closes\n")).advice.unwrap_or_default();
        let create = "> CREATE-SESSION\n";
        assert!(closed(create).contains("refuses without a word"));
        assert!(!closed(&format!("{create}... 2 s\n")).contains("refuses without a word"));
        let within = format!("{create}< 200 session=1\n> FRAGMENT 0-9/20\n");
        assert!(!closed(&within).contains("refuses without a word"));
        // The server may have closed a connection that was idle.
        for spoken in ["> PING\n< 200\n", "> GET /\n< 200 plain\n... 120 s\n"] {
            assert!(!closed(&format!("{spoken}{create}")).contains("refuses without a word"));
        }
        let long = diagnosed(&format!("{create}  Cookie: x*5000\n! server closes\n")).summary;
        assert!(long.contains("; its \"Cookie\" has a value of 5000 bytes"), "{long}");
    }

    #[test]
    fn an_upload_that_goes_on_makes_it_a_note() {
        let text = "> CREATE-SESSION\n< 200 session=1\n> PING\n< 500 plain sent=10\n  | an answer that is longer than that\n\
             ! server closes\n= connection\n> PING\n< 200 lost\n> FRAGMENT 0-9/10\n< 200";
        assert_eq!(severity("response-cut-off", text), Some(Note));
    }
}
