//! The rule `request-abandoned`.

use crate::model::{Exchange, Session};
use crate::rules::{Confidence, Finding, Notes, Severity, icmp, lost, unanswered};
use crate::stream::vain;

rule! {
    /// The client left before the five minutes were over that BITS waits.
    ///
    /// It has a shorter timer of its own, or its job was suspended or cancelled. Whether the server hung or never got
    /// the request shows in whether its host acknowledged the bytes.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// ... 30 s
    /// ! client closes
    /// ```
    /// The capture ends while the client waits:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1 lost
    /// > FRAGMENT 0-9/20
    /// ... 30 s
    /// ! client closes
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200 lost
    /// ... 30 s
    /// ! client closes
    /// ```
    /// Which of two answers the capture lacks cannot be told:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// > FRAGMENT 10-19/20
    /// < 200 received=10 lost
    /// < 200 received=20
    /// ! client closes
    /// ```
    ///
    /// Answerable: the server, where its host acknowledged the request; else the network
    /// Advice: See what ended the client: a time-out of its own, which belongs above five minutes, a job that was cancelled or suspended, a service that stopped; then what the server did at this time.
    /// Confirm: The server's log: whether it has the request, and its time-taken.
    /// Reference: [MC-BUP] 3.1.2.2
    Warning, belief 38, needs Anything, TroubledSession
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    for (exchange, waited) in unanswered::whole(session) {
        if !unanswered::is_timeout(waited) {
            let message = unanswered::message(session, exchange, waited);
            let own =
                if is_out_of_reach(session, exchange) { Severity::Note } else { notes.severity() };
            let severity = lost::unless_done(session, exchange, own);
            let finding = notes.note(severity, Confidence::Likely, &[exchange.span()], message);
            let Some(finding) = finding else { continue };
            address(finding, session, exchange, waited);
            unanswered::turn(Some(finding), session, exchange);
        }
    }
}

/// Says who can do something about it, and what, where it shows whether the request arrived.
fn address(finding: &mut Finding, session: &Session, exchange: &Exchange, waited: f64) {
    let connection = session.connection(exchange.connection);
    let Some(connection) = connection.filter(|it| it.client_side.acked > 0) else { return };
    let client = &connection.client_side;
    let late = unanswered::is_late(connection, exchange, waited);
    let (who, advice) = match client.unacked() == 0 && !late {
        true if unanswered::is_forgotten(connection) => {
            ("the network, or the server", Some(OF_SILENCE))
        }
        true if waited < SOON_SECS => ("the client, or the server", None),
        true => ("the server", None),
        // What arrived, and was only acknowledged outside the capture, is not repeated.
        false if client.repeats == 0 && !late => return,
        false => ("the network", Some(OF_PATH)),
    };
    finding.turn_to(who);
    if let Some(advice) = advice {
        finding.advise(advice);
    }
}

/// No server is late so soon, in seconds: common time-outs begin there.
const SOON_SECS: f64 = 10.0;

/// What to do where not all of the request was acknowledged.
const OF_PATH: &str = "The server may not have had all of the request: look at the speed and the loss of the path to it at this time, then at what the server did; where the client has a time-out of its own, raise it above five minutes.";

/// What to do where nothing came back behind the acknowledgement of the request.
const OF_SILENCE: &str = "Nothing came back behind the acknowledgement of the request, be it of the end of the connection: look for what drops connections or answers on the way, and whether the host of the server went down; else see what the server did at this time.";

