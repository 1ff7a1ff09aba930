//! The rule `zero-window-stall`.

use crate::at::Span;
use crate::rules::reset::STALLED_SECS;
use crate::rules::{Confidence, Notes, Severity, wording};
use crate::stream::Connection;

rule! {
    /// A receiver closed its window for more than a second.
    ///
    /// Its application did not read what came: disk, antivirus or load.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/20000 sent=5000
    /// ! server stalls 5
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/20000 sent=5000
    /// ! server stalls 0.5
    /// ```
    ///
    /// Answerable: the host that closed its window
    /// Advice: Look at the disk, the antivirus and the load of the host that closed the window.
    /// Confirm: Its performance counters for disk queue and processor at this time.
    /// Reference: RFC 9293 3.8.6
    Warning, belief 20, needs Anything, Connection
}

fn check(connection: &Connection, notes: &mut Notes<'_>) {
    for (who, side) in [("client", &connection.client_side), ("server", &connection.server_side)] {
        for stall in &side.zero_windows {
            let end = stall.end.unwrap_or(connection.last);
            let secs = end.time.secs_since(stall.start.time);
            let severity = if secs > STALLED_SECS { Severity::Error } else { Severity::Warning };
            if secs > STALL_SECS {
                let span = Span { first: stall.start, last: end };
                let message =
                    format!("the {who} kept its window at 0 for {}", wording::lasting(secs));
                let finding = notes.note(severity, Confidence::Certain, &[span], message);
                if let Some(finding) = finding {
                    finding.turn_to(format!("the {who}"));
                }
            }
        }
    }
}

/// Shorter pauses are the flow control of a busy host.
const STALL_SECS: f64 = 1.0;

#[cfg(test)]
mod tests {
    use crate::rules::tests::report;

    #[test]
    fn the_side_that_closed_its_window_is_answerable() {
        let report = report(
            "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9999/20000 sent=5000\n! server stalls 5\n",
        );
        let mut all = report.sessions[0].findings.iter();
        let finding = all.find(|finding| finding.rule == "zero-window-stall").unwrap();
        assert_eq!(finding.answerable.as_deref(), Some("the server"));
    }
}
