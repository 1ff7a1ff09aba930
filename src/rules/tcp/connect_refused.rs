//! The rule `connect-refused`.

use crate::model::Outcome;
use crate::model::attempt::{Answer, Attempt};
use crate::rules::{Confidence, Notes, Place, Severity, connect};

rule! {
    /// The server refused the connection.
    ///
    /// The host is there, but nothing listens on the port, or a firewall answers with RST in its name.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200
    /// ! server closes
    /// ... 600 s
    /// ! refused
    /// ```
    /// ```fires
    /// ! refused
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// ... 600 s
    /// ! unanswered
    /// ```
    ///
    /// Answerable: the server, or the firewall in front of it
    /// Advice: See whether the service runs and listens on this port (`netstat -ano`, `netsh http show servicestate`), and what the firewall rejects.
    /// Client: 0x80072EFD
    /// Confirm: A capture on the server shows the SYN arriving, and who sends the RST.
    /// Reference: RFC 9293 3.5.2
    Error, belief 48, needs Anything, Anywhere
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

const ANSWERS: [Answer; 1] = [Answer::Refused];

fn said(attempt: &Attempt) -> String {
    format!("{} refused {} of {} with RST", attempt.server, connect::tries(attempt), attempt.client)
}
