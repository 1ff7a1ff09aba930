//! The rule `clock-jump`.

use crate::at::Span;
use crate::capture::Input;
use crate::model::Report;
use crate::rules::{Confidence, Notes, Seen, Severity, wording};

rule! {
    /// The clock of the capture went back.
    ///
    /// It was set while the capture ran, or files were joined out of order: times between the packets around such a
    /// step mean nothing.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// ... -30 s
    /// > FRAGMENT 0-9/10
    /// < 200
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// ... 30 d
    /// > FRAGMENT 0-9/10
    /// < 200
    /// ```
    ///
    /// Between two files of a ring it does not show, since frames of several captures are taken by their times. Captures
    /// that overlap and both have messages of a client's port, though no frame is in both, tell that it may have been so.
    ///
    /// Answerable: the capture
    /// Advice: Sort the file by time (`reordercap`) if it was joined from several; keep the clock of the capturing host in step.
    Note, belief 0, needs Anything, Capture
}

fn check(report: &Report, seen: &Seen, notes: &mut Notes<'_>) {
    overlap(report, seen, notes);
    let quality = &report.quality;
    if let (Some(first), Some(most)) = (quality.first_back, quality.most_back_seconds) {
        let times = match quality.times_back {
            1 => "once".to_owned(),
            times => format!("{times} times"),
        };
        notes.add(
            Span::at(first),
            format!("time goes back {times}, by up to {}", wording::lasting(most)),
        );
    }
}

/// Overlaps that are told, in seconds: clients and servers of NTP step beyond 0.128 s, and slew below that; capturing
/// programs write frames of several interfaces out of order by less.
const OVERLAP: f64 = 0.1;

fn overlap(report: &Report, seen: &Seen, notes: &mut Notes<'_>) {
    // At two places that are captured, frames of one connection are seen at both.
    if report.quality.duplicate_frames > 0 {
        return;
    }
    let told = seen.inputs_of_ends().into_iter().find_map(|numbers| {
        let input = |number: &u32| report.captures.get(number.checked_sub(1)? as usize);
        let mut inputs: Vec<&Input> = numbers.iter().filter_map(input).collect();
        inputs.sort_by_key(|input| input.first);
        inputs.windows(2).find_map(|pair| match pair {
            [one, other] => Some((*one, *other, overlap_of(one, other)?)),
            _ => None,
        })
    });
    let Some((one, other, secs)) = told else { return };
    let message = format!(
        "{} and {} overlap by {}, and both have messages of one client and one server, but none twice",
        one.name,
        other.name,
        wording::lasting(secs)
    );
    let finding = notes.note(Severity::Note, Confidence::Possible, &[], message);
    if let Some(finding) = finding {
        finding.advise(
            "If they are files of one capture, its clock was set back between them: read them with `--append`, in the order in which they were written.",
        );
    }
}

/// For how long both went on, where that is more than a queue may do to their ends.
fn overlap_of(one: &Input, other: &Input) -> Option<f64> {
    let (first, last) = (one.first?, one.last?);
    let (other_first, other_last) = (other.first?, other.last?);
    let lasts = last.min(other_last).secs_since(first.max(other_first));
    let nested =
        first < other_first && other_last < last || other_first < first && last < other_last;
    (nested || lasts >= OVERLAP).then_some(lasts)
}
