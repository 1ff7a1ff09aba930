//! SHA-256 of an uploaded file, computed while its Fragments pass.

mod again;
mod answers;
mod aside;
mod copy;
mod held;
mod run;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use super::hashing::{Lane, Pool};
use crate::hex;
pub use answers::FragmentAnswer;
use copy::{Copy, Point, Standing, forget};
use held::Held;
use run::Run;

/// Starts of Fragments that can be gone back to.
const STARTS: usize = 8;

/// Bytes at the end of a Fragment that are kept until it is answered: some servers take a little less, and get that
/// again.
const TAIL: u64 = 4 << 10;

/// Fragments up to this are kept as a whole, and as much of those before: any place in that can be gone back to.
const WHOLE: usize = 64 << 10;

/// Bytes kept and held of all files together.
const IN_ALL: usize = 64 << 20;

/// How a Fragment follows the one before.
#[derive(Clone, Copy, Debug, Default)]
pub struct Order {
    /// Another one waits for its answer on the same connection.
    pub pipelined: bool,
    /// Requests may have been lost before it.
    pub after_gap: bool,
}

/// Tells Fragments apart: connection and exchange.
pub type Key = (u64, u32);

/// The bytes of a Fragment: first one, and the one behind the last where that is known.
pub type Range = (u64, Option<u64>);

/// The digest of one file.
///
/// Of bytes sent twice the first copy counts that the server took and kept, else the first. Where that is seen only
/// when others have gone in, it goes back to the start of a Fragment, or to any place in bytes that are kept; where it
/// cannot, or the server may have either of two copies that differ, there is no digest.
#[derive(Debug, Default)]
pub struct FileDigest {
    at: Point,
    /// Where the last Fragments began.
    starts: VecDeque<Point>,
    /// With a Fragment that was sent again before an answer to it was seen.
    other: Option<Copy>,
    /// There was more than one of those.
    others: bool,
    /// The last Fragment.
    current: Option<Current>,
    /// The server has not got what went in from here on.
    withdrawn: Option<u64>,
    /// It said so in a refusal.
    denied: bool,
    /// The last bytes that went in, as far as they are kept.
    tail: Run,
    /// Which bytes of the Fragment under way are kept.
    kept: std::ops::Range<u64>,
    /// From there on, what comes is to be what is kept.
    again: Option<u64>,
    /// What comes again of more than is kept, and the file as it is to be with it.
    probe: Option<(Point, Point)>,
    /// Hashes that are to be the same.
    twins: Vec<(Lane, Lane)>,
    held: Held,
    /// Bytes that this file counts for among all.
    counted: usize,
    /// Bytes were held at some time.
    scattered: bool,
    pipelined: bool,
    spoilt: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Current {
    key: Key,
    /// No answer was seen yet.
    waits: bool,
    /// It brings again what the server has not got, though the first copy of that is in.
    stale: bool,
    /// It brings again what the server was thought to have; whether other bytes, as far as that is known.
    replays: Option<bool>,
    /// The server may have gone back before it, which was not seen.
    unsure: bool,
    refused: bool,
}

impl FileDigest {
    /// A Fragment begins.
    pub fn begin(&mut self, pool: &mut Pool, key: Key, (start, end): Range, order: Order) {
        self.pipelined |= order.pipelined;
        let (mut stale, mut replays) = (false, None);
        let mut unsure = order.after_gap;
        self.again = None;
        self.drop_probe(pool);
        if !self.pipelined {
            // What was to come again is not to be seen.
            let skips = self.withdrawn.is_some_and(|from| from < start);
            self.spoilt |= skips && (self.denied || order.after_gap);
            let unanswered = self.current.filter(|last| last.waits).map(|last| last.key);
            unsure |= unanswered.is_some();
            if unanswered.is_some() {
                // What the server has of that may have come with what is not to be seen.
                let goes_on = self.starts.back().is_some_and(|last| last.offset < start);
                self.spoilt |= goes_on && order.after_gap;
                self.doubt(start);
                // Of what came again, the server may have taken this copy.
                self.spoilt |= self.current.is_some_and(|last| last.stale);
            }
            let again =
                self.withdrawn.map(|from| from.max(start)).filter(|at| *at < self.at.offset);
            if let Some(from) = again
                && !self.go_back(pool, start, unanswered)
            {
                stale = !self.keeps_from(from);
                self.again = Some(from);
            }
            if self.again.is_none() && start < self.at.offset {
                replays = Some(!self.keeps_from(start) && !self.can_probe(pool, start, end));
                self.again = Some(start);
            }
            self.spoilt |= self.take_other(pool, start) && order.after_gap;
            self.start(pool);
        }
        self.tail.trim(WHOLE);
        self.kept = match end {
            Some(end) if end.saturating_sub(start) <= WHOLE as u64 => start..end,
            Some(end) => end.saturating_sub(TAIL)..end,
            None => 0..0,
        };
        self.make_room(pool);
        self.held.begin();
        self.current = Some(Current { key, waits: true, stale, replays, unsure, refused: false });
    }

