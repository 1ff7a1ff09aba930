//! The rule `tcp-reset-by-middlebox`.

use crate::at::Span;
use crate::bits::PacketType;
use crate::model::{Outcome, Session};
use crate::rules::sender::Sender;
use crate::rules::{Notes, Severity, course, look, reset, sender};
use crate::stream::{Reset, Side};

rule! {
    /// An RST came from something between client and server.
    ///
    /// It does not look like the other packets of the host that it names: a firewall, an intrusion prevention system, the
    /// idle timer of an address translator or a balancer.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/20000 sent=4000
    /// ! server resets ttl=254
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/20000 sent=4000
    /// ! server resets
    /// ```
    /// Between requests, where the session does not end well:
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200
    /// ! client resets ttl=200
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200
    /// ! client resets
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200
    /// > CLOSE-SESSION
    /// < 200
    /// ! client resets ttl=200
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200
    /// > CANCEL-SESSION
    /// < 200
    /// ! client resets ttl=200
    /// ```
    ///
    /// Answerable: the network
    /// Advice: Look for a firewall, an intrusion prevention system or an idle timer on the way.
    /// Client: 0x80072EFE
    /// Confirm: A capture on the far side does not show the RST leaving.
    /// Reference: RFC 9293 3.5.2
    Error, belief 46, needs Anything, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    for (side, name) in [(Side::Client, "client"), (Side::Server, "server")] {
        for (exchange, reset, sender) in reset::inside(session, side) {
            if sender.middlebox {
                let message = format!(
                    "an RST in the name of the {name} cut the {} off ({})",
                    exchange.kind, sender.evidence
                );
                let span = reset::span(exchange, &reset);
                let severity = course::unless_overcome(session, exchange, notes.severity());
                notes.note(severity, sender.confidence, &[span], message);
            }
        }
    }
    if session.outcome == Outcome::Completed {
        return;
    }
    for (reset, sender, severity) in between(session).filter(|(_, sender, _)| sender.middlebox) {
        let message = format!(
            "an RST in the name of the {} ended the connection between requests ({})",
            reset.side.name(),
            sender.evidence
        );
        notes.note(severity, sender.confidence, &[Span::at(reset.at)], message);
    }
}

/// RSTs to connections of which every request had its answer, and after which the session was not over, with the senders
/// and how bad they are. An idle connection may be dropped, and a client that opens another one has lost nothing.
fn between(session: &Session) -> impl Iterator<Item = (Reset, Sender, Severity)> {
    session.connections().filter_map(|connection| {
        let reset = connection.reset?;
        let last = session.on(connection.id).next_back()?;
        let open = last.response.is_none() || look::first_fin(connection).is_some();
        let ends = matches!(last.kind, PacketType::CancelSession | PacketType::CloseSession);
        if open || ends && last.succeeded() {
            return None;
        }
        let idle = reset.at.time.secs_since(last.span().last.time) > SOON_SECS;
        let goes_on = session.begun_after(reset.at.frame).is_some();
        let severity = if idle || goes_on { Severity::Note } else { Severity::Warning };
        Some((reset, sender::of(session, connection, &reset), severity))
    })
}

/// No idle timer is as short, in seconds.
const SOON_SECS: f64 = 5.0;

#[cfg(test)]
mod tests {
    use crate::at::Timestamp;
    use crate::rules::Severity;
    use crate::rules::tests::report;
    use crate::transcript;

    #[test]
    fn a_host_of_which_rsts_alone_were_captured_is_known_by_its_other_connections() {
        let blamed = |before: &str, ttl: u8| {
            let text = format!(
                "{before}> FRAGMENT 0-9999/20000 session=1 sent=4000 dropped\n! server resets ttl={ttl}\n"
            );
            let mut records = transcript::play(&text).unwrap();
            let syn_ack = records.iter().rposition(|record| record.data[47] == 0x12).unwrap();
            records.remove(syn_ack);
            // As often as there are segments that it answers.
            for number in 1..3_u8 {
                let mut again = records.last().unwrap().clone();
                again.data[19] = number;
                again.at.time = Timestamp::from_nanos(again.at.time.nanos() + 1);
                records.push(again);
            }
            for (record, number) in records.iter_mut().zip(1..) {
                record.at.frame = number;
            }
            let findings = transcript::analyse(&records, &mut ()).sessions.remove(0).findings;
            let reset = findings.into_iter().find(|one| one.rule.starts_with("tcp-reset")).unwrap();
            (reset.rule.to_string(), reset.message.split_once(" (").unwrap().1.to_owned())
        };
        let few = |ttl: u8| format!("TTL {ttl}, and too few other packets to compare it with)");
        let server = "tcp-reset-by-server".to_owned();
        assert_eq!(blamed("", 200), (server.clone(), few(200)));
        let before = "> CREATE-SESSION\n< 200 session=1\n= connection\n";
        assert_eq!(blamed(before, 61), (server, few(61)));
        let (rule, evidence) = blamed(before, 200);
        assert_eq!(rule, "tcp-reset-by-middlebox");
        assert_eq!(evidence, "TTL 200 where its packets on another connection have 61)");
    }

    #[test]
    fn an_idle_connection_and_one_that_another_follows_may_be_reset() {
        let severity = |pause: &str, then: &str| {
            let text = format!(
                "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/30\n< 200\n... {pause}\n\
                 ! server resets ttl=254\n{then}"
            );
            let findings = &report(&text).sessions[0].findings;
            let of = findings.iter().find(|one| one.rule == "tcp-reset-by-middlebox");
            of.map(|finding| finding.severity)
        };
        let next = "= connection\n> FRAGMENT 10-19/30\n< 200\n";
        assert_eq!(severity("1 s", ""), Some(Severity::Warning));
        assert_eq!(severity("130 s", ""), Some(Severity::Note));
        assert_eq!(severity("1 s", next), Some(Severity::Note));
    }
}
