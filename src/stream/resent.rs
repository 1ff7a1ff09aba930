//! What one side of a connection sent again, and what it is seen to have sent though it did not come by.

use crate::at::{At, Span};
use crate::rare::Absent;

use super::part::Part;

/// What is known of data that was sent again, or seen late; most sides have none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resent {
    /// Segments with bytes that were seen before, and these bytes, before the wait that goes on.
    pub(super) before_waits: (u32, u64),
    /// The longest time in which something was sent again.
    pub stall: Option<Stall>,
    /// The last segment, without data or with FIN, that shows by its number that bytes, or FIN, were sent before that had
    /// neither come by nor been acknowledged; the first of several in a row.
    pub beyond: Option<At>,
    /// Whether FIN did not come by: `fin` of the side is then what acknowledged it.
    pub fin_unseen: bool,
    /// Whether FIN was sent before that of the other side, which is stored ahead of it but acknowledges it.
    pub fin_first: bool,
    /// The first and the last segment that was sent again.
    pub again: Option<Span>,
    /// What acknowledged the first and the last bytes that the capture lacks.
    pub lost: Option<Span>,
    /// Segments of which the other side had acknowledged everything before they were sent again.
    pub needless: u32,
    /// The last of them.
    pub needless_last: Option<At>,
    /// The data before it, and before those right ahead of it.
    before_needless: Option<At>,
    /// Segments that filled one hole from its beginning to its end, each behind the one before, a round trip or more
    /// after what came behind the hole.
    pub filled: u32,
    /// Offset of the first of them, or of the first one that came sooner right ahead of them.
    pub filled_from: u64,
    /// How far.
    filled_to: u64,
}

impl Absent for Resent {
    fn none() -> &'static Self {
        static NONE: Resent = Resent {
            before_waits: (0, 0),
            stall: None,
            beyond: None,
            fin_unseen: false,
            fin_first: false,
            again: None,
            lost: None,
            needless: 0,
            needless_last: None,
            before_needless: None,
            filled: 0,
            filled_from: 0,
            filled_to: 0,
        };
        &NONE
    }
}

impl Resent {
    /// Takes a time in which `bytes` of a part were sent again, if it is the longest, or the part into that one.
    pub(super) fn lasts(&mut self, stall: Stall, part: &Part<'_>, bytes: u64) {
        match &mut self.stall {
            Some(longest) if longest.secs() >= stall.secs() => {
                if part.offset < longest.upto {
                    longest.segments += 1;
                    longest.bytes += bytes;
                }
            }
            longest => *longest = Some(stall),
        }
    }

    /// Takes a segment that was sent again.
    pub(super) fn repeated(&mut self, at: At) {
        self.again.get_or_insert(Span::at(at)).last = at;
    }

    /// Takes a segment that was sent again without need, behind the `last` data.
    pub(super) fn needs_none(&mut self, at: At, last: Option<At>) {
        self.before_needless = self.needed(last);
        self.needless_last = Some(at);
        self.needless += 1;
    }

    /// The `last` data, or what came before where that was sent again without need.
    pub(super) fn needed(&self, last: Option<At>) -> Option<At> {
        if last == self.needless_last { self.before_needless } else { last }
    }

    /// Takes what acknowledged bytes that the capture lacks.
    pub(super) fn lacks(&mut self, at: At) {
        self.lost.get_or_insert(Span::at(at)).extend(at);
    }

    /// A hole is filled, by a segment that may be behind another one that did; one that is `late` counts.
    pub(super) fn fill(&mut self, part: &Part<'_>, late: bool) {
        let goes_on = self.filled_to == part.offset;
        if self.filled == 0 && !goes_on {
            self.filled_from = part.offset;
        }
        if self.filled == 0 || goes_on {
            self.filled += u32::from(late);
            self.filled_to = part.end();
        }
    }
}

/// A time in which nothing was acknowledged of what was sent again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stall {
    /// From the last data before the first repeat to the last repeat.
    pub span: Span,
    /// Segments sent again in it, and afterwards of what had been sent by then.
    pub segments: u32,
    /// Bytes of these that were seen before.
    pub bytes: u64,
    /// How far the side had sent by then.
    pub upto: u64,
}

impl Stall {
    /// How long it was, in seconds.
    pub fn secs(&self) -> f64 {
        self.span.last.time.secs_since(self.span.first.time)
    }
}