    /// Counts what is to be kept among all; where that is too much, this file keeps nothing for now.
    fn make_room(&mut self, pool: &mut Pool) {
        let aside = self.other.as_ref().map_or(0, |other| other.tail.len());
        let rest = self.held.cost() + aside;
        let more = self.kept.end.saturating_sub(self.kept.start) as usize;
        let wanted = rest + self.tail.len() + more;
        let fits = pool.count(self.counted, wanted) <= IN_ALL;
        self.counted = wanted;
        if !fits {
            (self.tail, self.kept) = (Run::default(), 0..0);
            pool.count(wanted, rest);
            self.counted = rest;
        }
    }

    /// Whether all bytes are kept that went in from `offset` on.
    fn keeps_from(&self, offset: u64) -> bool {
        self.tail.start <= offset && self.tail.end() == self.at.offset
    }

    /// A Fragment begins here.
    fn start(&mut self, pool: &mut Pool) {
        if self.starts.back().is_some_and(|last| last.offset == self.at.offset) {
            forget(pool, self.starts.pop_back());
        }
        self.starts.push_back(self.at.fork(pool));
        if self.starts.len() > STARTS {
            forget(pool, self.starts.pop_front());
        }
    }

    /// The client goes on from `start` without an answer to what it sent last: it does not know what became of that.
    fn doubt(&mut self, start: u64) {
        let from = self.starts.back().map_or(start, |last| last.offset.max(start));
        if from < self.at.offset {
            self.withdrawn = Some(self.withdrawn.map_or(from, |known| known.min(from)));
        }
    }

    /// Goes back to where the server stands, if that is known, and the next Fragment, from `start`, leaves no hole.
    fn go_back(&mut self, pool: &mut Pool, start: u64, unanswered: Option<Key>) -> bool {
        let Some(from) = self.withdrawn.filter(|from| start <= *from) else { return false };
        let place = self.starts.iter().rposition(|point| point.offset <= from);
        let one_back = place.map(|place| place + 1) == Some(self.starts.len());
        let in_order = self.held.is_untouched();
        if self.scattered && !(one_back && (in_order || unanswered.is_some())) {
            return false;
        }
        let base = place.and_then(|place| self.starts.get(place));
        let Some(point) = self.point(pool, base, from) else { return false };
        let inside = base.is_some_and(|base| base.offset < from);
        let later = self.starts.split_off(place.map_or(0, |place| place + 1));
        later.into_iter().for_each(|point| forget(pool, Some(point)));
        let left = std::mem::replace(&mut self.at, point);
        let tail = self.tail.split_off(from);
        self.unhold();
        self.withdrawn = None;
        // What the server had taken in part, and said so, it may have got as a whole.
        let lacking = self.current.filter(|last| inside && !last.waits && !last.refused);
        let lacking = lacking.map(|last| last.key);
        match unanswered.or(lacking).filter(|_| in_order) {
            Some(key) => {
                let standing = lacking.map_or(Standing::Unanswered, |_| Standing::Lacking);
                let twin = None;
                self.put_aside(pool, Copy { key, at: left, from, tail, standing, twin });
            }
            None => forget(pool, Some(left)),
        }
        true
    }

