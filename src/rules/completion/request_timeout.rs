//! The rule `request-timeout`.

use crate::bits::hresult;
use crate::model::{Exchange, Request, Session};
use crate::rules::cut::{self, Cut};
use crate::rules::{Confidence, Finding, Notes, course, front, look, wording};
use crate::stream::{Connection, Side};

rule! {
    /// A request took so long to send that one side gave up.
    ///
    /// A client gives itself two minutes to send a request; servers and gateways have timers of their own and answer
    /// 408. The path is slow or loses packets, or the server does not take the bytes.
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
            "{} of {} of the {} in {}, then the {} gave up",
            cut.sent(),
            wording::counted(cut.announced(), "byte"),
            cut.exchange.kind,
            wording::lasting(cut.secs),
            cut.by.name()
        );
        let severity = course::unless_overcome(session, cut.exchange, notes.severity());
        let by_server = cut.by == Side::Server;
        let finding = notes.note(severity, Confidence::Likely, &[cut.span], message);
        let Some(finding) = finding else { continue };
        finding.client_code = by_server.then_some(hresult::CONNECTION_ERROR);
        ask_client(finding, session, cut.exchange, by_server);
    }
    for exchange in session.exchanges.iter().filter(|exchange| was_too_slow(exchange)) {
        let (Some(request), Some(response)) = (&exchange.request, &exchange.response) else {
            continue;
        };
        let secs = response.span.first.time.secs_since(request.span.first.time);
        let message = format!(
            "{} answered 408 {} into a {} of which {} had come",
            front::answerer(session, exchange),
            wording::lasting(secs),
            exchange.kind,
            wording::counted(request.bytes_in_time(), "byte")
        );
        let severity = course::unless_overcome(session, exchange, notes.severity());
        let finding = notes.note(severity, Confidence::Certain, &[exchange.span()], message);
        let Some(finding) = finding else { continue };
        finding.client_code = Some(hresult::of_status(408));
        ask_client(finding, session, exchange, true);
    }
}

/// Asks the client, where nothing shows that held it up.
fn ask_client(finding: &mut Finding, session: &Session, exchange: &Exchange, by_server: bool) {
    let connection = session.connection(exchange.connection);
    if !connection.is_some_and(is_unhindered) {
        return;
    }
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
const OF_CLIENT: &str = "No loss and no closed window show here: see whether the client slept, a policy limits what BITS may use, or the path fails in front of this place; else the link is slow.";
const OF_TIMER: &str = "No loss and no closed window show here: see whether the client slept, a policy limits what BITS may use, or the path fails in front of this place; else the link is slow. How long the server or a proxy in front of it waits is set there (nginx client_body_timeout, HAProxy timeout http-request, Apache RequestReadTimeout, in http.sys EntityBody).";
const LOG_OF_CLIENT: &str = "The gaps between the bytes of this request, and the client's System and BITS-Client logs at that time.";

/// 408 from before BITS, to a request whose body is seen under way, or was waited for.
fn was_too_slow(exchange: &Exchange) -> bool {
    let answer = exchange.response.as_ref().filter(|r| r.http_status == 408 && !r.is_ack());
    answer.zip(look::whole_request(exchange)).is_some_and(|(answer, request)| {
        let waited = answer.span.first.time.secs_since(request.last_in_time().time) >= WAITS_SECS;
        is_lacking(request) && (request.bytes_in_time() > 0 || waited)
    })
}

/// Whether some bytes of the body were lacking; those that only the capture lacks were sent.
fn is_lacking(request: &Request) -> bool {
    let open = !request.body.complete || request.late.is_some();
    open && request.bytes_in_time() < request.content_length.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::diagnosed;

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
    fn a_client_that_was_answered_logs_the_status() {
        let diagnosis = diagnosed(
            "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9999/10000 sent=4000\n... 3 s\n\
             < 408 plain\n! server closes",
        );
        assert_eq!(diagnosis.cause, "request-timeout");
        assert_eq!(diagnosis.client_error.as_deref(), Some("0x80190198"));
    }
}
