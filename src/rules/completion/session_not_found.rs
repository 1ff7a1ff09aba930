//! The rule `session-not-found`.

use crate::at::{At, Span};
use crate::bits::PacketType;
use crate::model::attempt::ConnectFailure;
use crate::model::{Exchange, Session};
use crate::rules::lost::{self, Loss};
use crate::rules::{Around, Confidence, Notes, Severity, course, wording};
use crate::stream::{Reset, Side};

rule! {
    /// The server does not know the session.
    ///
    /// It expired, was cleaned up, or lives on another node; the client starts over at byte 0. Servers that do not
    /// use the code for it say it in words, or with an empty code.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 500 error=0x8020001F context=0x5
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 500 plain
    ///   | KeyError: no such session
    /// ```
    /// The session began before the capture:
    /// ```fires
    /// > CLOSE-SESSION session=1
    /// < 400 error=0 context=0x5
    /// ```
    /// ```fires
    /// > CANCEL-SESSION session=1
    /// < 400 error=0 context=0x5
    /// ```
    /// ```silent
    /// > CANCEL-SESSION session=1
    /// < 500 error=0x8020001F context=0x5
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 500 error=0x80070070 context=0x5
    /// ```
    /// The status decides:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200 error=0x8020001F context=0x5
    /// ```
    ///
    /// Answerable: the server, or the balancer in front of it
    /// Advice: See whether the session was idle for long, whether the server was restarted or cleaned up, and whether a farm keeps a client on one node.
    /// Confirm: The log of the node that created the session, and its folder BITS-Sessions.
    /// Reference: [MC-BUP] 2.2.1.2
    Error, belief 70, needs Anything, TroubleAround
}

fn check(session: &Session, exchange: &Exchange, around: &Around<'_>, notes: &mut Notes<'_>) {
    let Some(loss) = lost::of(session, exchange) else { return };
    let over = course::is_likely_over_before(session, exchange)
        || is_repeated_close(session, exchange)
        || lost::may_follow_a_close(exchange);
    let maybe_over = !over && lost::is_behind_possible_close(session, exchange);
    // For a session that was closed it is the right answer.
    let severity = match over {
        true => Severity::Note,
        false if maybe_over => Severity::Warning,
        false => notes.severity(),
    };
    let bound = loss == Loss::Implied && seems_bound(session, exchange);
    let (mut confidence, mut message) = said(session, exchange, loss, bound);
    if maybe_over {
        confidence = Confidence::Possible;
        message.push_str(", unless a Close that was not captured had ended it before");
    }
    let mut spans = vec![exchange.span()];
    let outage = Outage::of(session, exchange, around).filter(|_| !over && !bound);
    if let Some(outage) = &outage {
        message.push_str(&outage.in_words(exchange));
        spans.extend(outage.spans());
    }
    let Some(finding) = notes.note(severity, confidence, &spans, message) else { return };
    if outage.is_some() {
        finding
            .advise(OF_OUTAGE)
            .confirm_by("The server's log: when it stopped, and when it started.");
    } else if bound {
        finding
            .advise(OF_CONNECTION)
            .confirm_by("The server's log: the exception or error at this time.");
    } else if lost::idle_secs(session, exchange).is_some_and(|secs| secs < BRIEF_SECS) {
        finding.advise(OF_NODES);
    }
}

/// Whether the server seems to know the session on the connection only that it was opened on.
fn seems_bound(session: &Session, exchange: &Exchange) -> bool {
    let mut before = course::ahead(session, exchange);
    lost::is_vague_after_reconnect(session, exchange)
        && !before.any(|one| one.connection == exchange.connection && one.succeeded())
}

/// What the server said, and how sure it is that it meant that it does not know the session.
fn said(session: &Session, exchange: &Exchange, loss: Loss, bound: bool) -> (Confidence, String) {
    let packet = packet(exchange);
    let status = exchange.response.as_ref().map_or(0, |response| response.http_status);
    match loss {
        Loss::Said => {
            // What was not captured may have been a Cancel-Session.
            let sure = exchange.request.is_some()
                && !is_behind_hole(session, exchange)
                && !is_close_at_start(session, exchange);
            let confidence = if sure { Confidence::Certain } else { Confidence::Likely };
            (confidence, format!("{packet} was answered with BG_E_SESSION_NOT_FOUND"))
        }
        Loss::Implied if bound => (
            Confidence::Likely,
            format!(
                "{packet} was refused ({status} with the code 0x1) on a new connection, as if the session were unknown there"
            ),
        ),
        Loss::Implied => (
            Confidence::Likely,
            format!("{packet} was refused ({status}) as if the session were unknown"),
        ),
    }
}

