//! The rule `connect-timeout`.

use crate::model::attempt::{Answer, Attempt};
use crate::rules::{Notes, Place, connect, wording};

rule! {
    /// The server did not answer the connection.
    ///
    /// SYN was repeated and met silence, or a router reported that there is no way: a firewall drops it, the host is
    /// down, or the address is wrong.
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
    connect::judge(place, &ANSWERS, said, notes);
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
        "{} {how} {} of {} with {} SYN in {}",
        attempt.server,
        connect::tries(attempt),
        attempt.client,
        attempt.syns,
        wording::lasting(secs)
    )
}
