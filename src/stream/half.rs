//! One direction of a connection: order, overlap, loss.

use std::collections::BTreeMap;

use crate::at::{At, Timestamp};

use super::part::{Held, Part, Seq};
use super::recent::Recent;

/// What a held segment costs beyond its bytes.
const OVERHEAD: usize = 96;
/// Largest window there can be (RFC 7323 2.3): nothing belongs further ahead.
const WINDOW: u64 = 1 << 30;
/// Segments of the connection for which an acknowledged hole may still be filled by a frame stored late.
const SLACK_SEGMENTS: u8 = 8;
/// Nanoseconds for the same.
const SLACK_NANOS: i64 = 200_000_000;

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

/// Bytes that may be held.
#[derive(Debug)]
pub(super) struct Budget {
    pub per_side: usize,
    pub in_all: usize,
    pub held: usize,
    /// Bytes no longer waited for, since too much was held behind them.
    pub given_up: u64,
}

/// A hole that the receiver has acknowledged.
#[derive(Clone, Copy, Debug)]
struct Hole {
    upto: u64,
    since: Timestamp,
    segments: u8,
}

/// One direction: its next offset, and what arrived ahead of it.
#[derive(Debug, Default)]
pub(super) struct Half {
    base: Option<Seq>,
    /// Where the other side stood when it spoke, before anything of this direction was seen.
    expected: Option<Seq>,
    next: u64,
    held: BTreeMap<u64, Held>,
    held_bytes: usize,
    recent: Recent,
    hole: Option<Hole>,
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
    /// Sets the sequence number of offset 0, unless it is known.
    pub fn begin(&mut self, seq: Seq) {
        self.base.get_or_insert(seq);
    }

    /// The other side spoke, having everything before `seq`.
    #[inline(always)]
    pub fn expect(&mut self, seq: Seq) {
        if self.base.is_none() {
            self.expected.get_or_insert(seq);
        }
    }

    /// Begins a direction whose SYN was not seen: with its first segment, or with what must have come before it and after
    /// the other side had spoken.
    pub fn begin_late(&mut self, first: Seq) {
        let begins = |expected: &Seq| (1..=WINDOW as i64).contains(&first.since(*expected));
        let expected = self.expected.filter(begins);
        self.guessed = expected.is_none();
        self.begin(expected.unwrap_or(first));
    }

    /// FIN alone is all there is so far of a direction whose start was not seen.
    pub fn doubt(&mut self) {
        self.doubtful |= self.guessed && self.next == 0 && self.held.is_empty();
        self.guessed = false;
    }

    /// Begins at `seq` instead, where that is earlier and FIN alone was seen.
    #[inline(always)]
    pub fn move_back(&mut self, seq: Seq) {
        self.guessed = false;
        if self.doubtful {
            self.begin_before(seq);
        }
    }

    #[inline(never)]
    fn begin_before(&mut self, seq: Seq) {
        self.doubtful = false;
        let behind = self.base.map_or(0, |base| base.since(seq));
        let Ok(behind) = u64::try_from(behind) else { return };
        self.base = Some(seq);
        self.acked = self.acked.saturating_add(behind);
        self.fin = self.fin.map(|(end, at)| (end.saturating_add(behind), at));
    }

    pub fn base(&self) -> Option<Seq> {
        self.base
    }

    /// Offset of the next byte to deliver.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// One past the highest offset seen.
    #[inline(always)]
    pub fn highest(&self) -> u64 {
        if self.held.is_empty() { self.next } else { self.highest_held() }
    }

    fn highest_held(&self) -> u64 {
        let last = self.held.last_key_value();
        last.map_or(self.next, |(offset, held)| offset.saturating_add(held.len))
    }

    /// The offset of `seq` near the present, negative before the start; `None` without a start or out of any window.
    #[inline(always)]
    pub fn offset(&self, seq: Seq) -> Option<i64> {
        let distance = seq.since(self.base?.plus(self.next));
        let offset = i64::try_from(self.next).ok()?.checked_add(distance)?;
        if (-(WINDOW as i64)..=WINDOW as i64).contains(&distance) {
            return Some(offset);
        }
        self.far_offset(offset, distance)
    }