/// A time in which nothing listened at the server, since it had last taken something of the session.
struct Outage {
    /// When it ended a connection.
    end: Option<At>,
    /// The connection that it refused.
    refused: Span,
}

/// A session that is asked for so many seconds behind an outage may have been lost to something else.
const OUTAGE_SECS: f64 = 3_600.0;

impl Outage {
    fn of(session: &Session, exchange: &Exchange, around: &Around<'_>) -> Option<Self> {
        let taken = lost::progress(session, exchange)?;
        let hops = exchange.response.as_ref().is_some_and(|answer| !answer.hops.is_empty());
        if exchange.is_by_proxy() || hops || taken.server != exchange.server {
            return None;
        }
        let (since, until) = (taken.span().last.frame, exchange.span().first.frame);
        let is_between = |at: &At| (since..until).contains(&at.frame);
        let mut attempts = around.attempts_of(session).filter(|attempt| {
            attempt.server == exchange.server && attempt.answer == ConnectFailure::Refused
        });
        let refused = attempts.find(|attempt| is_between(&attempt.first.first))?.first;
        if exchange.span().first.time.secs_since(refused.last.time) > OUTAGE_SECS {
            return None;
        }
        let of_server = |reset: &Reset| reset.side == Side::Server;
        let ends = session.connections().filter(|one| one.server == exchange.server);
        let ends = ends.filter_map(|one| one.reset.filter(of_server).map(|reset| reset.at));
        Some(Self { end: ends.filter(is_between).min_by_key(|at| at.frame), refused })
    }

    /// What is to be added to what is said of the exchange behind it.
    fn in_words(&self, exchange: &Exchange) -> String {
        let what = match self.end {
            Some(_) => "reset a connection and refused one",
            None => "refused a connection",
        };
        format!("; before, {} {what}", exchange.server)
    }

    /// The frames that show it.
    fn spans(&self) -> impl Iterator<Item = Span> {
        self.end.map(Span::at).into_iter().chain([self.refused])
    }
}

/// What to do where the service was down before it did not know the session.
const OF_OUTAGE: &str = "The service may have been down in between and come back without its sessions: see whether and why it stopped, and let it keep its sessions over a restart. Else another node took over: look at the affinity of the balancer.";

/// No server forgets a session that is idle for less, in seconds.
const BRIEF_SECS: f64 = 10.0;

/// What to do where no time passed in which the session could have expired.
const OF_NODES: &str = "The session was not idle for long: look for several processes or nodes that do not share their sessions, for a balancer that does not keep a client on one of them, and for a restart of the server.";

/// Requests without success in a row that are looked through for a hole.
const REFUSED: usize = 256;

/// Whether the capture lacks requests between what the server took last and an exchange: one may have ended the session.
fn is_behind_hole(session: &Session, exchange: &Exchange) -> bool {
    let after_gap = |one: &Exchange| one.request.as_ref().is_some_and(|request| request.after_gap);
    let taken = |one: &Exchange| one.kind != PacketType::Ping && one.succeeded();
    let mut since = course::ahead(session, exchange).take_while(|one| !taken(one)).take(REFUSED);
    after_gap(exchange) || since.any(after_gap)
}

/// Whether a Close is the first of a session that was seen, but for Pings: it may repeat one from before the capture.
fn is_close_at_start(session: &Session, exchange: &Exchange) -> bool {
    let mut before = course::ahead(session, exchange);
    session.joined
        && exchange.kind == PacketType::CloseSession
        && before.all(|one| one.kind == PacketType::Ping)
}

/// What to do where a server may have bound the session to the connection.
const OF_CONNECTION: &str = "See whether the server keeps its sessions for one connection only, as some home-made ones do: let it \
     find them by BITS-Session-Id on any connection.";

/// Whether an earlier Close-Session did its work, be it that the answer came behind the repeat, or may have done it,
/// though no answer of the server tells.
fn is_repeated_close(session: &Session, exchange: &Exchange) -> bool {
    let done = session.first_success(&PacketType::CloseSession);
    let done = done.filter(|close| close.request.is_some()).map(Exchange::begins);
    let mut first = session.close_unheard().into_iter().chain(done);
    (exchange.kind == PacketType::CloseSession || exchange.is_lost_unasked())
        && first.any(|first| first < exchange.begins())
}

