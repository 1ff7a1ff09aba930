//! The rule `request-timeout`.

use crate::bits::hresult;
use crate::model::{Exchange, Response, Session};
use crate::rules::cut::{self, Cut};
use crate::rules::{Confidence, Finding, Notes, course, front, look, page, wording};
use crate::stream::{Connection, Side};

rule! {
    /// A request took so long to send that one side gave up.
    ///
    /// A client gives itself two minutes to send a request; servers and gateways have timers of their own and answer
    /// 408, or another error where the client had stopped sending. The path is slow or loses packets, or the server does
    /// not take the bytes.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-99999/200000 sent=60000 pace=130
    /// ! client resets
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-99999/200000 sent=60000 pace=30
    /// < 408 plain
    ///   Server: nginx
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-99999/200000 sent=0
    /// ... 20 s
    /// < 408 plain
    ///   Server: nginx
    /// ```
    /// What a client goes on to send changes nothing:
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/20000 sent=4000
    /// ... 2 s
    /// ! server closes
    /// ... 2 s
    /// ! client sends 6000
    /// ! server resets
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/20000 sent=4000
    /// ... 2 s
    /// < 408 plain
    ///   Server: nginx
    /// ... 2 s
    /// ! client sends 6000
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/20000 sent=4000
    /// ... 2 s
    /// < 504 plain
    ///   Server: ATS/9.2.9
    /// ```
    /// Some servers call it a bad request, or a failure of their own:
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/20000 sent=4000
    /// ... 2 s
    /// < 400 plain
    /// ```
    /// Its page names another reason:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/20000 sent=4000
    /// ... 2 s
    /// < 400 plain
    ///   | <title>400 The plain HTTP request was sent to HTTPS port</title>
    /// ```
    /// What is sent again had not come:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/20000 sent=4000 dropped
    /// ... 1 s
    /// ! again
    /// ... 2 s
    /// < 504 plain
    ///   Server: nginx/1.22.1
    /// ```
    /// It had put up with a longer pause:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/20000 sent=4000
    /// ... 4 s
    /// ! client sends 2000
    /// ... 2 s
    /// < 500 plain
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/20000 sent=4000
    /// < 504 plain
    ///   Server: ATS/9.2.9
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/20000 sent=4000
    /// ! server closes
    /// ! client sends 6000
    /// ! server resets
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-99999/200000 pace=130
    /// < 200
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1 lost
    /// > FRAGMENT 0-99999/200000 sent=60000 pace=130
    /// ! client resets
    /// ```
    ///
    /// Answerable: the network, or the server where its window is closed
    /// Advice: Look at loss, round trips and zero windows of this connection; limit what BITS may use, or mend the slow link.
    /// Client: 0x80072EE2
    /// Confirm: A capture at the other end: where the bytes wait.
    /// Reference: [MC-BUP] 3.1.2.1
    Error, belief 51, needs Anything, TroubledSession
}

/// Least seconds after which a server may give up a body that never begins.
const WAITS_SECS: f64 = 3.0;

fn check(session: &Session, notes: &mut Notes<'_>) {
    for cut in cut::cut(session).filter(Cut::is_timeout) {
        let message = format!(
            "{} of {} of the {} in {}, then the {} gave up{}",
            cut.sent(),
            wording::counted(cut.announced(), "byte"),
            cut.exchange.kind,
            wording::lasting(cut.secs),
            cut.by.name(),
            came_later(&cut)
        );
        let severity = course::unless_overcome(session, cut.exchange, notes.severity());
        let by_server = cut.by == Side::Server;
        let finding = notes.note(severity, Confidence::Likely, &[cut.span], message);
        let Some(finding) = finding else { continue };
        finding.client_code = by_server.then_some(hresult::CONNECTION_ERROR);
        ask_client(finding, session, cut.exchange, by_server);
    }
    for exchange in &session.exchanges {
        let (Some(request), Some(response)) = (&exchange.request, &exchange.response) else {
            continue;
        };
        let told = was_too_slow(exchange);
        if !told && !is_starved(session, exchange) {
            continue;
        }
        let (end, status) = (response.span.first.time, response.http_status);
        let mut message = format!(
            "{} answered {status} {} into a {} of which {} had come",
            front::answerer(session, exchange),
            wording::lasting(end.secs_since(request.span.first.time)),
            exchange.kind,
            wording::counted(request.bytes_in_time(), "byte")
        );
        if !told {
            let silent = wording::lasting(end.secs_since(request.last_in_time().time));
            message.push_str(&format!(", and no more for {silent}"));
        }
        // What does not tell may have had another reason.
        let (severity, sure) = if told {
            (course::unless_overcome(session, exchange, notes.severity()), Confidence::Certain)
        } else {
            (course::unless_made_good(session, exchange, notes.severity()), Confidence::Likely)
        };
        let finding = notes.note(severity, sure, &[exchange.span()], message);
        let Some(finding) = finding else { continue };
        finding.client_code = Some(hresult::of_status(status));
        ask_client(finding, session, exchange, true);
    }
}

