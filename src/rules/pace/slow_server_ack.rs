//! The rule `slow-server-ack`.

use crate::bits::PacketType;
use crate::model::session::CLIENT_WAITS_SECS;
use crate::model::{Exchange, Session};
use crate::rules::{Confidence, Notes, Severity, course, look, lost, wording};
use crate::stream::Connection;

rule! {
    /// The server took long to acknowledge a Fragment.
    ///
    /// Longer than two seconds and four times what it usually takes in this session: a busy disk, an antivirus, a
    /// proxy that stores before it forwards. The last Fragment of an upload with a reply is expected to be slow,
    /// since the application behind the server works on it.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/40
    /// < 200
    /// > FRAGMENT 10-19/40
    /// < 200
    /// > FRAGMENT 20-29/40
    /// ... 9 s
    /// < 200
    /// > FRAGMENT 30-39/40
    /// < 200
    /// ```
    /// All are slow: that is the pace of this server.
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/40
    /// ... 3 s
    /// < 200
    /// > FRAGMENT 10-19/40
    /// ... 3 s
    /// < 200
    /// > FRAGMENT 20-29/40
    /// ... 9 s
    /// < 200
    /// ```
    ///
    /// Answerable: the server
    /// Advice: Look at the disk queue and the antivirus of the server at this time; exempt the upload directory from scans.
    /// Confirm: time-taken in the server's log; a capture at the server.
    /// Reference: [MC-BUP] 3.1.2.2
    Warning, belief 15, needs Anything, Session
}

/// What nobody waits for unnoticed, in seconds.
const SLOW_SECS: f64 = 2.0;

/// Times the median of the session's other Fragments.
const FACTOR: f64 = 4.0;

/// Taken for the round trip, in seconds, where the handshake was not captured.
const ROUND_TRIP_SECS: f64 = 0.1;

/// A client that waits for five minutes has left by then, in seconds.
const NEVER_SECS: f64 = 2.0 * CLIENT_WAITS_SECS;

/// What to do, and where to look, where no client would have waited so long.
const OF_CLOCK: &str =
    "See whether the clock of the capturing host was set at this time, or the machine slept.";
const CLOCK_LOG: &str = "The System log of that machine: changes of the time, sleep and resume.";

/// Fragments to know the usual pace by.
const ENOUGH: usize = 2;

fn check(session: &Session, notes: &mut Notes<'_>) {
    let waits = || {
        let fragments =
            session.exchanges.iter().filter(|exchange| look::succeeded_fragment(exchange));
        fragments.map(|exchange| (exchange, look::wait_secs(exchange)))
    };
    if waits().all(|(_, wait)| wait <= SLOW_SECS) {
        return;
    }
    let waits: Vec<(&Exchange, f64)> = waits().collect();
    let mut sorted: Vec<f64> = waits.iter().map(|(_, wait)| *wait).collect();
    sorted.sort_by(f64::total_cmp);
    // The middle of the others: the slow one is at the end.
    let usual = sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or(0.0);
    for (exchange, wait) in &waits {
        let unusual = waits.len() > ENOUGH && *wait > FACTOR * usual;
        let over = *wait >= CLIENT_WAITS_SECS;
        if *wait <= SLOW_SECS || !(unusual || over) || has_other_reason(session, exchange) {
            continue;
        }
        let severity = match (over, may_be_final(session, exchange)) {
            (true, _) => Severity::Error,
            (false, true) => Severity::Note,
            (false, false) => notes.severity(),
        };
        let message = format!(
            "acknowledged after {}, where {} are usual",
            wording::lasting(*wait),
            wording::lasting(usual)
        );
        // An answer that was lost in front of the capture, and repeated, looks the same.
        let finding = notes.note(severity, Confidence::Likely, &[exchange.span()], message);
        if let Some(finding) = finding.filter(|_| is_doubtful(session, exchange, *wait)) {
            finding.severity = Severity::Note;
            finding.message.push_str("; no client waits so long");
            finding.turn_to("who captured, or the client").advise(OF_CLOCK).confirm_by(CLOCK_LOG);
        }
    }
}

/// Whether the wait is longer than any of Windows' ([MC-BUP] 3.1.2.2), and the server's clock does not confirm it.
fn is_doubtful(session: &Session, exchange: &Exchange, wait: f64) -> bool {
    let before = || course::ahead(session, exchange).find_map(|earlier| earlier.response.as_ref());
    let confirmed = || {
        let (before, answer) = (before()?, exchange.response.as_ref()?);
        Some((lost::clock_error(before)? - lost::clock_error(answer)?).abs() < CLIENT_WAITS_SECS)
    };
    wait >= NEVER_SECS && look::claims_windows(session) && confirmed() != Some(true)
}

