//! The rule `connection-closed-mid-request`.

use crate::model::Session;
use crate::rules::{Confidence, Notes, Severity, cut, reset, wording};
use crate::stream::Side;

rule! {
    /// The connection was closed inside a request.
    ///
    /// It ended in order, not by a reset: on the client the service was stopped, the job suspended or cancelled; a
    /// server that does so did not want the rest.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/20000 sent=4000
    /// ! client closes
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/20000
    /// < 200
    /// ! client closes
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// ! server closes
    /// ... 60 s
    /// > FRAGMENT 0-9999/20000 sent=4000
    /// ! server resets
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1 lost
    /// > FRAGMENT 0-9999/20000 sent=4000
    /// ! client closes
    /// ```
    /// The server had no room for more:
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/20000 sent=4000
    /// ! server stalls 5
    /// ! server closes
    /// ```
    /// It had put up with a longer pause:
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/20000 sent=4000
    /// ... 4 s
    /// ! client sends 2000
    /// ... 2 s
    /// ! server closes
    /// ```
    /// What the client goes on to send changes nothing:
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/20000 sent=4000
    /// ! server closes
    /// ! client sends 6000
    /// ! server resets
    /// ```
    /// A server that answers nevertheless answers half a request:
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/20000 sent=4000
    /// ! client closes
    /// < 200
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/20000 sent=4000
    /// < 413
    /// ! client closes
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/20000 sent=4000
    /// < 413 lost
    /// ! client closes
    /// ```
    ///
    /// Answerable: who closed it
    /// Advice: Look into the logs of who closed it: a stopped service, a suspended job, a user who logged off, a recycled process.
    /// Confirm: Event 61 in the client's BITS-Client log at the same second.
    /// Reference: [MC-BUP] 3.1.6
    Warning, belief 39, needs Anything, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    for cut in cut::cut(session) {
        if !cut.reset && !cut.is_timeout() {
            let ended = match cut.left {
                true => "the client opened another connection".to_owned(),
                false => format!("the {} closed the connection", cut.by.name()),
            };
            let message = format!(
                "{ended} after {} of {} of the {}",
                cut.sent(),
                wording::counted(cut.announced(), "byte"),
                cut.exchange.kind
            );
            // The client had its reason.
            let connection = session.connection(cut.exchange.connection);
            let stalled = cut.by == Side::Client
                && connection
                    .is_some_and(|connection| reset::is_stalled(connection, cut.span.last));
            let severity = if stalled { Severity::Note } else { notes.severity() };
            let finding = notes.note(severity, Confidence::Certain, &[cut.span], message);
            let Some(finding) = finding.filter(|_| !stalled) else { continue };
            finding.turn_to(format!("the {}", cut.by.name()));
            if cut.left {
                finding.turn_to("the client, or the network").advise(OF_LEFT);
            } else if cut.by == Side::Server {
                finding.advise(BY_SERVER).confirm_by(SERVER_LOG);
            }
        }
    }
}

/// What to do where the client went on elsewhere.
const OF_LEFT: &str = "The rest of the request did not come by here: look at the path between the client and this place (a firewall or an address translator that dropped the connection), and whether the client slept or changed its network.";

/// What to do where the server closed the connection.
const BY_SERVER: &str = "Look into the server's log at this time: a process that was stopped or recycled, a time-out for the body of a request, a limit.";

/// What would confirm that.
const SERVER_LOG: &str =
    "The log of the server, or of the proxy that answers in its place, at the same second.";

#[cfg(test)]
mod tests {
    use crate::rules::tests::diagnosed;

    #[test]
    fn an_answer_that_comes_after_leaves_no_code_at_the_client() {
        let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9999/20000 sent=4000\n\
                    ! client closes\n< 400 error=0x80070057 context=0x5\n";
        let diagnosis = diagnosed(text);
        assert_eq!(diagnosis.cause, "connection-closed-mid-request");
        assert_eq!(diagnosis.client_error, None);
    }

    #[test]
    fn a_client_that_went_on_elsewhere_may_have_lost_its_path() {
        let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9999/20000 sent=4000\n... 2 s\n\
                    = connection\n> FRAGMENT 0-9999/20000\n< 200\n";
        let mut session = crate::rules::tests::report(text).sessions.remove(0);
        session.connection_mut(0).server_side.fin =
            session.exchanges.last().map(|it| it.span().last);
        let found = std::cell::RefCell::new(Vec::new());
        let omitted = std::cell::Cell::new(0);
        let findings = &mut *found.borrow_mut();
        let rule = &super::RULE;
        super::check(&session, &mut super::Notes { rule, cap: 9, omitted: &omitted, findings });
        assert_eq!(
            findings[0].message,
            "the client opened another connection after 4000 of 10000 bytes of the Fragment"
        );
        assert_eq!(findings[0].answerable.as_deref(), Some("the client, or the network"));
    }

    #[test]
    fn the_one_that_closed_is_asked() {
        let asked = |side: &str| {
            let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9999/20000 sent=4000\n";
            let diagnosis = diagnosed(&format!("{text}! {side} closes\n! client closes\n"));
            assert_eq!(diagnosis.cause, "connection-closed-mid-request");
            assert_eq!(diagnosis.answerable, Some(format!("the {side}").into()));
            format!("{:?} {:?}", diagnosis.advice, diagnosis.confirm)
        };
        assert!(
            asked("client").contains("a suspended job") && asked("client").contains("Event 61")
        );
        assert!(!asked("server").contains("job") && !asked("server").contains("Event 61"));
    }
}
