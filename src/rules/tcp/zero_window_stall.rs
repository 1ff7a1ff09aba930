//! The rule `zero-window-stall`.

use crate::at::Span;
use crate::rules::Notes;
use crate::rules::{Confidence, Severity};
use crate::stream::Connection;

rule! {
    /// A receiver closed its window for more than a second.
    ///
    /// Its application did not read: disk, antivirus or load.
    /// Advice: Look at the disk and the antivirus of the host that closed the window.
    Warning, belief 20, needs Anything, Connection
}

fn check(connection: &Connection, notes: &mut Notes<'_>) {
    for (who, side) in [("client", &connection.client_side), ("server", &connection.server_side)] {
        for stall in &side.zero_windows {
            let end = stall.end.unwrap_or(connection.last);
            let secs = end.time.secs_since(stall.start.time);
            let severity = if secs > BAD_SECS { Severity::Error } else { Severity::Warning };
            if secs > STALL_SECS {
                let span = Span { first: stall.start, last: end };
                let message = format!("the {who} took no data for {secs:.1} s");
                notes.note(severity, Confidence::Certain, &[span], message);
            }
        }
    }
}

/// Shorter pauses are the flow control of a busy host.
const STALL_SECS: f64 = 1.0;

/// Half of the time that a client gives to one request ([MC-BUP] 3.1.2.1).
const BAD_SECS: f64 = 60.0;
