//! The rule `capture-gap`.

use crate::model::Report;
use crate::rules::{Notes, Seen, left_out, wording};

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
    /// Answerable: the capture
    /// Advice: Capture nearer to the host, with a larger buffer (`-B`), to a faster disk, or with a filter.
    /// Confirm: The drop counter of the capturing program.
    Warning, belief 0, needs Anything, Capture
}

fn check(report: &Report, seen: &Seen, notes: &mut Notes<'_>) {
    let lost = report.quality.lost_bytes;
    if lost == 0 {
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
    let message = format!("{lost} acknowledged but not captured{in_time}{where_lost}{late}");
    left_out::note(report, span, message, notes);
}
