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

/// What is left of a segment that was captured before the sender's network card cut it up, and again as its pieces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Pieces {
    seq: u32,
    left: u32,
    ip_id: u16,
}

/// The last segments of a direction.
#[derive(Debug, Default)]
pub(super) struct Mirror {
    prints: [u32; DEPTH],
    marks: [Option<(Mark, Timestamp)>; DEPTH],
    turn: usize,
    pieces: Pieces,
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
        if self.pieces.left > 0 && self.is_piece(segment) {
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
    fn holds(&mut self, segment: &Segment<'_>) -> bool {
        let (mark, now) = (Mark::of(segment), segment.at.time);
        let near = |(_, time): &&(Mark, Timestamp)| now.since(*time).abs() <= APART;
        let mut marks = self.marks.iter().flatten().filter(near);
        if marks.clone().any(|(old, _)| *old == mark) {
            return true;
        }
        let Some(ip_id) = mark.ip_id.filter(|id| *id != 0) else { return false };
        let longer = |(old, _): &&(Mark, Timestamp)| {
            old.seq == mark.seq && old.ip_id == mark.ip_id && old.wire_len > mark.wire_len
        };
        let Some((whole, _)) = marks.find(longer) else { return false };
        self.pieces = Pieces { seq: mark.seq, left: whole.wire_len, ip_id };
        self.is_piece(segment)
    }

    /// Whether `segment` is the next piece of a longer one: sent again, none would bear the identification of the first
    /// sending, and the pieces count on from that.
    fn is_piece(&mut self, segment: &Segment<'_>) -> bool {
        let Pieces { seq, left, ip_id } = self.pieces;
        let plain = segment.flags.0 & (Flags::SYN | Flags::FIN | Flags::RST) == 0;
        let fits = (1..=left).contains(&segment.wire_len);
        let next = plain && fits && segment.seq == seq && segment.ip_id == Some(ip_id);
        if next {
            let len = segment.wire_len;
            let seq = seq.wrapping_add(len);
            self.pieces = Pieces { seq, left: left - len, ip_id: ip_id.wrapping_add(1) };
        }
        next
    }
}
