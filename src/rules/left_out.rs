//! What the capture seems to lack where a filter left frames out.

use crate::at::Span;
use crate::model::Report;
use crate::rules::{Confidence, Finding, Notes, Severity, wording};

/// Notes what the capture lacks. Where frames of it were not looked at, they may hold just that.
pub(super) fn note<'n>(
    report: &Report,
    sure: Confidence,
    span: Span,
    message: String,
    notes: &'n mut Notes<'_>,
) -> Option<&'n mut Finding> {
    let (_, left_out) = report.frames();
    if left_out == 0 {
        return notes.note(notes.severity(), sure, &[span], message);
    }
    let left_out = wording::counted(left_out, "frame");
    let message = format!("{message}, or among the {left_out} that the filter left out");
    let finding = notes.note(Severity::Note, Confidence::Possible, &[span], message);
    finding.map(|finding| {
        finding
            .turn_to("who chose the filter, else the capture")
            .advise("Use a filter that lets both directions pass, and every frame of a connection.")
            .confirm_by("Without the filter it is there, or still missing.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::Input;
    use crate::limits::Limits;
    use crate::rules::{ALL, Judge};
    use crate::transcript;

    #[test]
    fn what_is_missing_may_be_what_a_filter_left_out() {
        let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/10 lost\n< 200 received=10\n";
        let records = transcript::play(text).unwrap();
        let mut report = transcript::analyse(&records, &mut ());
        let judged = |report: &Report| {
            let gap = report.findings.iter().find(|found| found.rule == "capture-gap").unwrap();
            (gap.severity, gap.confidence)
        };
        assert_eq!(judged(&report), (Severity::Warning, Confidence::Certain));
        report.findings.clear();
        report.captures.push(Input { frames: 9, filtered_frames: 2, ..Input::default() });
        Judge::new(ALL.to_vec(), &Limits::default()).capture(&mut report);
        assert_eq!(judged(&report), (Severity::Note, Confidence::Possible));
    }
}
