//! The rule `capture-one-sided`.

use crate::at::Span;
use crate::model::Report;
use crate::rules::Notes;

rule! {
    /// Only one direction of a connection was captured.
    ///
    /// What the other side said is unknown; nothing can be concluded from its silence.
    /// Advice: Mirror both directions of the port, or capture on the host itself.
    Warning, belief 0, needs Anything, Capture
}

fn check(report: &Report, notes: &mut Notes<'_>) {
    let count = report.quality.one_sided;
    if count > 0 {
        notes.add(
            Span::default(),
            format!("{count} connections show data of one side and no packet of the other"),
        );
    }
}
