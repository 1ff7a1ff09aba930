//! Where a direction begins, and where in it a sequence number is.

use super::Half;
use crate::stream::part::Seq;

/// Largest window there can be (RFC 7323 2.3): nothing belongs further ahead.
const WINDOW: u64 = 1 << 30;

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

    /// Begins a direction whose SYN was not seen: with its first segment, or with what must have come before it and
    /// after the other side had spoken.
    pub fn begin_late(&mut self, first: Seq) {
        let begins = |expected: &Seq| (1..=WINDOW as i64).contains(&first.since(*expected));
        let expected = self.expected.filter(begins);
        self.guessed = expected.is_none();
        self.begin(expected.unwrap_or(first));
    }

    /// How far ahead of where it was expected it begins.
    pub fn moved_back(&self) -> u64 {
        let behind =
            self.expected.zip(self.base).map_or(0, |(expected, base)| expected.since(base));
        u64::try_from(behind).unwrap_or(0)
    }

    /// FIN alone is all there is so far of a direction whose start was not seen.
    pub fn doubt(&mut self) {
        self.doubtful |= self.guessed && self.next == 0 && self.ahead.is_empty();
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

    /// The offset of what the other side acknowledges, which may be there before the start is: that is then where it is
    /// expected.
    #[inline(always)]
    pub fn offset_acked(&self, seq: Seq) -> Option<i64> {
        match (self.base, self.expected) {
            (None, Some(expected)) => Some(seq.since(expected)),
            _ => self.offset(seq),
        }
    }

    fn far_offset(&self, offset: i64, distance: i64) -> Option<i64> {
        let limit = self.highest().max(self.acked).saturating_add(WINDOW);
        let near = u64::try_from(offset).is_ok_and(|offset| offset <= limit);
        (near && distance > 0).then_some(offset)
    }
}
