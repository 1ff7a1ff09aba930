//! The rule `capture-gap`.

use crate::at::Span;
use crate::model::Report;
use crate::rules::Notes;

rule! {
    /// The capture lacks packets that arrived.
    ///
    /// The receiver acknowledged bytes that are not in the file, so the capture lost them and not the network.
    /// Advice: Capture nearer to the host, with a larger buffer, or at a lower rate.
    Warning, belief 0, needs Anything, Capture
}

fn check(report: &Report, notes: &mut Notes<'_>) {
    let lost = report.quality.lost_bytes;
    if lost > 0 {
        notes.add(Span::default(), format!("{lost} bytes were acknowledged but not captured"));
    }
}
