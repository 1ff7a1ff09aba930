//! The rule `capture-gap`.

use crate::model::Report;
use crate::rules::{Confidence, Notes, Seen, Severity, left_out, wording};

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
    /// What stands in it much later than its place was not waited for, and is as good as lost.
    ///
    /// Frames that the capturing program counts as dropped, as pcapng files tell, are noted where none is missed, too: they
    /// may have been of connections that were not captured at all.
    ///
    /// Answerable: the capture
    /// Advice: Capture nearer to the host, with a larger buffer (`-B`), to a faster disk, or with a filter.
    /// Confirm: The drop counter of the capturing program.
    Warning, belief 0, needs Anything, Capture
}

fn check(report: &Report, seen: &Seen, notes: &mut Notes<'_>) {
    let lost = report.quality.lost_bytes;
    let dropped = dropped(report);
    if lost == 0 {
        if let Some((number, words)) = dropped {
            let finding = notes.note(Severity::Note, Confidence::Certain, &[], words);
            if let Some(finding) = finding {
                finding.input = Some(number);
            }
        }
        return;
    }
    let where_lost = match (seen.sessions, seen.lost) {
        (0, _) => String::new(),
        (_, 0) => ", none within uploads".to_owned(),
        (_, of_uploads) if of_uploads == lost => ", all within uploads".to_owned(),
        (_, of_uploads) => format!(", {of_uploads} of them within uploads"),
    };
    let span = seen.lost_in.unwrap_or_default();
    let (in_time, late) = match report.quality.late_bytes {
        0 => ("", String::new()),
        late if late == lost => (" in time", "; they stand later in the capture".to_owned()),
        late => (" in time", format!("; {late} of them stand later in the capture")),
    };
    let lost = wording::counted(lost, "byte");
    let dropped = dropped.map(|(_, words)| format!("; {words}")).unwrap_or_default();
    let message =
        format!("{lost} acknowledged but not captured{in_time}{where_lost}{late}{dropped}");
    left_out::note(report, span, message, notes);
}

/// The capture that tells of the most dropped frames, and what it tells.
fn dropped(report: &Report) -> Option<(u32, String)> {
    let inputs = (0..).zip(&report.captures).filter(|(_, input)| input.dropped_frames > 0);
    let (number, most) = inputs.max_by_key(|(_, input)| input.dropped_frames)?;
    let frames = wording::counted(most.dropped_frames, "dropped frame");
    Some((number, format!("the capturing program counts {frames} in {}", most.name)))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::capture::Input;
    use crate::limits::Limits;
    use crate::rules::{Judge, Severity};
    use crate::transcript;

    #[test]
    fn what_the_capturing_program_dropped_is_noted_alone_and_beside_a_gap() {
        let mut report = transcript::analyse(&[], &mut ());
        let input = |name: &str, dropped_frames| Input {
            name: name.to_owned(),
            dropped_frames,
            ..Input::default()
        };
        report.captures = vec![input("a", 0), input("b", 30)];
        let words = "the capturing program counts 30 dropped frames in b";
        for (lost, severity) in [(0, Severity::Note), (7, Severity::Warning)] {
            report.quality.lost_bytes = lost;
            Judge::new(vec![&RULE], &Limits::default()).capture(&mut report);
            let found = &report.findings[0];
            assert_eq!((report.findings.len(), found.severity), (1, severity));
            assert!(found.message.ends_with(words), "{}", found.message);
        }
    }
}
