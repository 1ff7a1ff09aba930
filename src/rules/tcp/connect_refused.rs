//! The rule `connect-refused`.

use crate::model::attempt::{Attempt, ConnectFailure};
use crate::rules::{Confidence, Notes, Place, connect};

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
    // Nothing tells the host from a filter that answers in its name.
    connect::judge(place, &ANSWERS, (said, Confidence::Likely), notes);
}

const ANSWERS: [ConnectFailure; 1] = [ConnectFailure::Refused];

fn said(attempt: &Attempt) -> String {
    format!("{} refused {} of {} with RST", attempt.server, connect::tries(attempt), attempt.client)
}

#[cfg(test)]
mod tests {
    use crate::transcript;

    #[test]
    fn who_acknowledged_more_than_syn_was_let_in() {
        let mut records = transcript::play("> CREATE-SESSION\n! server resets\n").unwrap();
        // Without the answer to SYN, and the request.
        let rest = records.split_off(4);
        let records: Vec<_> = [0, 2].map(|place| records[place].clone()).into_iter().collect();
        let report = transcript::analyse(&[records, rest].concat(), &mut ());
        assert!(report.attempts.is_empty(), "{:?}", report.attempts);
    }
}
