//! The rule `connect-timeout`.

use crate::model::Outcome;
use crate::model::attempt::{Answer, Attempt};
use crate::rules::{Confidence, Notes, Place, Severity, connect};

rule! {
    /// The server did not answer the connection.
    ///
    /// SYN was repeated and met silence, or a router reported that there is no way: a firewall drops it, the host is down, or the
    /// address is wrong.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200
    /// ! server closes
    /// ... 600 s
    /// ! unanswered
    /// ```
    /// ```fires
    /// ! unanswered
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// ... 600 s
    /// ! refused
    /// ```
    ///
    /// Answerable: the network, or the server
    /// Advice: See whether the host is up and whether firewalls on the way allow this port (`Test-NetConnection -Port`).
    /// Client: 0x80072EE2
    /// Confirm: A capture on the server shows whether the SYN arrives.
    /// Reference: RFC 9293 3.8.3
    Error, belief 47, needs Anything, Anywhere
}

fn check(place: Place<'_>, notes: &mut Notes<'_>) {
    match place {
        Place::Session(session, around) => {
            for attempt in connect::of_session(session, around, &ANSWERS) {
                let last = session.span().is_none_or(|span| attempt.last.time > span.last.time);
                let done = matches!(session.outcome, Outcome::Completed | Outcome::Cancelled);
                let severity = if last && !done { notes.severity() } else { Severity::Note };
                let message = said(attempt);
                notes.note(severity, Confidence::Certain, &[attempt.span], message);
            }
        }
        Place::Capture(report, seen) => {
            for attempt in connect::of_nobody(report, seen, &ANSWERS) {
                let message = format!("{}; no upload is known to be behind it", said(attempt));
                notes.note(Severity::Note, Confidence::Certain, &[attempt.span], message);
            }
        }
    }
}

const ANSWERS: [Answer; 2] = [Answer::Unanswered, Answer::Unreachable];

fn said(attempt: &Attempt) -> String {
    let how = if attempt.answer == Answer::Unreachable {
        "was reported unreachable for"
    } else {
        "did not answer"
    };
    let secs = attempt.last.time.secs_since(attempt.span.first.time);
    format!(
        "{} {how} {} of {} with {} SYN in {secs:.0} s",
        attempt.server,
        connect::tries(attempt),
        attempt.client,
        attempt.syns
    )
}
