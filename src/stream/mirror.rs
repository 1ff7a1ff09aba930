//! Frames that a mirror port delivered twice.

use crate::at::Timestamp;
use crate::packet::{Flags, Segment};

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

impl Mark {
    #[inline(always)]
    const fn of(segment: &Segment<'_>) -> Self {
        Self {
            seq: segment.seq,
            ack: segment.ack,
            wire_len: segment.wire_len,
            ip_id: segment.ip_id,
            window: segment.window,
            flags: segment.flags.0,
        }
    }
}

/// Differs for nearly all marks that differ.
#[inline(always)]
const fn print(segment: &Segment<'_>) -> u32 {
    segment.seq.wrapping_add(segment.ack.rotate_left(16))
}

/// The last segments of a direction.
#[derive(Debug, Default)]
pub(super) struct Mirror {
    prints: [u32; DEPTH],
    marks: [Option<(Mark, Timestamp)>; DEPTH],
    turn: usize,
}

impl Mirror {
    /// Whether one of the last segments, at `since` or later, acknowledges what comes before `seq`.
    pub fn acknowledged(&self, seq: u32, since: Timestamp) -> bool {
        self.marks.iter().flatten().any(|(mark, time)| {
            let flags = Flags(mark.flags);
            mark.ack == seq && flags.has(Flags::ACK) && !flags.has(Flags::RST) && *time >= since
        })
    }

    /// Whether `segment` is a copy of one of the last; if not, it is remembered.
    #[inline(always)]
    pub fn repeats(&mut self, segment: &Segment<'_>) -> bool {
        let (now, print) = (segment.at.time, print(segment));
        // Without an identification, equal acknowledgements are what three lost segments cause.
        let telling = segment.wire_len > 0 || segment.ip_id.is_some_and(|id| id != 0);
        if telling && self.prints.contains(&print) && self.holds(segment) {
            return true;
        }
        let turn = self.turn % DEPTH;
        if let (Some(slot), Some(place)) = (self.marks.get_mut(turn), self.prints.get_mut(turn)) {
            (*slot, *place) = (Some((Mark::of(segment), now)), print);
        }
        self.turn = (self.turn + 1) % DEPTH;
        false
    }

    #[inline(never)]
    fn holds(&self, segment: &Segment<'_>) -> bool {
        let (mark, now) = (Mark::of(segment), segment.at.time);
        let same =
            |(old, time): &(Mark, Timestamp)| *old == mark && now.since(*time).abs() <= APART;
        self.marks.iter().flatten().any(same)
    }
}