    fn far_offset(&self, offset: i64, distance: i64) -> Option<i64> {
        let limit = self.highest().max(self.acked).saturating_add(WINDOW);
        let near = u64::try_from(offset).is_ok_and(|offset| offset <= limit);
        (near && distance > 0).then_some(offset)
    }

    /// Compares `part` with what came before it.
    pub fn overlap(&self, part: Part<'_>) -> Overlap {
        let old = part.within(part.offset, self.next);
        let mut overlap =
            Overlap { repeated: old.len, differs: self.recent.differs(old.offset, old.bytes) };
        for (&offset, held) in self.held.range(..part.end()).rev() {
            let first = held.part(offset);
            if first.end() <= part.offset {
                break;
            }
            let (ours, theirs) =
                (part.within(offset, first.end()), first.within(part.offset, part.end()));
            overlap.repeated += ours.len;
            overlap.differs |= ours.bytes.iter().zip(theirs.bytes).any(|(a, b)| a != b);
        }
        overlap
    }

    /// How long bytes at `offset` came after later ones, in nanoseconds; `None` where nothing later is held.
    pub fn lateness(&self, offset: u64, now: Timestamp) -> Option<i64> {
        let (_, later) = self.held.range(offset..).next()?;
        Some(now.since(later.at.time))
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
        let part = part.within(self.next, u64::MAX);
        if part.len == 0 {
            return;
        }
        if part.offset > self.next && !self.hold(part, budget) {
            self.make_room(part, budget, out);
        }
        if part.offset <= self.next {
            self.deliver(part, budget, out);
        }
        self.fill_hole();
    }

    /// Whether `part` is the next, with nothing held behind it.
    #[inline(always)]
    pub fn is_next(&self, part: &Part<'_>) -> bool {
        part.offset == self.next && self.held.is_empty()
    }

    /// As [`push`](Self::push) for a whole part that is the next: it is left to the caller to deliver it.
    #[inline(always)]
    pub fn pass(&mut self, part: &Part<'_>) {
        self.astray = 0;
        self.recent.push(self.next, part.bytes);
        self.next += part.len;
        self.fill_hole();
    }

    #[inline(always)]
    fn fill_hole(&mut self) {
        if self.hole.is_some_and(|hole| hole.upto <= self.next) {
            self.hole = None;
        }
    }

    /// Takes note that the other side has everything before `offset`.
    #[inline(always)]
    pub fn acknowledge(&mut self, offset: u64, now: Timestamp) {
        self.acked = self.acked.max(offset);
        if self.hole.is_none() && self.acked > self.next {
            self.hole = Some(Hole { upto: self.acked, since: now, segments: 0 });
        }
    }

    /// Whether [`tick`](Self::tick) and [`complete`](Self::complete) have nothing to tell.
    pub const fn is_settled(&self) -> bool {
        self.hole.is_none() && self.fin.is_none()
    }

