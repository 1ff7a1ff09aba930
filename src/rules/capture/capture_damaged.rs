//! The rule `capture-damaged`.

use crate::model::Report;
use crate::rules::{Notes, Seen};

rule! {
    /// A capture file ends early or is damaged.
    ///
    /// What comes before the damage is used; nothing is said about what would have followed.
    ///
    /// Answerable: the capture
    /// Advice: Take the capture again, or copy the file again.
    Warning, belief 0, needs Anything, Capture
}

fn check(report: &Report, _: &Seen, notes: &mut Notes<'_>) {
    for (number, input) in report.captures.iter().enumerate() {
        let Some(problem) = &input.problem else { continue };
        // What could not be opened is for the exit status; it need not be a capture.
        if !input.format.is_empty() {
            notes.of_input(number, format!("{}: {problem}", input.name));
        }
    }
}
