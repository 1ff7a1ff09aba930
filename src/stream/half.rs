//! One direction of a connection: order, overlap, loss.

mod offset;

use crate::at::{At, Timestamp};

use super::ahead::{Ahead, Budget};
use super::part::{Part, Seq};
use super::recent::Recent;

/// Segments for which a frame stored late may still fill an acknowledged hole, where others sent after it were
/// captured.
const SLACK_SEGMENTS: u8 = 8;
/// Nanoseconds that it has in any case, however fast segments follow each other: the queues of a network card are read
/// one after the other, up to about a millisecond apart.
const LEAST_NANOS: i64 = 1_500_000;
/// Nanoseconds for it, however few segments follow.
const SLACK_NANOS: i64 = 200_000_000;
/// Nanoseconds for which the tap of a whole direction may be behind that of the other one.
const SKEW_NANOS: i64 = 30_000_000_000;

/// Segments in a row outside any window after which a direction is believed to have moved on.
const ASTRAY: u8 = 8;

/// What a direction yields, not yet knowing whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Output<'a> {
    Data {
        at: At,
        offset: u64,
        acked: u64,
        bytes: &'a [u8],
    },
    /// `cut` tells bytes that the snap length cut from bytes that no frame has.
    Gap {
        at: At,
        offset: u64,
        len: u64,
        cut: bool,
        /// The frame that acknowledged it, where one did.
        acked_at: At,
    },
}

/// What is known about a segment's bytes before they are delivered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Overlap {
    /// Bytes that were there before.
    pub repeated: u64,
    /// Whether any of them differ from the first copy.
    pub differs: bool,
}

/// A hole that the receiver has acknowledged.
#[derive(Clone, Copy, Debug)]
struct Hole {
    upto: u64,
    since: At,
    /// Segments since then that show that others sent after its bytes were captured.
    segments: u8,
}

/// One direction: its next offset, and what arrived ahead of it.
#[derive(Debug, Default)]
pub(super) struct Half {
    base: Option<Seq>,
    /// Where the other side stood when it spoke, before anything of this direction was seen.
    expected: Option<Seq>,
    next: u64,
    ahead: Ahead,
    recent: Recent,
    hole: Option<Hole>,
    /// The last bytes that were no longer waited for, as far as they did not come since.
    given_up: Option<(u64, u64)>,
    astray: u8,
    /// The start is only where the first segment was, and nothing was delivered.
    pub guessed: bool,
    /// FIN came before anything else: earlier bytes may have been stored late.
    doubtful: bool,
    /// Highest offset that the other side has acknowledged.
    pub acked: u64,
    /// Where FIN ends the direction, once seen.
    pub fin: Option<(u64, At)>,
    /// Whether the other side has acknowledged FIN.
    pub fin_acked: bool,
    /// Whether the end was delivered.
    pub ended: bool,
}

impl Half {
    /// Offset of the next byte to deliver.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// One past the highest offset seen.
    #[inline(always)]
    pub fn highest(&self) -> u64 {
        if self.ahead.is_empty() { self.next } else { self.ahead.end() }
    }

    /// Compares `part` with what came before it.
    pub fn overlap(&self, part: Part<'_>) -> Overlap {
        let old = part.within(part.offset, self.next);
        let mut overlap =
            Overlap { repeated: old.len, differs: self.recent.differs(old.offset, old.bytes) };
        for first in self.ahead.sharing(part) {
            let ours = part.within(first.offset, first.end());
            let theirs = first.within(part.offset, part.end());
            overlap.repeated += ours.len;
            overlap.differs |= ours.bytes.iter().zip(theirs.bytes).any(|(a, b)| a != b);
        }
        overlap
    }

    /// How many of the bytes at `offset` were no longer waited for; each counts once.
    #[inline(always)]
    pub fn late(&mut self, offset: i64, len: u32) -> u64 {
        let Some((from, to)) = self.given_up else { return 0 };
        let within = |offset: i64| u64::try_from(offset).unwrap_or(0).clamp(from, to);
        let (start, end) = (within(offset), within(offset.saturating_add(i64::from(len))));
        if end > start {
            self.given_up = (end < to).then_some((end, to));
        }
        end.saturating_sub(start)
    }

    /// How long bytes at `offset` came after later ones, in nanoseconds; `None` where nothing later is held.
    pub fn lateness(&self, offset: u64, now: Timestamp) -> Option<i64> {
        Some(now.since(self.ahead.from(offset)?.at.time))
    }

