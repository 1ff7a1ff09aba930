//! The copy of a Fragment that is aside while another one goes in.

use super::FileDigest;
use super::copy::{Copy, Standing, forget};
use crate::observe::hashing::Pool;

impl FileDigest {
    /// Keeps the copy that got further, of those that the server may have.
    pub(super) fn put_aside(&mut self, pool: &mut Pool, copy: Copy) {
        let further = copy.at.offset > self.at.offset;
        let possible = |copy: &Copy| copy.standing != Standing::Lacking;
        let merit = |copy: &Copy| (possible(copy), copy.at.offset);
        let Some(other) = &mut self.other else {
            match further {
                true => self.other = Some(copy),
                false => forget(pool, Some(copy.at)),
            }
            return;
        };
        let differ = further && possible(&copy) && possible(other) && !other.agrees(&copy);
        let worse = merit(&copy) <= merit(other);
        match other.twin.take() {
            // Both go as far, so that their hashes tell.
            Some(twin) if differ && copy.at.offset == other.at.offset => {
                let known = other.at.fork(pool);
                self.keep_twins(pool, known, twin);
            }
            twin => {
                self.others |= differ;
                forget(pool, twin);
            }
        }
        let dropped = if worse { Some(copy) } else { self.other.replace(copy) };
        forget(pool, dropped.map(|copy| copy.at));
    }

    /// Goes on with the other copy, if it alone reaches `upto`.
    pub(super) fn take_other(&mut self, pool: &mut Pool, upto: u64) -> bool {
        let behind = self.at.offset < upto;
        let other = self.other.take_if(|other| behind && other.at.offset >= upto);
        let Some(other) = other else { return false };
        self.spoilt |= self.others;
        self.tail.turn(other.tail);
        forget(pool, Some(std::mem::replace(&mut self.at, other.at)));
        forget(pool, other.twin);
        true
    }

    pub(super) fn drop_other(&mut self, pool: &mut Pool) {
        self.others = false;
        if let Some(other) = self.other.take() {
            forget(pool, Some(other.at));
            forget(pool, other.twin);
        }
    }

    /// The server took a copy in place of the one aside, up to `next`, and may have that one where no answer to it was
    /// seen.
    pub(super) fn settle_other(&mut self, pool: &mut Pool, next: Option<u64>, short: bool) {
        let other = self.other.take_if(|other| other.standing == Standing::Unanswered);
        if let Some(other) = other {
            self.spoilt |= self.others;
            match other.twin {
                Some(twin) if !short => self.keep_twins(pool, other.at, twin),
                twin => {
                    let from = other.tail.start.max(self.tail.start);
                    let to = self.tail.end().min(next.unwrap_or(u64::MAX));
                    let part = self.tail.between(from, to).unwrap_or_default();
                    self.spoilt |= other.tail.differs(from, part);
                    forget(pool, twin);
                    forget(pool, Some(other.at));
                }
            }
        }
        self.drop_other(pool);
    }
}
