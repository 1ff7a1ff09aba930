//! SHA-256 of an uploaded file, computed while its Fragments pass.

mod run;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};

use super::hashing::{Lane, Pool};
use crate::hex;
use run::Run;

/// Bytes held per file because those before them have not come yet. Servers that take ranges in any order see them
/// from clients that send few, small Fragments.
const HELD: usize = 1 << 20;

/// What a piece that is held costs beyond its bytes.
const OVERHEAD: usize = 96;

/// Starts of Fragments that can be gone back to.
const STARTS: usize = 8;

/// Bytes at the end of a Fragment that are kept until it is answered: some servers take a little less, and get that again.
const TAIL: u64 = 4 << 10;

/// Tells Fragments apart: connection and exchange.
pub type Key = (u64, u32);

/// The bytes of a Fragment: first one, and the one behind the last where that is known.
pub type Range = (u64, Option<u64>);

/// What the server said to a Fragment.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    /// Whether it took it.
    pub accepted: bool,
    /// The next byte that it wants, where it is right to say so: when it took the Fragment, or in 416
    /// ([MC-BUP] 2.2.7.2).
    pub next: Option<u64>,
}

/// The digest of one file.
///
/// Of bytes sent twice the first copy counts that the server took and kept, else the first. Where that is seen only when
/// others have gone in, it goes back to the start of a Fragment; where it cannot, there is no digest.
#[derive(Debug, Default)]
pub struct FileDigest {
    at: Point,
    /// Where the last Fragments began.
    starts: VecDeque<Point>,
    /// With a Fragment that was sent again before an answer to it was seen.
    other: Option<(Key, Point)>,
    /// There was more than one of those.
    others: bool,
    /// The last Fragment.
    current: Option<Current>,
    /// The server has not got what went in from here on.
    withdrawn: Option<u64>,
    /// How the last Fragment ends.
    tail: Run,
    /// What of the one before is to come again with the last one.
    again: Run,
    held: BTreeMap<u64, Vec<u8>>,
    /// What the Fragment under way added to those held.
    added: Vec<u64>,
    /// What it took from them by closing a hole.
    taken: Vec<(u64, Vec<u8>)>,
    taken_bytes: usize,
    /// There was too much of that to be given back.
    untold: bool,
    held_bytes: usize,
    /// Bytes were held at some time.
    scattered: bool,
    pipelined: bool,
    spoilt: bool,
}

/// How far the file got.
#[derive(Debug, Default)]
struct Point {
    lane: Lane,
    offset: u64,
}

#[derive(Clone, Copy, Debug)]
struct Current {
    key: Key,
    end: Option<u64>,
    /// No answer was seen yet.
    waits: bool,
    /// It brings again what the server has not got, though the first copy of that is in.
    stale: bool,
}

impl Point {
    fn fork(&self, pool: &mut Pool) -> Self {
        Self { lane: pool.fork(&self.lane), offset: self.offset }
    }

    /// Takes of the bytes at `offset`, which is not ahead, what is new.
    fn take(&mut self, pool: &mut Pool, offset: u64, bytes: &[u8]) {
        let known = usize::try_from(self.offset - offset).unwrap_or(usize::MAX);
        let fresh = bytes.get(known..).unwrap_or_default();
        pool.update(&mut self.lane, fresh);
        self.offset += fresh.len() as u64;
    }
}

impl FileDigest {
    /// A Fragment begins; `pipelined`, while another one waits for its answer on the same connection.
    pub fn begin(&mut self, pool: &mut Pool, key: Key, (start, end): Range, pipelined: bool) {
        self.pipelined |= pipelined;
        let mut stale = false;
        let tail = std::mem::take(&mut self.tail);
        self.again = Run::default();
        if !self.pipelined {
            let unanswered = self.current.filter(|last| last.waits).map(|last| last.key);
            if unanswered.is_some() {
                self.doubt(start);
                // Of what came again, the server may have taken this copy.
                self.spoilt |= self.current.is_some_and(|last| last.stale);
            }
            let again =
                self.withdrawn.map(|from| from.max(start)).filter(|at| *at < self.at.offset);
            if let Some(from) = again
                && !self.go_back(pool, start, unanswered)
            {
                stale = tail.start > from || tail.end() != self.at.offset;
                self.again = tail.from(from);
            }
            self.take_other(pool, start);
            self.starts.push_back(self.at.fork(pool));
            if self.starts.len() > STARTS {
                forget(pool, self.starts.pop_front());
            }
        }
        self.added.clear();
        self.taken.clear();
        (self.taken_bytes, self.untold) = (0, false);
        self.current = Some(Current { key, end, waits: true, stale });
    }

