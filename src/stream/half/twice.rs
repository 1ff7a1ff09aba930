//! Segments that were captured twice: what the snap length cut from one copy, the other one may have.

use super::{Half, Output};
use crate::stream::ahead::Budget;
use crate::stream::part::Part;

impl Half {
    /// From now on, what the snap length cuts waits for a copy, as long as copies have more.
    pub const fn await_copies(&mut self) {
        self.twice = true;
    }

    /// A copy of a segment came.
    pub fn copied(
        &mut self,
        part: Part<'_>,
        budget: &mut Budget,
        out: &mut impl FnMut(Output<'_>),
    ) {
        let longer = self.ahead.lengthen(part, budget);
        if part.offset == self.next
            && let Some((offset, held)) = self.ahead.take(self.next, budget)
        {
            let part = held.part(offset);
            self.twice &= longer || part.is_whole();
            self.emit(part, out);
            match self.twice {
                true => self.release_whole(budget, out),
                false => self.release(budget, out),
            }
            self.fill_hole(part.at);
        }
    }

    /// Whether `part` is a copy of what waits for one, or now does so itself, as the snap length cut it.
    pub(super) fn waits_for_copy(
        &mut self,
        part: Part<'_>,
        budget: &mut Budget,
        out: &mut impl FnMut(Output<'_>),
    ) -> bool {
        if part.offset > self.next {
            return false;
        }
        if self.ahead.holds(part) {
            self.copied(part, budget, out);
            return true;
        }
        self.release(budget, out);
        part.offset == self.next && !part.is_whole() && self.ahead.hold(part, budget)
    }

    /// Delivers what is held at the next offset, up to what waits for a copy.
    fn release_whole(&mut self, budget: &mut Budget, out: &mut impl FnMut(Output<'_>)) {
        while self.ahead.begins_whole()
            && let Some((offset, held)) = self.ahead.take(self.next, budget)
        {
            self.emit(held.part(offset), out);
        }
    }
}