/// Whether the request was repeated in vain until the client went on elsewhere, or a router reported that there is no way:
/// the server never had it to answer.
fn is_out_of_reach(session: &Session, exchange: &Exchange) -> bool {
    session.connection(exchange.connection).is_some_and(|connection| {
        let since = vain::since(connection);
        since.is_some_and(|since| session.begun_after(since.frame).is_some())
            || icmp::explains(session, connection).is_some()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::at::{Span, Timestamp};
    use crate::rules::Severity::Note;
    use crate::rules::tests::{diagnosed, fired, report};
    use crate::stream::Stall;
    use crate::transcript;

    #[test]
    fn who_leaves_at_once_did_not_wait() {
        let told = |wait: &str| {
            let text = format!("> CREATE-SESSION\n{wait}! client closes\n");
            let findings = report(&text).sessions.remove(0).findings;
            let own = findings.into_iter().find(|finding| finding.rule == "request-abandoned");
            own.unwrap().message
        };
        assert!(told("").contains("not answered before the client left, less than 1 ms later"));
        assert!(told("... 30 s\n").contains("not answered within 30 s"));
    }

    #[test]
    fn what_arrived_late_or_not_at_all_is_asked_of_the_path() {
        let asked = |request: &str, end: &str| {
            let text = format!(
                "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20{request}... 4 s\n{end}"
            );
            let found = report(&text).sessions.remove(0).findings;
            let own =
                found.into_iter().find(|finding| finding.rule == "request-abandoned").unwrap();
            format!("{} {:?} {:?}", own.message, own.answerable, own.advice)
        };
        let server = asked("\n", "! client closes\n");
        assert!(
            server.contains("then what the server did")
                && server.contains("\"the client, or the server\""),
            "{server}"
        );
        let path = asked(" dropped\n", "! again\n= connection\n> PING\n< 200\n");
        assert!(path.contains("the path to it") && path.contains("\"the network\""), "{path}");
    }

    #[test]
    fn frames_that_are_left_out_amid_the_session_may_hold_the_answer() {
        let sent =
            "> CREATE-SESSION\n< 200 session=1\n! client closes\n= connection\n> FRAGMENT 0-9/20\n";
        let unseen = "< 200\n! client closes\n= connection\n> FRAGMENT 10-19/20\n";
        let text = format!("{sent}{unseen}< 200\n> CLOSE-SESSION\n< 200\n");
        let count = |text: &str| transcript::play(text).unwrap().len() as u64;
        let (from, to) = (count(sent), count(&format!("{sent}{unseen}")));
        let is_abandoned = |text: &str| {
            let mut records = transcript::play(text).unwrap();
            records.retain(|record| !(from..=to).contains(&record.at.frame));
            let session = transcript::analyse(&records, &mut ()).sessions.remove(0);
            session.findings.iter().any(|finding| finding.rule == "request-abandoned")
        };
        assert!(!is_abandoned(&text));
        // A connection from its start on tells that nothing is missing.
        let next = format!("{sent}{}", unseen) + "= connection\n> PING\n< 200\n";
        assert!(is_abandoned(&next));
    }

    #[test]
    fn a_host_that_does_not_acknowledge_the_end_may_be_cut_off() {
        let text =
            "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n... 3 s\n! client closes\n";
        let mut session = report(text).sessions.remove(0);
        let (exchange, connection) = (session.exchanges.pop().unwrap(), session.connection_mut(0));
        assert!(connection.client_side.fin_acked && !unanswered::is_forgotten(connection));
        connection.client_side.fin_acked = false;
        assert!(!unanswered::is_forgotten(connection));
        let nanos = connection.last.time.nanos();
        connection.last.time = Timestamp::from_nanos(nanos + 2_000_000_000);
        let message = unanswered::message(&session, &exchange, 3.0);
        assert!(
            message.ends_with("acknowledged, and then not the end of the connection"),
            "{message}"
        );
    }

    #[test]
    fn what_is_still_repeated_when_the_client_has_left_arrived_later() {
        let text =
            "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n... 3 s\n! client closes\n";
        let mut session = report(text).sessions.remove(0);
        let (exchange, connection) = (session.exchanges.pop().unwrap(), session.connection_mut(0));
        let asked = exchange.span().last;
        let span = Span { first: asked, last: connection.last };
        connection.client_side.resent.edit().stall = Some(Stall { span, ..Stall::default() });
        let message = |waited| unanswered::message(&session, &exchange, waited);
        assert!(message(2.0).ends_with(", and its bytes were acknowledged only later"));
        assert!(message(4.0).ends_with(", though its bytes were acknowledged"));
    }

    #[test]
    fn how_long_a_client_waited_that_left_ahead_of_its_bytes_is_not_known() {
        let text =
            "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n... 3 s\n! client closes\n";
        let mut session = report(text).sessions.remove(0);
        let request = session.exchanges[1].request.as_ref().unwrap();
        session.connection_mut(0).client_side.fin = Some(request.span.last);
        session.exchanges[1].request.as_mut().unwrap().span.last = session.connections[0].last;
        let (exchange, waited) = unanswered::whole(&session).next().unwrap();
        let message = unanswered::message(&session, exchange, waited);
        let said = "Fragment was not answered before the client left, with bytes of it lost on the way, and its \
                    bytes were acknowledged only later";
        assert_eq!(message, said);
    }

    #[test]
    fn what_never_arrived_was_not_waited_for() {
        let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20 dropped\n! again\n! again\n\
                    ... 40 s\n= connection\n> PING\n< 200\n";
        assert!(fired(text).contains(&("request-abandoned".to_owned(), Note)), "{:?}", fired(text));
        let diagnosis = diagnosed(text);
        assert_eq!(diagnosis.cause, "half-open-retry");
    }

    #[test]
    fn a_client_that_gave_up_by_itself_logs_no_code_that_could_be_told() {
        let text =
            "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n... 30 s\n! client closes\n";
        assert_eq!(diagnosed(text).client_error, None);
        let reset = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9999/20000 sent=4000\n! client resets\n";
        assert_eq!(diagnosed(reset).client_error, None);
    }

    #[test]
    fn who_does_not_wait_for_long_is_asked_first() {
        let asked = |wait: &str| {
            diagnosed(&format!(
                "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n... {wait}\n! client closes\n"
            ))
            .answerable
        };
        assert_eq!(asked("2 s").as_deref(), Some("the client, or the server"));
        assert_eq!(asked("30 s").as_deref(), Some("the server"));
    }
}
