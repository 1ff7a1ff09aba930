//! The rule `range-out-of-step`.

use crate::model::Session;
use crate::rules::{Confidence, Notes, Severity, look, offsets};

rule! {
    /// The server refuses the offset of a Fragment.
    ///
    /// The protocol mends this by itself: the client goes on at the offset that the 416 names. More than once in a
    /// session it means that something changes the server's state; three times without progress, that the upload goes
    /// nowhere. Where the Fragment begins at the very byte that the 416 names, the server is at fault.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 10-19/20
    /// < 416 received=0
    /// > FRAGMENT 0-9/20
    /// < 200
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200
    /// > FRAGMENT 10-19/20
    /// < 200
    /// ```
    /// The file has no such byte:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 416 received=30
    /// ```
    ///
    /// Answerable: the server, or the balancer in front of it
    /// Advice: Find out why the server's state changed: another node of a farm, a restored disk, a restarted process.
    /// Confirm: The server's logs: which node answered, and what was in its upload directory.
    /// Reference: [MC-BUP] 3.1.5.1.4
    Note, belief 55, needs Anything, TroubledSession
}

/// Refusals without progress after which a client is taken to be stuck.
const STUCK: usize = 3;

fn check(session: &Session, notes: &mut Notes<'_>) {
    let (mut all, mut stuck, mut furthest) = (0_usize, 0_usize, None);
    for exchange in &session.exchanges {
        let Some(response) = exchange.response.as_ref().filter(|r| r.http_status == 416) else {
            continue;
        };
        let Some(next) = response.next_offset else { continue };
        // No client can go on there.
        if offsets::beyond_end(session, exchange).is_some() {
            continue;
        }
        all += 1;
        stuck = if furthest.is_none_or(|furthest| next > furthest) { 1 } else { stuck + 1 };
        furthest = furthest.max(Some(next));
        let severity = match (stuck >= STUCK, all) {
            (true, _) => Severity::Error,
            (false, 1) => notes.severity(),
            (false, _) => Severity::Warning,
        };
        let sent = exchange.range().and_then(|range| range.start);
        let times =
            if all > 1 { format!(" (416 number {all} of this session)") } else { String::new() };
        let what = match sent {
            Some(start) if start == next => {
                format!("416 to a Fragment that begins at byte {next}, which the server wants")
            }
            Some(start) => format!("the server wants byte {next} instead of {start}"),
            None => format!("the server wants byte {next}"),
        };
        let message = format!("{what}{times}");
        let finding = notes.note(severity, Confidence::Certain, &[exchange.span()], message);
        if let Some(finding) = finding
            .filter(|_| sent == Some(next) && look::range_agrees(session, exchange) == Some(true))
        {
            finding.turn_to("the server").advise(OF_SERVER);
        }
    }
}

/// What to do where the Fragment begins at the byte that the server names.
const OF_SERVER: &str =
    "Mend the server: it must take a Fragment that begins at the byte that its own answer names.";

#[cfg(test)]
mod tests {
    use crate::rules::Severity::{Error, Warning};
    use crate::rules::tests::{diagnosed, report, severity};

    #[test]
    fn a_fragment_that_begins_where_the_server_wants_it_is_in_step() {
        let again = "> FRAGMENT 10-19/20\n< 416 received=10\n".repeat(3);
        let taken = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< 200\n";
        let diagnosis = diagnosed(&format!("{taken}{again}"));
        assert_eq!(diagnosis.answerable.as_deref(), Some("the server"));
        assert!(!diagnosis.summary.contains("instead of"), "{}", diagnosis.summary);
        let wrong = "> FRAGMENT 10-29/20\n< 416 received=10\n".repeat(3);
        let findings = report(&format!("{taken}{wrong}")).sessions.remove(0).findings;
        let own = findings.iter().find(|finding| finding.rule == "range-out-of-step").unwrap();
        assert!(own.answerable.as_deref() != Some("the server"), "{own:?}");
    }

    #[test]
    fn three_times_without_progress_is_an_error() {
        let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 10-19/20\n< 416 received=0\n\
             > FRAGMENT 10-19/20\n< 416 received=0\n> FRAGMENT 10-19/20\n< 416 received=0";
        assert_eq!(severity("range-out-of-step", text), Some(Error));
    }

    #[test]
    fn twice_is_a_warning() {
        let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 10-19/20\n< 416 received=0\n\
             > FRAGMENT 0-9/20\n< 200\n> FRAGMENT 0-9/20\n< 416 received=10";
        assert_eq!(severity("range-out-of-step", text), Some(Warning));
    }
}
