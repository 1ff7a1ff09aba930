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

/// What to do where nothing could be read.
const UNREAD: &str = "Check its name, the right to read it, and whether it is a capture of one of the formats that are read.";

fn check(report: &Report, _: &Seen, notes: &mut Notes<'_>) {
    for (number, input) in report.captures.iter().enumerate() {
        let Some(problem) = &input.problem else { continue };
        let finding = notes.of_input(number, format!("{}: {problem}", input.name));
        if let Some(finding) = finding
            && input.format.is_empty()
        {
            finding.advice = Some(UNREAD.into());
        }
    }
}