    /// The client goes on from `start` without an answer to what it sent last: it does not know what became of that.
    fn doubt(&mut self, start: u64) {
        let from = self.starts.back().map_or(start, |last| last.offset.max(start));
        if from < self.at.offset {
            self.withdrawn = Some(self.withdrawn.map_or(from, |known| known.min(from)));
        }
    }

    /// Goes back to where the server stands, if a Fragment began there and the next one, from `start`, leaves no hole.
    fn go_back(&mut self, pool: &mut Pool, start: u64, unanswered: Option<Key>) -> bool {
        let Some(from) = self.withdrawn.filter(|from| start <= *from) else { return false };
        let place = self.starts.iter().rposition(|point| point.offset == from);
        let one_back =
            unanswered.is_some() && place.map(|place| place + 1) == Some(self.starts.len());
        if (place.is_none() && from > 0) || (self.scattered && !one_back) {
            return false;
        }
        let later = self.starts.split_off(place.map_or(0, |place| place + 1));
        later.into_iter().for_each(|point| forget(pool, Some(point)));
        let point = self.starts.pop_back().unwrap_or_default();
        let in_order = self.added.is_empty() && self.taken.is_empty();
        let left = std::mem::replace(&mut self.at, point);
        self.unhold();
        self.withdrawn = None;
        match unanswered.filter(|_| in_order) {
            Some(key) => self.put_aside(pool, key, left),
            None => forget(pool, Some(left)),
        }
        true
    }

    /// Keeps the copy that got further.
    fn put_aside(&mut self, pool: &mut Pool, key: Key, point: Point) {
        let known = self.other.as_ref().map_or(self.at.offset, |(_, other)| other.offset);
        self.others |= self.other.is_some() && point.offset > self.at.offset;
        if point.offset > known {
            let known = self.other.replace((key, point));
            forget(pool, known.map(|(_, point)| point));
        } else {
            forget(pool, Some(point));
        }
    }

    /// Goes on with the other copy, if it alone reaches `upto`.
    fn take_other(&mut self, pool: &mut Pool, upto: u64) {
        let reaches = |other: &mut (Key, Point)| other.1.offset >= upto;
        if self.at.offset < upto
            && let Some((_, point)) = self.other.take_if(reaches)
        {
            self.spoilt |= self.others;
            forget(pool, Some(std::mem::replace(&mut self.at, point)));
        }
    }

    fn drop_other(&mut self, pool: &mut Pool) {
        self.others = false;
        forget(pool, self.other.take().map(|(_, point)| point));
    }

    /// Bytes of the file at `offset`.
    pub fn data(&mut self, pool: &mut Pool, key: Key, offset: u64, bytes: &[u8]) {
        if let Some((_, other)) = self.other.as_mut().filter(|(known, _)| *known == key) {
            if offset <= other.offset {
                other.take(pool, offset, bytes);
            }
            return;
        }
        self.compare(key, offset, bytes);
        if offset > self.at.offset {
            self.hold(offset, bytes);
            return;
        }
        self.at.take(pool, offset, bytes);
        while let Some(entry) =
            self.held.first_entry().filter(|entry| *entry.key() <= self.at.offset)
        {
            let (offset, bytes) = entry.remove_entry();
            self.held_bytes -= cost(&bytes);
            self.at.take(pool, offset, &bytes);
            self.taken_bytes += cost(&bytes);
            self.taken.push((offset, bytes));
            if self.taken_bytes > HELD {
                self.taken.clear();
                self.untold = true;
            }
        }
    }

    /// Sees whether the last Fragment brings again what the one before brought, and keeps how it ends.
    fn compare(&mut self, key: Key, offset: u64, bytes: &[u8]) {
        let Some(current) = self.current.as_mut().filter(|current| current.key == key) else {
            return;
        };
        current.stale |= self.again.differs(offset, bytes);
        let in_order = current.waits && offset <= self.at.offset;
        let Some(end) = current.end.filter(|_| in_order) else { return };
        let from = end.saturating_sub(TAIL).max(self.at.offset);
        let skip = usize::try_from(from.saturating_sub(offset)).unwrap_or(usize::MAX);
        if let Some(bytes) = bytes.get(skip..).filter(|bytes| !bytes.is_empty()) {
            self.tail.add(offset.max(from), bytes);
        }
    }