    /// The file up to `offset`, from the last known point before.
    fn point(&self, pool: &mut Pool, base: Option<&Point>, offset: u64) -> Option<Point> {
        let known = base.map_or(0, |base| base.offset);
        let part = if known == offset { Some(&[][..]) } else { self.tail.between(known, offset) };
        let part = part?;
        let mut point = base.map(|base| base.fork(pool)).unwrap_or_default();
        point.take(pool, known, part);
        Some(point)
    }

    /// Bytes of the file at `offset`.
    pub fn data(&mut self, pool: &mut Pool, key: Key, offset: u64, bytes: &[u8]) {
        if let Some(other) = self.other.as_mut().filter(|other| other.key == key) {
            if offset <= other.at.offset {
                other.tail.add(other.at.offset, other.at.fresh(offset, bytes));
                other.at.take(pool, offset, bytes);
            }
            return;
        }
        if self.current.is_some_and(|last| last.key == key && last.refused) {
            return;
        }
        self.compare(pool, key, offset, bytes);
        // The server may have refused what came before, unseen.
        let again = self.pipelined && offset < self.at.offset;
        self.spoilt |= again && (!self.keeps_from(offset) || self.tail.differs(offset, bytes));
        if offset > self.at.offset {
            self.hold(pool, offset, bytes);
            return;
        }
        self.take(pool, offset, bytes);
        if !self.held.is_empty() && !self.kept.is_empty() {
            // What closes a hole is kept with what was behind it.
            self.kept.end = u64::MAX;
        }
        while let Some((offset, bytes)) = self.held.take(self.at.offset) {
            self.take(pool, offset, &bytes);
            self.held.keep_taken(offset, bytes);
        }
    }

    /// Takes of the bytes at `offset`, which is not ahead, what is new, and keeps what is to be kept.
    fn take(&mut self, pool: &mut Pool, offset: u64, bytes: &[u8]) {
        let fresh = self.at.fresh(offset, bytes);
        let place = |offset: u64| {
            let place = usize::try_from(offset.saturating_sub(self.at.offset));
            place.unwrap_or(usize::MAX).min(fresh.len())
        };
        let kept = fresh.get(place(self.kept.start)..place(self.kept.end)).unwrap_or_default();
        if !kept.is_empty() {
            self.tail.add(self.at.offset.max(self.kept.start), kept);
        }
        if let Some(other) = &mut self.other {
            other.pass(pool, &mut self.at, offset, bytes);
        }
        self.at.take(pool, offset, bytes);
    }

    fn hold(&mut self, pool: &mut Pool, offset: u64, bytes: &[u8]) {
        let room = IN_ALL.saturating_sub(pool.count(0, 0));
        if let Some(cost) = self.held.add(offset, bytes, room) {
            pool.count(0, cost);
            self.counted += cost;
            self.scattered = true;
        }
    }

    /// Undoes what the Fragment under way did to the bytes held.
    fn unhold(&mut self) {
        self.spoilt |= !self.held.undo();
    }

    /// The digest in lower-case hexadecimal, where exactly `size` bytes went in.
    pub fn finish(mut self, pool: &mut Pool, size: Option<u64>) -> Option<String> {
        pool.count(self.counted, 0);
        let ends_short = size != Some(self.at.offset);
        let whole = |other: &mut Copy| {
            let counts = match other.standing {
                Standing::Unanswered => true,
                // What the client sent counts, where no other copy was taken.
                Standing::Refused => ends_short,
                Standing::Lacking => false,
            };
            size == Some(other.at.offset) && counts
        };
        if let Some(other) = self.other.take_if(whole) {
            self.spoilt |= self.others;
            forget(pool, Some(std::mem::replace(&mut self.at, other.at)));
            forget(pool, other.twin);
        }
        self.drop_other(pool);
        self.drop_probe(pool);
        self.compare_twins(pool, 0);
        self.starts.drain(..).for_each(|point| forget(pool, Some(point)));
        if size != Some(self.at.offset) || self.spoilt {
            forget(pool, Some(self.at));
            return None;
        }
        pool.finish(self.at.lane).map(|hash| hex::lower(&hash))
    }
}
