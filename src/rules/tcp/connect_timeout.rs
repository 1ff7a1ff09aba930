//! The rule `connect-timeout`.

use crate::model::attempt::{Attempt, ConnectFailure};
use crate::rules::{Confidence, Notes, Place, connect, icmp, wording};

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
    /// ```fires
    /// ! unanswered
    /// ! unreachable 13
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
    connect::judge(place, &ANSWERS, (said, Confidence::Certain), notes);
}

const ANSWERS: [ConnectFailure; 2] = [ConnectFailure::Unanswered, ConnectFailure::Unreachable];

fn said(attempt: &Attempt) -> String {
    if let Some(icmp) = &attempt.icmp {
        let (tries, told) = (connect::tries(attempt), icmp::told(icmp));
        return format!(
            "{} was reported unreachable for {tries} of {}: {told}",
            attempt.server, attempt.client
        );
    }
    let secs = attempt.span.last.time.secs_since(attempt.span.first.time);
    format!(
        "{} did not answer {} of {} with {} SYN in {}",
        attempt.server,
        connect::tries(attempt),
        attempt.client,
        attempt.syns,
        wording::lasting(secs)
    )
}

#[cfg(test)]
mod tests {
    use crate::at::Timestamp;
    use crate::rules::Severity;
    use crate::rules::tests::{diagnosed, report};
    use crate::transcript;

    #[test]
    fn a_client_that_has_not_tried_for_long_when_the_capture_ends_may_go_on() {
        let severity = |secs: i64| {
            let text = "> CREATE-SESSION\n< 200 session=1\n! server closes\n! unanswered\n";
            let mut records = transcript::play(text).unwrap();
            records.pop();
            let [.., first, second] = &mut records[..] else { panic!("two SYN") };
            second.at.time = Timestamp::from_nanos(first.at.time.nanos() + secs * 1_000_000_000);
            let findings = transcript::analyse(&records, &mut ()).sessions.remove(0).findings;
            findings.iter().find(|one| one.rule == "connect-timeout").map(|one| one.severity)
        };
        assert_eq!(severity(1), Some(Severity::Note));
        assert_eq!(severity(3), Some(Severity::Error));
    }

    #[test]
    fn what_reported_that_there_is_no_way_is_named_with_its_frame() {
        let report = report("! unanswered\n! unreachable 13\n");
        let finding = report.findings.iter().find(|one| one.rule == "connect-timeout").unwrap();
        let said = "ICMP 3/13, administratively prohibited, from 192.0.2.1";
        assert!(finding.message.contains(said), "{}", finding.message);
        assert!(finding.frames.contains(&4), "{:?}", finding.frames);
        assert_eq!(finding.answerable.as_deref(), Some("the firewall that reported it"));
    }

    #[test]
    fn a_service_that_left_a_request_unanswered_may_accept_nothing() {
        let advice = |answer: &str| {
            let text = format!(
                "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n{answer}... 4 s\n! client closes\n! unanswered\n"
            );
            let diagnosis = diagnosed(&text);
            assert_eq!(diagnosis.cause, "connect-timeout");
            diagnosis.advice.unwrap()
        };
        assert!(advice("").contains("the queue of connections"));
        assert!(!advice("< 200\n").contains("the queue of connections"));
    }
}
