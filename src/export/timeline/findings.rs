//! What the rules say, at the line that it belongs to.

use super::layout::Line;
use crate::at::At;
use crate::export::style::{Style, Tone};
use crate::rules::finding::frames_in_words;
use crate::rules::{Finding, Severity};

/// Frames named that no line shows.
const FRAMES: usize = 4;

/// Puts each finding behind the last line that shows one of its frames, else where they passed; hints for hunters are
/// left to the list of findings.
pub(super) fn add(lines: &mut Vec<Line>, findings: &[Finding], style: &Style) {
    let mut placed: Vec<_> = findings
        .iter()
        .filter(|finding| !finding.is_hint())
        .map(|finding| (place(lines, finding), finding, words(finding, lines, style)))
        .collect();
    placed.sort_by_key(|(place, ..)| *place);
    for ((place, _), finding, (sign, words)) in placed.into_iter().rev() {
        lines.insert(place, Line::Finding { sign, words, tone: Tone::of(finding.severity) });
    }
}

/// Behind how many lines a finding belongs, and among those that belong there with no frame in a line, behind which
/// frame.
fn place(lines: &[Line], finding: &Finding) -> (usize, u64) {
    if let Some(line) = lines.iter().rposition(|line| line.has_any(&finding.frames)) {
        return (line + 1, 0);
    }
    let Some(last) = finding.frames.iter().max() else { return (lines.len(), 0) };
    // The wait in which they passed is told ahead of the message that ends it.
    let next = lines.iter().position(|line| line.begins_behind(*last));
    (next.unwrap_or(lines.len()), *last)
}

/// A finding in one line, with the frames that none of `lines` shows, and the sign before it.
pub(super) fn words(finding: &Finding, lines: &[Line], style: &Style) -> (&'static str, String) {
    let sign = if finding.severity == Severity::Note { style.signs().note } else { "!" };
    let hidden = |at: &&At| !lines.iter().any(|line| line.has_any(&[at.frame]));
    let hidden: Vec<&At> = finding.proof.iter().filter(hidden).take(FRAMES + 1).collect();
    let more = if hidden.len() > FRAMES { ", ..." } else { "" };
    let frames = frames_in_words(hidden.into_iter().take(FRAMES));
    let frames = frames.map_or_else(String::new, |frames| format!(" ({frames}{more})"));
    let (severity, message) = (finding.severity.name(), &finding.message);
    (sign, format!("{severity}: {message}{frames}   {}", finding.rule))
}