/// What the client went on to send, which the frames of the request hold as well.
fn came_later(cut: &Cut<'_>) -> String {
    let seen = cut.exchange.request.as_ref().map_or(0, |request| request.body.bytes);
    match seen.saturating_sub(cut.sent()) {
        0 => String::new(),
        later => format!("; {} more came behind that", wording::counted(later, "byte")),
    }
}

/// Asks the client, where nothing shows that held it up.
fn ask_client(finding: &mut Finding, session: &Session, exchange: &Exchange, by_server: bool) {
    let connection = session.connection(exchange.connection);
    if !connection.is_some_and(is_unhindered) {
        return;
    }
    finding.message.push_str("; nothing was sent again, and the receiver never stopped the sender");
    finding
        .turn_to("the client, or the network")
        .advise(if by_server { OF_TIMER } else { OF_CLIENT })
        .confirm_by(LOG_OF_CLIENT);
}

/// Whether nothing shows that held the client up: no loss, and no closed window.
fn is_unhindered(connection: &Connection) -> bool {
    let (client, server) = (&connection.client_side, &connection.server_side);
    client.retransmitted == 0 && server.zero_windows.is_empty()
}

/// What to do where the client may have sent nothing.
const OF_CLIENT: &str = "See whether the client slept, a policy limits what BITS may use, or the path fails in front of this place; else the link is slow.";
const OF_TIMER: &str = "See whether the client slept, a policy limits what BITS may use, or the path fails in front of this place; else the link is slow. How long the server or a proxy in front of it waits is set there (nginx client_body_timeout, HAProxy timeout http-request, Apache RequestReadTimeout, in http.sys EntityBody).";
const LOG_OF_CLIENT: &str = "The gaps between the bytes of this request, and the client's System and BITS-Client logs at that time.";

/// 408 from before BITS, to a request whose body is seen under way, or was waited for.
fn was_too_slow(exchange: &Exchange) -> bool {
    let answer = exchange.response.as_ref().filter(|r| r.http_status == 408 && !r.is_ack());
    answer.zip(look::whole_request(exchange)).is_some_and(|(answer, request)| {
        let waited = answer.span.first.time.secs_since(request.last_in_time().time) >= WAITS_SECS;
        request.lacks_body_in_time() && (request.bytes_in_time() > 0 || waited)
    })
}

/// Whether a gateway or server failed in the middle of a request of which nothing more came: what waited for the rest
/// gave up, and not all call that 408.
pub(in crate::rules) fn is_starved(session: &Session, exchange: &Exchange) -> bool {
    let fails = |answer: &&Response| match answer.http_status {
        400 | 500 => !answer.is_ack() && page::reason(answer).is_none(),
        status => status == 504 && !answer.is_ack(),
    };
    let answer = exchange.response.as_ref().filter(fails);
    let Some((request, answer)) = look::whole_request(exchange).zip(answer) else { return false };
    let stops = |connection: &Connection| {
        let (client, last) = (&connection.client_side, request.last_in_time());
        client.lost_by_capture + client.cut == 0
            && cut::has_stopped(connection, request, last, answer.span.first)
    };
    request.lacks_body_in_time()
        && request.bytes_in_time() > 0
        && session.connection(exchange.connection).is_some_and(stops)
}

#[cfg(test)]
mod tests {
    use crate::rules::Severity::{Note, Warning};
    use crate::rules::tests::{diagnosed, severity};

    #[test]
    fn a_client_that_nothing_held_up_is_asked_itself() {
        let who = |trouble: &str| {
            diagnosed(&format!(
                "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-99999/200000 sent=60000 pace=130\n\
                 {trouble}! server resets\n"
            ))
            .answerable
        };
        assert_eq!(who("").as_deref(), Some("the client, or the network"));
        let network = "the network, or the server where its window is closed";
        assert_eq!(who("! again\n").as_deref(), Some(network));
        assert_eq!(who("! server stalls 5\n").as_deref(), Some(network));
    }

    #[test]
    fn what_came_behind_the_end_is_told_apart() {
        let diagnosis = diagnosed(
            "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9999/20000 sent=4000\n... 2 s\n\
             ! server closes\n... 2 s\n! client sends 6000\n! server resets\n",
        );
        assert!(
            diagnosis.summary.contains("4000 of 10000 bytes of the Fragment in 2 s, then the server gave up; 6000 bytes more came behind that"),
            "{}",
            diagnosis.summary
        );
    }

    #[test]
    fn what_may_have_had_another_reason_is_a_note_once_it_is_made_good() {
        let weighed = |status: &str| {
            let text = format!(
                "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9999/20000 sent=4000\n... 70 s\n\
                 < {status} plain\n! server closes\n= connection\n> FRAGMENT 0-9999/20000\n< 200\n"
            );
            severity("request-timeout", &text)
        };
        assert_eq!((weighed("500"), weighed("408")), (Some(Note), Some(Warning)));
    }

    #[test]
    fn a_client_that_was_answered_logs_the_status() {
        let diagnosis = diagnosed(
            "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9999/10000 sent=4000\n... 3 s\n\
             < 408 plain\n! server closes",
        );
        assert_eq!(diagnosis.cause, "request-timeout");
        assert_eq!(diagnosis.client_error.as_deref(), Some("0x80190198"));
    }
}
