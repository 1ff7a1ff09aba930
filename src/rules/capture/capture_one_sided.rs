//! The rule `capture-one-sided`.

use crate::model::Report;
use crate::rules::{Confidence, Notes, Seen, left_out, wording};
use crate::stream::Connection;

rule! {
    /// Only one direction of a connection was captured.
    ///
    /// What the other side said is unknown; nothing can be concluded from its silence. A side that is there but never
    /// answers is not meant: its acknowledgements would have been captured.
    ///
    /// ```fires
    /// = sees client
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10 session=1
    /// < 200
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// ```
    ///
    /// Answerable: the capture
    /// Advice: Mirror both directions of the port, or capture on the host itself.
    /// Confirm: A second capture shows the other direction.
    Warning, belief 0, needs Anything, Capture
}

fn check(report: &Report, seen: &Seen, notes: &mut Notes<'_>) {
    let (count, all) = (report.quality.one_sided, report.quality.connections);
    if count == 0 {
        return;
    }
    let first = seen.one_sided.as_deref();
    let span = first.map(Connection::span).unwrap_or_default();
    let whose = first.map(|first| format!(", such as that from {}", lacking(first)));
    let message = format!(
        "one direction is missing in {count} of {}{}",
        wording::counted(all, "connection"),
        whose.unwrap_or_default()
    );
    left_out::note(report, Confidence::Certain, span, message, notes);
}

/// The direction that is missing, as `10.0.0.80:80 to 10.0.0.5:49200`.
fn lacking(connection: &Connection) -> String {
    let (client, server) = (connection.client, connection.server);
    if connection.client_side.packets == 0 {
        format!("{client} to {server}")
    } else {
        format!("{server} to {client}")
    }
}
