//! The rule `connect-refused`.

use crate::model::attempt::{Answer, Attempt};
use crate::rules::{Notes, Place, connect};

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
    connect::judge(place, &ANSWERS, said, notes);
}

const ANSWERS: [Answer; 1] = [Answer::Refused];

fn said(attempt: &Attempt) -> String {
    format!("{} refused {} of {} with RST", attempt.server, connect::tries(attempt), attempt.client)
}
