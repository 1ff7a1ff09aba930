//! What the rules say, at the line that it belongs to.

use super::layout::Line;
use crate::export::style::{Style, Tone};
use crate::rules::{Finding, Severity};

/// Puts each finding behind the last line that shows one of its frames, or behind all of them; hints for hunters are left
/// to the list of findings.
pub(super) fn add(lines: &mut Vec<Line>, findings: &[Finding], style: &Style) {
    let place = |finding: &Finding| {
        let last = lines.iter().rposition(|line| line.has_any(&finding.frames));
        last.map_or(lines.len(), |last| last + 1)
    };
    let mut placed: Vec<(usize, &Finding)> = findings
        .iter()
        .filter(|finding| !finding.is_hint())
        .map(|finding| (place(finding), finding))
        .collect();
    placed.sort_by_key(|(place, _)| *place);
    for (place, finding) in placed.into_iter().rev() {
        let (sign, words) = words(finding, style);
        lines.insert(place, Line::Finding { sign, words, tone: Tone::of(finding.severity) });
    }
}

/// A finding in one line, and the sign before it.
pub(super) fn words(finding: &Finding, style: &Style) -> (&'static str, String) {
    let sign = if finding.severity == Severity::Note { style.signs().note } else { "!" };
    (sign, format!("{}: {}   {}", finding.severity.name(), finding.message, finding.rule))
}