    /// Counts a segment of the connection; an acknowledged hole that was not filled in time is given up.
    pub fn tick(&mut self, at: At, budget: &mut Budget, out: &mut impl FnMut(Output<'_>)) {
        let Some(hole) = &mut self.hole else { return };
        hole.segments += 1;
        let (upto, late) = (hole.upto, at.time.since(hole.since) >= SLACK_NANOS);
        if late || hole.segments > SLACK_SEGMENTS {
            self.give_up(at, upto, budget, out);
            self.hole = None;
            self.acknowledge(0, at.time);
        }
    }

    /// Delivers everything known to have been sent, whether or not the capture has it.
    pub fn flush(&mut self, at: At, budget: &mut Budget, out: &mut impl FnMut(Output<'_>)) {
        let end = self.highest().max(self.acked);
        self.give_up(at, end, budget, out);
        (self.hole, self.doubtful) = (None, false);
    }

    /// Whether everything before FIN was delivered.
    pub fn complete(&self) -> bool {
        !self.doubtful && self.fin.is_some_and(|(end, _)| self.next >= end)
    }

    /// Drops what is held.
    pub fn clear(&mut self, budget: &mut Budget) {
        budget.held = budget.held.saturating_sub(self.held_bytes);
        (self.held_bytes, self.hole) = (0, None);
        self.held.clear();
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
            let end = self.first_held().map_or(upto, |held| held.min(upto));
            self.gap(at, end, false, out);
            self.release(budget, out);
        }
    }

    fn first_held(&self) -> Option<u64> {
        self.held.first_key_value().map(|(&offset, _)| offset)
    }

    fn gap(&mut self, at: At, end: u64, cut: bool, out: &mut impl FnMut(Output<'_>)) {
        if end > self.next {
            out(Output::Gap { at, offset: self.next, len: end - self.next, cut });
            self.next = end;
            self.recent.jump(end);
        }
    }

    /// Gives up holes until `part` fits: it is then held, or next to be delivered.
    fn make_room(&mut self, part: Part<'_>, budget: &mut Budget, out: &mut impl FnMut(Output<'_>)) {
        loop {
            let end = self.first_held().map_or(part.offset, |held| held.min(part.offset));
            budget.given_up = budget.given_up.saturating_add(end.saturating_sub(self.next));
            self.gap(part.at, end, false, out);
            self.release(budget, out);
            if part.offset <= self.next || self.hold(part, budget) {
                return;
            }
        }
    }

    /// Holds what `part` adds, unless that breaks a cap.
    fn hold(&mut self, part: Part<'_>, budget: &mut Budget) -> bool {
        let cost = part.bytes.len() + OVERHEAD;
        if self.held_bytes + cost > budget.per_side || budget.held + cost > budget.in_all {
            return false;
        }
        let mut from = part.offset;
        while from < part.end() {
            let (to, resume) = self.free(from, part.end());
            if to > from {
                self.insert(part.within(from, to), budget);
            }
            from = resume;
        }
        true
    }

    /// The end of the free space at `from`, and where the piece that ends it ends.
    fn free(&self, from: u64, end: u64) -> (u64, u64) {
        let before = self.held.range(..=from).next_back();
        if let Some((&offset, held)) = before
            && offset.saturating_add(held.len) > from
        {
            return (from, offset.saturating_add(held.len));
        }
        match self.held.range(from..end).next() {
            Some((&offset, held)) => (offset, offset.saturating_add(held.len)),
            None => (end, end),
        }
    }

    fn insert(&mut self, part: Part<'_>, budget: &mut Budget) {
        let cost = part.bytes.len() + OVERHEAD;
        self.held_bytes += cost;
        budget.held += cost;
        self.held.insert(
            part.offset,
            Held { at: part.at, acked: part.acked, bytes: part.bytes.into(), len: part.len },
        );
    }

    /// Delivers `part`, which begins at or before the next offset, around what is held.
    fn deliver(&mut self, part: Part<'_>, budget: &mut Budget, out: &mut impl FnMut(Output<'_>)) {
        while self.next < part.end() {
            let end = self.first_held().map_or(part.end(), |held| held.min(part.end()));
            self.emit(part.within(self.next, end), out);
            self.release(budget, out);
        }
    }

    /// Delivers what is held at the next offset.
    fn release(&mut self, budget: &mut Budget, out: &mut impl FnMut(Output<'_>)) {
        while let Some(entry) = self.held.first_entry() {
            if *entry.key() > self.next {
                return;
            }
            let (offset, held) = entry.remove_entry();
            let cost = held.bytes.len() + OVERHEAD;
            self.held_bytes = self.held_bytes.saturating_sub(cost);
            budget.held = budget.held.saturating_sub(cost);
            self.emit(held.part(offset), out);
        }
    }

    fn emit(&mut self, part: Part<'_>, out: &mut impl FnMut(Output<'_>)) {
        if !part.bytes.is_empty() {
            self.recent.push(self.next, part.bytes);
            self.next += part.bytes.len() as u64;
            let Part { at, offset, acked, bytes, .. } = part;
            out(Output::Data { at, offset, acked, bytes });
        }
        // The snap length cut the rest.
        self.gap(part.at, part.end(), true, out);
    }
}