    /// A segment at `seq` is outside any window; several in a row mean that the capture paused for long.
    pub fn stray(
        &mut self,
        at: At,
        seq: Seq,
        budget: &mut Budget,
        out: &mut impl FnMut(Output<'_>),
    ) {
        self.astray += 1;
        let Some(base) = self.base.filter(|_| self.astray >= ASTRAY) else { return };
        self.astray = 0;
        self.flush(at, budget, out);
        // What was lost is known up to multiples of 4 GiB.
        let ahead = seq.0.wrapping_sub(base.plus(self.next).0);
        self.gap(at, self.next + u64::from(ahead), false, out);
    }

    /// Delivers `part` and what it releases, or holds it.
    pub fn push(&mut self, part: Part<'_>, budget: &mut Budget, out: &mut impl FnMut(Output<'_>)) {
        self.astray = 0;
        let (part, before) = (part.within(self.next, u64::MAX), self.next);
        if part.len == 0 {
            return;
        }
        if part.offset > self.next && !self.ahead.hold(part, budget) {
            self.make_room(part, budget, out);
        }
        if part.offset <= self.next {
            self.deliver(part, budget, out);
        }
        if self.next > before {
            self.fill_hole(part.at);
        }
    }

    /// Whether `part` is the next, with nothing held behind it.
    #[inline(always)]
    pub fn is_next(&self, part: &Part<'_>) -> bool {
        part.offset == self.next && self.ahead.is_empty()
    }

    /// As [`push`](Self::push) for a whole part that is the next, with its `first` bytes: it is left to the caller to
    /// deliver it. What is bulk is not touched.
    #[inline(always)]
    pub fn pass(&mut self, part: &Part<'_>, first: Option<[u8; 4]>) {
        self.astray = 0;
        self.recent.push(self.next, part.bytes, first);
        self.next += part.len;
        self.fill_hole(part.at);
    }

    /// The beginning of a hole was filled: what is left of it has not been waited for yet.
    #[inline(always)]
    fn fill_hole(&mut self, at: At) {
        if let Some(hole) = self.hole {
            let left = hole.upto > self.next;
            self.hole = left.then_some(Hole { since: at, segments: 0, ..hole });
        }
    }

    /// Takes note that the other side has everything before `offset`.
    #[inline(always)]
    pub fn acknowledge(&mut self, offset: u64, at: At) {
        self.acked = self.acked.max(offset);
        if self.hole.is_none() && self.acked > self.next {
            self.hole = Some(Hole { upto: self.acked, since: at, segments: 0 });
        }
    }

    /// Whether [`tick`](Self::tick) and [`complete`](Self::complete) have nothing to tell.
    pub const fn is_settled(&self) -> bool {
        self.hole.is_none() && self.fin.is_none()
    }

