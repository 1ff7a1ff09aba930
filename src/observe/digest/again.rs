//! Bytes that come again: whether they are the same.

use super::copy::{Point, forget};
use super::{FileDigest, Key};
use crate::observe::hashing::Pool;

/// Pairs of hashes that wait to be compared, per file.
const TWINS: usize = 16;

impl FileDigest {
    /// Whether what comes again from `start` on can be hashed along with what it was.
    pub(super) fn can_probe(&mut self, pool: &mut Pool, start: u64, end: Option<u64>) -> bool {
        let end = end.map_or(self.at.offset, |end| end.min(self.at.offset));
        match (self.file_up_to(pool, start), self.file_up_to(pool, end)) {
            (Some(from), Some(to)) => self.probe = Some((from, to)),
            (from, to) => [from, to].into_iter().for_each(|point| forget(pool, point)),
        }
        self.probe.is_some()
    }

    fn file_up_to(&self, pool: &mut Pool, offset: u64) -> Option<Point> {
        let is_before = |point: &&Point| point.offset <= offset;
        let base = Some(&self.at).filter(is_before);
        self.point(pool, base.or_else(|| self.starts.iter().rfind(is_before)), offset)
    }

    pub(super) fn drop_probe(&mut self, pool: &mut Pool) {
        if let Some((from, to)) = self.probe.take() {
            forget(pool, Some(from));
            forget(pool, Some(to));
        }
    }

    /// Sees whether the last Fragment brings again what is kept, or was hashed.
    pub(super) fn compare(&mut self, pool: &mut Pool, key: Key, offset: u64, bytes: &[u8]) {
        let current = self.current.as_mut().filter(|current| current.key == key);
        let (Some(current), Some(from)) = (current, self.again) else { return };
        let place = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX);
        let again = bytes.get(place(from.saturating_sub(offset))..).unwrap_or_default();
        *current.replays.as_mut().unwrap_or(&mut current.stale) |=
            self.tail.differs(offset.max(from), again);
        if let Some((from, to)) = &mut self.probe
            && offset <= from.offset
        {
            let len = place(to.offset.saturating_sub(offset)).min(bytes.len());
            from.take(pool, offset, bytes.get(..len).unwrap_or_default());
        }
    }

    /// All of what was to come again has come: whether it is the same remains to be seen.
    pub(super) fn comes_again(&mut self, pool: &mut Pool) -> bool {
        match self.probe.take_if(|(from, to)| from.offset == to.offset) {
            Some((from, to)) => {
                self.keep_twins(pool, from, to);
                true
            }
            None => self.probe.is_none(),
        }
    }

    pub(super) fn keep_twins(&mut self, pool: &mut Pool, one: Point, other: Point) {
        self.twins.push((one.lane, other.lane));
        if self.twins.len() > TWINS {
            self.compare_twins(pool, TWINS);
        }
    }

    /// Compares hashes that are to be the same, but for the last `left`.
    pub(super) fn compare_twins(&mut self, pool: &mut Pool, left: usize) {
        let surplus = self.twins.len().saturating_sub(left);
        for (one, other) in self.twins.drain(..surplus) {
            self.spoilt |= pool.finish(one) != pool.finish(other);
        }
    }
}
