//! The rule `capture-truncated`.

use crate::at::Span;
use crate::model::Report;
use crate::rules::{Notes, Seen};

rule! {
    /// Packets were cut by the snap length.
    ///
    /// Heads usually survive, bodies do not: no hash of such a file is possible.
    ///
    /// Answerable: the capture
    /// Advice: Capture with a larger snap length, as with `-s 0`.
    Warning, belief 0, needs Anything, Capture
}

fn check(report: &Report, _: &Seen, notes: &mut Notes<'_>) {
    for input in report.captures.iter().filter(|input| input.cut_frames > 0) {
        let snaplen = input.snaplen.map(|bytes| format!(", the snap length is {bytes}"));
        let message = format!(
            "{}: {} of {} frames were cut{}",
            input.name,
            input.cut_frames,
            input.frames,
            snaplen.unwrap_or_default()
        );
        notes.add(Span::default(), message);
    }
}
