//! How far a file got, with one copy of its bytes or another.

use super::Key;
use super::run::Run;
use crate::observe::hashing::{Lane, Pool};

/// How far the file got.
#[derive(Debug, Default)]
pub(super) struct Point {
    pub lane: Lane,
    pub offset: u64,
}

/// The file with a copy of a Fragment, and what is kept of that.
#[derive(Debug)]
pub(super) struct Copy {
    pub key: Key,
    pub at: Point,
    /// Where the copies part.
    pub from: u64,
    /// What is kept of it from there on.
    pub tail: Run,
    pub standing: Standing,
    /// The file with the copy in its place, as far as this one goes.
    pub twin: Option<Point>,
}

/// What the server said of a copy that is aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Unanswered,
    /// It failed; it may have taken it all the same.
    Refused,
    /// It has not got all of it.
    Lacking,
}

impl Point {
    pub fn fork(&self, pool: &mut Pool) -> Self {
        Self { lane: pool.fork(&self.lane), offset: self.offset }
    }

    /// Takes of the bytes at `offset`, which is not ahead, what is new.
    pub fn take(&mut self, pool: &mut Pool, offset: u64, bytes: &[u8]) {
        let fresh = self.fresh(offset, bytes);
        pool.update(&mut self.lane, fresh);
        self.offset += fresh.len() as u64;
    }

    pub fn fresh<'b>(&self, offset: u64, bytes: &'b [u8]) -> &'b [u8] {
        let known = usize::try_from(self.offset - offset).unwrap_or(usize::MAX);
        bytes.get(known..).unwrap_or_default()
    }
}

impl Copy {
    /// Bytes that come in its place, at `offset`: where they reach its end, the file up to there is its twin.
    pub fn pass(&mut self, pool: &mut Pool, at: &mut Point, offset: u64, bytes: &[u8]) {
        let end = self.at.offset;
        let place = usize::try_from(end.saturating_sub(offset)).unwrap_or(usize::MAX);
        if at.offset < end
            && let Some(bytes) = bytes.get(..place)
        {
            at.take(pool, offset, bytes);
            self.twin = Some(at.fork(pool));
        }
    }

    /// Whether it is known to hold the same bytes as `other`, as far as both go.
    pub fn agrees(&self, other: &Self) -> bool {
        let known = |copy: &Self| copy.tail.start == copy.from && copy.tail.end() == copy.at.offset;
        known(self) && known(other) && self.tail.agrees(&other.tail)
    }
}

/// Lets go of a point.
pub(super) fn forget(pool: &mut Pool, point: Option<Point>) {
    if let Some(point) = point {
        pool.forget(point.lane);
    }
}