    /// A segment of the connection went by; `seq` where it is of this direction. Gives up an acknowledged hole that was
    /// not filled in time.
    pub fn tick(
        &mut self,
        at: At,
        seq: Option<Seq>,
        budget: &mut Budget,
        out: &mut impl FnMut(Output<'_>),
    ) {
        let offset = seq.and_then(|seq| self.offset(seq));
        let reached =
            self.ahead.end().max(offset.and_then(|it| u64::try_from(it).ok()).unwrap_or(0));
        let passed = reached > self.next;
        if self.lacks_fin_alone() {
            return;
        }
        let Some(hole) = &mut self.hole else { return };
        hole.segments = hole.segments.saturating_add(u8::from(passed));
        let slack = match passed {
            _ if hole.segments > SLACK_SEGMENTS => LEAST_NANOS,
            true => SLACK_NANOS,
            false => SKEW_NANOS,
        };
        if at.time.since(hole.since.time) >= slack {
            // Of a direction whose tap is late, what was acknowledged long since is still to come.
            let upto = if passed { hole.upto.min(reached) } else { hole.upto };
            self.give_up(at, upto, budget, out);
            self.hole = None;
            self.acknowledge(0, at);
        }
    }

    /// Delivers everything known to have been sent, whether or not the capture has it.
    pub fn flush(&mut self, at: At, budget: &mut Budget, out: &mut impl FnMut(Output<'_>)) {
        let end = self.highest().max(self.acked).max(self.fin.map_or(0, |(end, _)| end));
        self.give_up(at, end, budget, out);
        (self.hole, self.doubtful) = (None, false);
    }

    /// Whether the other side acknowledged one number behind all bytes, which may be that of FIN (RFC 9293 3.4).
    fn lacks_fin_alone(&self) -> bool {
        self.fin.is_none() && self.acked == self.next + 1 && self.ahead.is_empty()
    }

    /// Nothing comes any more: a number [alone at the end](Self::lacks_fin_alone) was that of FIN. Returns what
    /// acknowledged it.
    pub fn conclude(&mut self) -> Option<At> {
        let hole = self.hole.filter(|_| self.lacks_fin_alone())?;
        self.finish(self.next, hole.since);
        Some(hole.since)
    }

    /// FIN is at `end`; returns what had acknowledged it before, as frames are stored. What comes behind that may be
    /// stored later still.
    #[inline(never)]
    pub fn finish(&mut self, end: u64, at: At) -> Option<At> {
        let by = self.hole.filter(|hole| hole.upto > end).map_or(at, |hole| hole.since);
        let acked = (self.acked > end).then_some(by);
        self.fin = Some((end, at));
        self.acked = self.acked.min(end);
        self.hole = self.hole.map(|hole| Hole { upto: hole.upto.min(end), ..hole });
        self.hole = self.hole.filter(|hole| hole.upto > self.next);
        acked
    }

    /// Whether everything before FIN was delivered.
    pub fn complete(&self) -> bool {
        !self.doubtful && self.fin.is_some_and(|(end, _)| self.next >= end)
    }

    /// Drops what is held.
    pub fn clear(&mut self, budget: &mut Budget) {
        self.ahead.clear(budget);
        self.hole = None;
        self.recent = Recent::default();
    }

    /// Moves on without delivering.
    pub fn skip_to(&mut self, offset: u64) {
        self.next = self.next.max(offset);
    }

    /// Bytes before `upto` will not come.
    fn give_up(
        &mut self,
        at: At,
        upto: u64,
        budget: &mut Budget,
        out: &mut impl FnMut(Output<'_>),
    ) {
        while self.next < upto {
            let end = self.ahead.first().map_or(upto, |held| held.min(upto));
            self.gap(at, end, false, out);
            self.release(budget, out);
        }
    }

    fn gap(&mut self, at: At, end: u64, cut: bool, out: &mut impl FnMut(Output<'_>)) {
        if end > self.next {
            let acked_at = self.hole.map_or(at, |hole| hole.since);
            out(Output::Gap { at, offset: self.next, len: end - self.next, cut, acked_at });
            if !cut {
                self.given_up = Some((self.next, end));
            }
            self.next = end;
            self.recent.jump(end);
        }
    }

    /// Gives up holes until `part` fits: it is then held, or next to be delivered.
    fn make_room(&mut self, part: Part<'_>, budget: &mut Budget, out: &mut impl FnMut(Output<'_>)) {
        loop {
            let end = self.ahead.first().map_or(part.offset, |held| held.min(part.offset));
            budget.given_up = budget.given_up.saturating_add(end.saturating_sub(self.next));
            self.gap(part.at, end, false, out);
            self.release(budget, out);
            if part.offset <= self.next || self.ahead.hold(part, budget) {
                return;
            }
        }
    }

    /// Delivers `part`, which begins at or before the next offset, around what is held.
    fn deliver(&mut self, part: Part<'_>, budget: &mut Budget, out: &mut impl FnMut(Output<'_>)) {
        while self.next < part.end() {
            let end = self.ahead.first().map_or(part.end(), |held| held.min(part.end()));
            self.emit(part.within(self.next, end), out);
            self.release(budget, out);
        }
    }

    /// Delivers what is held at the next offset.
    fn release(&mut self, budget: &mut Budget, out: &mut impl FnMut(Output<'_>)) {
        while let Some((offset, held)) = self.ahead.take(self.next, budget) {
            self.emit(held.part(offset), out);
        }
    }

    fn emit(&mut self, part: Part<'_>, out: &mut impl FnMut(Output<'_>)) {
        if !part.bytes.is_empty() {
            self.recent.push(self.next, part.bytes, part.bytes.first_chunk().copied());
            self.next += part.bytes.len() as u64;
            let Part { at, offset, acked, bytes, .. } = part;
            out(Output::Data { at, offset, acked, bytes });
        }
        // The snap length cut the rest.
        self.gap(part.at, part.end(), true, out);
    }
}
