//! Frames that a mirror port delivered twice.

use crate::at::Timestamp;
use crate::packet::Segment;

/// Nanoseconds within which the copy comes.
const APART: i64 = 1_000_000;
/// Segments compared with.
const DEPTH: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    seq: u32,
    ack: u32,
    wire_len: u32,
    ip_id: Option<u16>,
    window: u16,
    flags: u8,
}

/// The last segments of a direction.
#[derive(Debug, Default)]
pub(super) struct Mirror {
    marks: [Option<(Mark, Timestamp)>; DEPTH],
    turn: usize,
}

impl Mirror {
    /// Whether `segment` is a copy of one of the last; if not, it is remembered.
    pub fn repeats(&mut self, segment: &Segment<'_>) -> bool {
        let mark = Mark {
            seq: segment.seq,
            ack: segment.ack,
            wire_len: segment.wire_len,
            ip_id: segment.ip_id,
            window: segment.window,
            flags: segment.flags.0,
        };
        let now = segment.at.time;
        let same =
            |(old, time): &(Mark, Timestamp)| *old == mark && now.since(*time).abs() <= APART;
        // Without an identification, equal acknowledgements are what three lost segments cause.
        let telling = segment.wire_len > 0 || segment.ip_id.is_some_and(|id| id != 0);
        if telling && self.marks.iter().flatten().any(same) {
            return true;
        }
        if let Some(slot) = self.marks.get_mut(self.turn % DEPTH) {
            *slot = Some((mark, now));
        }
        self.turn = (self.turn + 1) % DEPTH;
        false
    }
}