    fn hold(&mut self, offset: u64, bytes: &[u8]) {
        if self.held_bytes + cost(bytes) <= HELD && !self.held.contains_key(&offset) {
            self.held.insert(offset, bytes.to_vec());
            self.held_bytes += cost(bytes);
            self.added.push(offset);
            self.scattered = true;
        }
    }

    /// Undoes what the Fragment under way did to the bytes held.
    fn unhold(&mut self) {
        self.spoilt |= std::mem::take(&mut self.untold);
        self.held.extend(self.taken.drain(..));
        self.taken_bytes = 0;
        for offset in self.added.drain(..) {
            self.held.remove(&offset);
        }
        self.held_bytes = self.held.values().map(|bytes| cost(bytes)).sum();
    }

    /// The answer to a Fragment.
    pub fn answer(&mut self, pool: &mut Pool, key: Key, (_, end): Range, answer: Answer) {
        let next = answer.next.or(end.filter(|_| answer.accepted));
        let short = next < end;
        if self.pipelined {
            // Bytes of several Fragments have gone in: those of one cannot be taken out.
            self.spoilt |= !answer.accepted || short;
            return;
        }
        let Some(current) = &mut self.current else { return };
        if current.key != key {
            return self.answer_late(pool, key, end, answer.accepted);
        }
        if !std::mem::take(&mut current.waits) {
            return;
        }
        let stale = current.stale;
        match (answer.accepted, next) {
            (true, _) => self.accept(pool, next, short, stale),
            (false, next) => self.refuse(pool, next),
        }
    }

    /// The server took the Fragment under way, and wants `next`; `short` of its end.
    fn accept(&mut self, pool: &mut Pool, next: Option<u64>, short: bool, stale: bool) {
        self.spoilt |= stale && next > self.withdrawn;
        self.drop_other(pool);
        self.withdrawn = match (next, self.withdrawn) {
            (Some(next), _) if short => Some(next),
            (Some(next), Some(from)) if next < self.at.offset => Some(from.max(next)),
            _ => None,
        };
        if !short {
            self.tail = Run::default();
        }
    }

    /// The server refused the Fragment under way, and may want `next`.
    fn refuse(&mut self, pool: &mut Pool, next: Option<u64>) {
        if let Some(point) = self.starts.pop_back() {
            forget(pool, Some(std::mem::replace(&mut self.at, point)));
            self.unhold();
        }
        self.tail = Run::default();
        let Some(next) = next else { return };
        self.take_other(pool, next);
        self.drop_other(pool);
        self.withdrawn = (next < self.at.offset).then_some(next);
    }

    /// The answer to another Fragment than the last one.
    fn answer_late(&mut self, pool: &mut Pool, key: Key, end: Option<u64>, accepted: bool) {
        let Some((_, point)) = self.other.take_if(|(known, _)| *known == key) else {
            // What was refused has gone in.
            self.spoilt |= !accepted;
            return;
        };
        let waits = self.current.is_some_and(|current| current.waits);
        if !accepted || !waits {
            return forget(pool, Some(point));
        }
        self.spoilt |= Some(point.offset) < end;
        forget(pool, Some(std::mem::replace(&mut self.at, point)));
        self.unhold();
        self.current = Some(Current { key, end, waits: false, stale: false });
    }

    /// The digest in lower-case hexadecimal, where exactly `size` bytes went in.
    pub fn finish(mut self, pool: &mut Pool, size: Option<u64>) -> Option<String> {
        let whole = |other: &mut (Key, Point)| size == Some(other.1.offset);
        if let Some((_, point)) = self.other.take_if(whole) {
            self.spoilt |= self.others;
            forget(pool, Some(std::mem::replace(&mut self.at, point)));
        }
        self.drop_other(pool);
        self.starts.drain(..).for_each(|point| forget(pool, Some(point)));
        if size != Some(self.at.offset) || self.spoilt {
            forget(pool, Some(self.at));
            return None;
        }
        pool.finish(self.at.lane).map(|hash| hex::lower(&hash))
    }
}

fn cost(bytes: &[u8]) -> usize {
    bytes.len() + OVERHEAD
}

fn forget(pool: &mut Pool, point: Option<Point>) {
    if let Some(point) = point {
        pool.forget(point.lane);
    }
}
