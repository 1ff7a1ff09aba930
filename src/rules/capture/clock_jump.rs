//! The rule `clock-jump`.

use crate::at::Span;
use crate::model::Report;
use crate::rules::{Notes, Seen, wording};

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
    /// Answerable: the capture
    /// Advice: Sort the file by time (`reordercap`) if it was joined from several; keep the clock of the capturing host in step.
    Note, belief 0, needs Anything, Capture
}

fn check(report: &Report, _: &Seen, notes: &mut Notes<'_>) {
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
