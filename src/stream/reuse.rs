//! Ports that are used again: whether a segment begins another connection between them.

use crate::packet::{Flags, Segment};

use super::connection::Reset;
use super::flow::Flow;
use super::flows::Dir;
use super::part::Seq;

/// Least time, in nanoseconds, after which data is taken to have been sent in spite of an RST.
const RESET_ROUND_TRIP: i64 = 100_000_000;

impl<T: Default> Flow<T> {
    /// Whether `segment` begins another connection between the same ports.
    #[inline(always)]
    pub fn superseded_by(&self, dir: Dir, segment: &Segment<'_>) -> bool {
        match segment.flags.has(Flags::SYN) {
            true => self.superseded_by_syn(dir, *segment),
            false => self.closed_at.is_some() && self.is_alive(dir, *segment),
        }
    }

    #[inline(never)]
    fn superseded_by_syn(&self, dir: Dir, segment: Segment<'_>) -> bool {
        let known = self.halves.of(dir).base();
        let other = known.is_some_and(|base| base != Seq(segment.seq).plus(1));
        match segment.flags.has(Flags::ACK) {
            false => other || (known.is_none() && self.begun(dir.other())),
            true => other && self.closed_at.is_some(),
        }
    }

    /// Whether data shows that an RST ended nothing: that of its own side, since it was another's, or that of the side
    /// that did not take it.
    #[inline(never)]
    fn is_alive(&self, dir: Dir, segment: Segment<'_>) -> bool {
        let Some(reset) = self.subject.connection.reset else { return false };
        let half = self.halves.of(dir);
        let offset = half.offset(Seq(segment.seq));
        segment.wire_len > 0
            && !segment.flags.has(Flags::RST)
            && offset.is_some_and(|offset| offset >= half.next() as i64)
            && (reset.side == self.subject.side(dir) || self.was_not_taken(reset, dir, segment))
    }

    /// Whether the next data of `dir`, which had nothing under way, comes later than RST of the other side can have got
    /// there. Out of sequence, that is no more than asked about (RFC 5961 3.2).
    fn was_not_taken(&self, reset: Reset, dir: Dir, segment: Segment<'_>) -> bool {
        let half = self.halves.of(dir);
        !reset.seq_fits
            && half.acked >= half.next()
            && half.offset(Seq(segment.seq)) == i64::try_from(half.next()).ok()
            && segment.at.time.since(reset.time) > self.round_trip(dir).max(RESET_ROUND_TRIP)
    }

    fn begun(&self, dir: Dir) -> bool {
        self.closed_at.is_some() || self.halves.of(dir).next() > 0
    }
}