/// Whether a Fragment holds the last byte of the file, or a head that is cut hides how far it reaches and the Close follows.
fn may_be_final(session: &Session, exchange: &Exchange) -> bool {
    let hidden = || exchange.range().is_none() && look::whole_request(exchange).is_none();
    let next = || course::after(session, exchange).find(|next| next.kind != PacketType::Ping);
    look::is_final(exchange)
        || hidden() && next().is_some_and(|next| next.kind == PacketType::CloseSession)
}

/// Whether loss or a closed window may have held the Ack up: TCP has rules of its own.
fn has_other_reason(session: &Session, exchange: &Exchange) -> bool {
    let troubled = |connection: &Connection| {
        let mut sides = [&connection.client_side, &connection.server_side].into_iter();
        is_repeat(exchange, connection)
            || sides.any(|side| {
                side.retransmitted > 0 || !side.zero_windows.is_empty() || side.lost_by_capture > 0
            })
    };
    session.connection(exchange.connection).is_none_or(troubled)
}

/// Whether the Ack had been sent before: a segment behind it came while the client waited, a round trip ahead of it at
/// least, so that it did not just overtake it (RFC 9293 3.4).
fn is_repeat(exchange: &Exchange, connection: &Connection) -> bool {
    let (Some(request), Some(answer)) = (&exchange.request, &exchange.response) else {
        return false;
    };
    let trip = connection.round_trip_secs().unwrap_or(ROUND_TRIP_SECS);
    connection.server_side.resent.beyond.is_some_and(|beyond| {
        let (from, to) = (request.span.last, answer.span.first);
        let waited = from.frame < beyond.frame && beyond.frame < to.frame;
        waited && to.time.secs_since(beyond.time) >= trip
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::at::{At, Timestamp};
    use crate::rules::Severity::{Error, Note, Warning};
    use crate::rules::tests::{fired_when_cut, report, severity};

    #[test]
    fn the_last_fragment_may_be_slow() {
        let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/40\n< 200\n\
             > FRAGMENT 10-19/40\n< 200\n> FRAGMENT 20-39/40\n... 20 s\n< 200";
        assert_eq!(severity("slow-server-ack", text), Some(Note));
    }

    #[test]
    fn it_may_where_a_cut_head_hides_that_it_is_the_last() {
        let slow = |last: &str| {
            let text = format!(
                "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/40\n< 200\n\
                 > FRAGMENT 10-19/40\n< 200\n> FRAGMENT 20-39/40\n... 20 s\n< 200\n{last}\n< 200"
            );
            // Behind the type of the packet, and before the range.
            let found = fired_when_cut(&text, 230).into_iter();
            let mut found = found.filter(|(rule, _)| rule == "slow-server-ack");
            found.next().map(|(_, severity)| severity)
        };
        assert_eq!(slow("> CLOSE-SESSION"), Some(Note));
        assert_eq!(slow("> FRAGMENT 20-39/40"), Some(Warning));
    }

    #[test]
    fn an_answer_that_was_sent_before_and_lost_was_not_late() {
        let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/40\n< 200\n> FRAGMENT 10-19/40\n< 200\n\
             > FRAGMENT 20-29/40\n... 9 s\n< 200";
        let session = report(text).sessions.remove(0);
        let exchange = session.exchanges.last().unwrap();
        let asked = exchange.request.as_ref().unwrap().span.last;
        let behind = |nanos: i64| {
            let mut session = session.clone();
            let time = Timestamp::from_nanos(asked.time.nanos() + nanos);
            // The server's acknowledgement, which comes next.
            let beyond = At { frame: asked.frame + 1, time, ..asked };
            session.connection_mut(0).server_side.resent.edit().beyond = Some(beyond);
            has_other_reason(&session, exchange)
        };
        assert!(!has_other_reason(&session, exchange));
        assert!(behind(1_000_000_000));
        // One that just overtook it.
        assert!(!behind(exchange.response.as_ref().unwrap().span.first.time.since(asked.time) - 1));
    }

    #[test]
    fn five_minutes_are_an_error() {
        let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/40\n... 301 s\n< 200";
        assert_eq!(severity("slow-server-ack", text), Some(Error));
    }

    #[test]
    fn an_hour_is_the_servers_only_by_its_own_clock() {
        let text = |date: &str| {
            format!(
                "> CREATE-SESSION\n< 200 session=1\n  Date: Mon, 18 Jun 2007 21:00:00 GMT\n\
                 > FRAGMENT 0-9/40\n... 3600 s\n< 200\n{date}"
            )
        };
        let told = |date| severity("slow-server-ack", &text(date));
        assert_eq!(told(""), Some(Note));
        assert_eq!(told("  Date: Mon, 18 Jun 2007 21:00:01 GMT"), Some(Note));
        assert_eq!(told("  Date: Mon, 18 Jun 2007 22:00:01 GMT"), Some(Error));
    }
}
