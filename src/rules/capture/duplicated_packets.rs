//! The rule `duplicated-packets`.

use crate::at::Span;
use crate::model::Report;
use crate::rules::{Notes, Seen};

rule! {
    /// Frames are in the capture twice.
    ///
    /// A mirror of several ports, a capture on several interfaces, or two captures put together show a packet at more than
    /// one place; more rarely, the network itself doubles packets. The copies were left out of every count.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// ! mirrored
    /// < 200
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// ! again
    /// < 200
    /// ```
    ///
    /// Answerable: the capture, or the network
    /// Advice: Mirror one port or one direction only, or take copies out (`editcap -d`). Where only one place was captured, look for a loop, or for links used twice.
    /// Confirm: A receiver that gets a segment twice says so (D-SACK, RFC 2883): then the network doubles it.
    Note, belief 0, needs Anything, Capture
}

fn check(report: &Report, _: &Seen, notes: &mut Notes<'_>) {
    let count = report.quality.duplicate_frames;
    if count > 0 {
        let frames = if count == 1 { "frame is a copy" } else { "frames are copies" };
        notes.add(Span::default(), format!("{count} {frames} of one that was captured before"));
    }
}
