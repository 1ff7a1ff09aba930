//! The rule `request-abandoned`.

use crate::model::{Exchange, Session};
use crate::rules::{Confidence, Notes, Severity, icmp, lost, reset, unanswered};

rule! {
    /// The client left before its five minutes of waiting were over.
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
    /// Advice: See what the server did at this time; where the client has a time-out of its own, raise it above five minutes.
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
            if let Some(who) = who(session, exchange) {
                finding.turn_to(who);
            }
            unanswered::turn(Some(finding), session, exchange);
        }
    }
}

/// Who can do something about it, where it shows whether the request arrived.
fn who(session: &Session, exchange: &Exchange) -> Option<&'static str> {
    let client = &session.connection(exchange.connection)?.client_side;
    match (client.acked, client.unacked()) {
        (0, _) => None,
        (_, 0) => Some("the server"),
        // What arrived, and was only acknowledged outside the capture, is not repeated.
        _ => (client.repeats > 0).then_some("the network"),
    }
}

/// Whether the request was repeated in vain until the client went on elsewhere, or a router reported that there is no way:
/// the server never had it to answer.
fn is_out_of_reach(session: &Session, exchange: &Exchange) -> bool {
    session.connection(exchange.connection).is_some_and(|connection| {
        let since = reset::in_vain_since(connection);
        since.is_some_and(|since| session.begun_after(since.frame).is_some())
            || icmp::explains(session, connection).is_some()
    })
}

#[cfg(test)]
mod tests {
    use crate::rules::Severity::Note;
    use crate::rules::tests::{diagnosed, fired, report};

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
}
