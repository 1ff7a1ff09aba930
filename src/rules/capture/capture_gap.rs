//! The rule `capture-gap`.

use crate::at::Span;
use crate::model::Report;
use crate::rules::Notes;
use crate::stream::Connection;

rule! {
    /// The capture lacks packets that arrived.
    ///
    /// The receiver acknowledged bytes that are not in the file, so the capture lost them and not the network.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/10000 lost
    /// < 200 received=10000
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/10000
    /// < 200
    /// ```
    ///
    /// Answerable: the capture
    /// Advice: Capture nearer to the host, with a larger buffer (`-B`), to a faster disk, or with a filter.
    /// Confirm: The drop counter of the capturing program.
    Warning, belief 0, needs Anything, Capture
}

fn check(report: &Report, notes: &mut Notes<'_>) {
    let lost = report.quality.lost_bytes;
    if lost == 0 {
        return;
    }
    let mut seen: Vec<u64> = Vec::new();
    let mut of_uploads = 0_u64;
    let mut first: Option<&Connection> = None;
    for connection in report.sessions.iter().flat_map(|session| &session.connections) {
        let bytes = connection.client_side.lost_by_capture + connection.server_side.lost_by_capture;
        if bytes > 0 && !connection.is_one_sided() && !seen.contains(&connection.id) {
            seen.push(connection.id);
            of_uploads = of_uploads.saturating_add(bytes);
            first = first.or(Some(connection));
        }
    }
    let span =
        first.map_or_else(Span::default, |first| Span { first: first.first, last: first.last });
    let where_lost = match (report.sessions.is_empty(), of_uploads) {
        (true, _) => String::new(),
        (false, 0) => ", none of them of uploads".to_owned(),
        (false, of_uploads) if of_uploads == lost => ", all of uploads".to_owned(),
        (false, of_uploads) => format!(", {of_uploads} of them of uploads"),
    };
    notes.add(span, format!("{lost} bytes were acknowledged but not captured{where_lost}"));
}
