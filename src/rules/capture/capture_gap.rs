//! The rule `capture-gap`.

use crate::at::Span;
use crate::model::Report;
use crate::rules::uncaptured::Uncaptured;
use crate::rules::{Confidence, Finding, Notes, Seen, Severity, left_out, wording};

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
    /// What stands in it much later than its place was not waited for, and is as good as lost. What a whole file of several
    /// held may leave no hole in any connection: bytes that the server confirmed tell of it then.
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
    lost(report, seen, notes);
    if let Some(Uncaptured { bytes, span, confidence }) = seen.uncaptured {
        let bytes = wording::counted(bytes, "byte");
        let message = format!("{bytes} of uploads were confirmed by the server but not captured");
        let finding = left_out::note(report, confidence, span, message, notes);
        let finding = finding.filter(|finding| finding.severity > Severity::Note);
        blame_end(report, span, finding.map(|finding| finding.advise(OF_FILES)));
    }
}

/// What to do where no connection tells of the hole.
const OF_FILES: &str = "See whether a file of the capture was left out; else capture nearer to the host, with a larger buffer (`-B`), to a faster disk, or with a filter.";

/// What connections tell to be missing.
fn lost(report: &Report, seen: &Seen, notes: &mut Notes<'_>) {
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
    let finding = left_out::note(report, Confidence::Certain, span, message, notes);
    blame_end(report, span, finding.filter(|finding| finding.severity > Severity::Note));
}

/// Says where a file of several was not read to its end right before the hole: the rest of it may be what is missing.
fn blame_end(report: &Report, span: Span, finding: Option<&mut Finding>) {
    let before = report.captures.iter().filter_map(|input| Some((input.last?, input)));
    let last = before.filter(|(end, _)| *end <= span.first.time).max_by_key(|(end, _)| *end);
    let cut = last.filter(|(_, input)| input.problem.is_some() && report.captures.len() > 1);
    if let (Some((_, input)), Some(finding)) = (cut, finding) {
        finding.message.push_str(&format!("; {} ends early right before that", input.name));
        finding.advise(OF_END);
    }
}

/// What to do where a file was not read to its end.
const OF_END: &str = "Copy the file that ends early again, or take the capture again.";

/// The capture that tells of the most dropped frames, and what it tells.
fn dropped(report: &Report) -> Option<(u32, String)> {
    let inputs = (0..).zip(&report.captures).filter(|(_, input)| input.dropped_frames > 0);
    let (number, most) = inputs.max_by_key(|(_, input)| input.dropped_frames)?;
    let frames = wording::counted(most.dropped_frames, "dropped frame");
    Some((number, format!("the capturing program counts {frames} in {}", most.name)))
}

#[cfg(test)]
mod tests {
    use super::{OF_END, RULE};
    use crate::capture::Input;
    use crate::limits::Limits;
    use crate::rules::{Judge, Severity};
    use crate::{Analysis, Options, transcript};

    #[test]
    fn a_file_that_ends_early_right_before_it_is_named() {
        let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/10 lost\n< 200 received=10\n";
        let records = transcript::play(text).unwrap();
        let said = |problem: Option<&str>| {
            let mut analysis = Analysis::new(Options::default());
            records.iter().for_each(|record| analysis.push(&record.frame(), &mut ()));
            let first = Input {
                name: "a.pcap".to_owned(),
                last: records.get(3).map(|record| record.at.time),
                problem: problem.map(str::to_owned),
                ..Input::default()
            };
            let last = records.last().map(|record| record.at.time);
            let second = Input { name: "b.pcap".to_owned(), last, ..Input::default() };
            let findings = analysis.finish(vec![first, second], &mut ()).findings;
            let gap = findings.into_iter().find(|finding| finding.rule == "capture-gap").unwrap();
            (gap.message, gap.advice)
        };
        let (message, advice) = said(Some("cut off within frame 5"));
        assert!(message.ends_with("; a.pcap ends early right before that"), "{message}");
        assert_eq!(advice.as_deref(), Some(OF_END));
        assert!(!said(None).0.contains("a.pcap"));
    }

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