fn packet(exchange: &Exchange) -> String {
    match exchange.kind.name() {
        _ if exchange.request.is_none() => wording::NOT_CAPTURED.to_owned(),
        "" => "a packet without a type".to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use crate::model::Outcome;
    use crate::rules::Severity::{Error, Note, Warning};
    use crate::rules::tests::{diagnosed, report, severity};
    use crate::rules::{Confidence, Finding};
    use crate::transcript;

    const LOST: &str = "< 500 error=0x8020001F context=0x5\n";

    #[test]
    fn after_a_close_it_is_a_note() {
        let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/10\n< 200\n> CLOSE-SESSION\n\
             < 200\n> FRAGMENT 0-9/10\n< 500 error=0x8020001F";
        assert_eq!(severity("session-not-found", text), Some(Note));
    }

    #[test]
    fn so_it_is_after_one_of_which_only_the_answer_was_captured() {
        let closed = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/10\n< 200\n> CLOSE-SESSION lost\n< 200\n";
        for next in ["> FRAGMENT 0-9/10\n", "= connection\n> PING\n< 200\n> CLOSE-SESSION\n"] {
            let text = format!("{closed}{next}{LOST}");
            assert_eq!(severity("session-not-found", &text), Some(Note), "{text}");
            assert_eq!(report(&text).sessions[0].outcome, Outcome::Completed, "{text}");
        }
    }

    #[test]
    fn behind_what_may_be_the_ack_of_a_close_nothing_tells_of_a_loss() {
        let end = |before: &str| {
            let text = format!("= sees server\n{before}= connection\n> CLOSE-SESSION\n{LOST}");
            (report(&text).sessions[0].outcome, severity("session-not-found", &text))
        };
        let sent = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/10\n< 200\n";
        let closed = format!("{sent}> CLOSE-SESSION\n< 200\n");
        assert_eq!(end(sent), (Outcome::Failed, Some(Error)));
        assert_eq!(end(&closed), (Outcome::Incomplete, Some(Warning)));
        let late = "> CLOSE-SESSION session=1 lost\n< 200\n= connection\n> CLOSE-SESSION\n";
        assert_eq!(report(&format!("{late}{LOST}")).sessions[0].outcome, Outcome::Incomplete);
    }

    #[test]
    fn a_close_that_is_the_first_thing_seen_may_be_a_repeat() {
        let sure =
            |text: &str| diagnosed(&format!("{text}> CLOSE-SESSION session=1\n{LOST}")).confidence;
        assert_eq!(sure(""), Confidence::Likely);
        assert_eq!(sure("> FRAGMENT 0-9/10 session=1\n< 200\n"), Confidence::Certain);
    }

    #[test]
    fn an_answer_alone_on_a_connection_of_its_own_is_to_the_repeat_of_a_close() {
        let text = format!(
            "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/10\n< 200\n> CLOSE-SESSION\n< 200\n\
             = connection\n> CLOSE-SESSION lost\n{LOST}"
        );
        let sessions = report(&text).sessions;
        assert_eq!((sessions.len(), sessions[0].outcome), (1, Outcome::Completed));
        assert_eq!(severity("session-not-found", &text), Some(Note));
    }

    #[test]
    fn what_was_not_captured_behind_the_whole_file_may_have_been_a_close() {
        let end = |total: u64| {
            let text = format!(
                "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/{total}\n< 200\n> CLOSE-SESSION lost\n{LOST}"
            );
            (report(&text).sessions[0].outcome, severity("session-not-found", &text))
        };
        assert_eq!(end(10), (Outcome::Incomplete, Some(Warning)));
        assert_eq!(end(20), (Outcome::Failed, Some(Error)));
    }

    #[test]
    fn an_ack_amid_the_file_may_be_that_of_a_ping() {
        let text = format!(
            "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< 200\n> PING lost\n< 200\n> FRAGMENT 10-19/20\n{LOST}"
        );
        assert_eq!(severity("session-not-found", &text), Some(Error));
        assert_eq!(report(&text).sessions[0].outcome, Outcome::Failed);
    }

    #[test]
    fn who_goes_on_behind_an_ack_with_more_to_come_has_closed_nothing() {
        let amid = format!("> PING lost\n< 200\n> FRAGMENT 10-19/40 session=1\n{LOST}");
        assert_eq!(severity("session-not-found", &amid), Some(Error));
        assert_eq!(report(&amid).sessions[0].outcome, Outcome::Failed);
        let opened = "> CREATE-SESSION\n< 200 session=1\n> PING lost\n< 200\n";
        let first = report(&format!("{opened}> FRAGMENT 0-9/10\n{LOST}")).sessions.remove(0);
        assert_eq!(first.outcome, Outcome::Failed);
    }

    #[test]
    fn a_close_that_goes_unanswered_and_an_unknown_session_behind_it_are_an_end() {
        let text = format!(
            "> CREATE-SESSION\n< 200 session=1 lost\n> FRAGMENT 0-9/10\n< 200 lost\n> CLOSE-SESSION\n< 200 lost\n\
             = connection\n> CLOSE-SESSION lost\n{LOST}"
        );
        assert_eq!(report(&text).sessions[0].outcome, Outcome::Completed);
    }

    #[test]
    fn nothing_but_that_answer_tells_of_no_failure() {
        let session =
            report(&format!("> CANCEL-SESSION session=1 lost\n{LOST}")).sessions.remove(0);
        assert_eq!(session.outcome, Outcome::Incomplete);
    }

    #[test]
    fn behind_a_hole_in_which_the_session_can_have_ended_it_is_less_sure() {
        let sure = |unseen: &str| {
            let text = format!(
                "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< 200\n{unseen}! client closes\n\
                 = connection\n> FRAGMENT 10-19/20\n{LOST}"
            );
            diagnosed(&text).confidence
        };
        let cancel = "> CANCEL-SESSION lost\n< 200 lost\n";
        assert_eq!((sure(""), sure(cancel)), (Confidence::Certain, Confidence::Likely));
    }

    #[test]
    fn an_answer_alone_behind_a_close_is_one_to_its_repeat() {
        let report = report(
            "> CLOSE-SESSION session=1\n! client closes\n... 60 s\n= connection\n> CLOSE-SESSION lost\n\
             < 500 error=0x8020001F context=0x5",
        );
        let session = &report.sessions[0];
        let note =
            |finding: &Finding| finding.rule == "session-not-found" && finding.severity == Note;
        assert!(session.findings.iter().any(note), "{:?}", session.findings);
        assert_eq!(session.outcome, Outcome::Completed);
    }

    #[test]
    fn the_first_close_worked_though_its_answer_came_behind_the_repeat() {
        let text = format!(
            "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/10\n< 200\n> CLOSE-SESSION\n... 5 s\n\
             < 200\n... -2 s\n= connection\n> CLOSE-SESSION\n... 4 s\n{LOST}"
        );
        let records = transcript::delayed(&text, 0, |_| false);
        let session = transcript::analyse(&records, &mut ()).sessions.remove(0);
        let severity = |rule: &str| {
            session.findings.iter().find(|finding| finding.rule == rule).map(|it| it.severity)
        };
        assert_eq!(session.outcome, Outcome::Completed);
        assert_eq!(severity("session-not-found"), Some(Note));
        assert_eq!(severity("close-retried"), Some(Warning));
    }

    #[test]
    fn a_new_connection_may_be_the_reason() {
        let text = |between: &str| {
            format!(
                "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< 200\n{between}\
                 > FRAGMENT 10-19/20\n< 500 error=0x1 context=0x5\n"
            )
        };
        let diagnosis = diagnosed(&text("= connection\n"));
        assert!(diagnosis.summary.contains("0x1) on a new connection"), "{}", diagnosis.summary);
        assert!(diagnosis.advice.unwrap().contains("for one connection only"));
        assert_ne!(diagnosed(&text("")).cause, "session-not-found");
    }

    #[test]
    fn a_service_that_was_down_in_between_forgot_it_then() {
        let text = |between: &str| {
            format!(
                "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< 200\n> FRAGMENT 10-19/20\n\
                 {between}= connection\n> PING\n< 200\n> FRAGMENT 10-19/20\n{LOST}"
            )
        };
        let down = diagnosed(&text("! server resets\n! refused\n"));
        assert_eq!(down.cause, "session-not-found");
        let said = "; before, 192.0.2.80:80 reset a connection and refused one (frames ";
        assert!(down.summary.contains(said), "{}", down.summary);
        assert!(down.advice.unwrap().contains("may have been down in between"));
        let up = diagnosed(&text("! server resets\n"));
        assert!(up.advice.unwrap().contains("was not idle for long"));
    }

    #[test]
    fn a_session_that_was_in_use_did_not_expire() {
        let advice = |wait: &str| {
            diagnosed(&format!(
                "> CREATE-SESSION\n< 200 session=1\n{wait}! client closes\n= connection\n> FRAGMENT 0-9/20\n{LOST}"
            ))
            .advice
            .unwrap()
        };
        assert!(advice("").contains("was not idle for long"));
        assert!(!advice("... 60 s\n").contains("was not idle for long"));
    }
}
