//! What the answers of the server make of the bytes that went in.

use super::copy::{Copy, Point, Standing, forget};
use super::{Current, FileDigest, Key, Range};
use crate::model::Response;
use crate::observe::hashing::Pool;

/// What the server said to a Fragment.
#[derive(Clone, Copy, Debug)]
pub struct FragmentAnswer {
    /// Whether it took it.
    pub accepted: bool,
    /// The next byte that it wants, where it is right to say so: when it took the Fragment, or in 416
    /// ([MC-BUP] 2.2.7.2).
    pub next: Option<u64>,
}

impl FragmentAnswer {
    /// What this response says.
    pub fn of(response: &Response) -> Self {
        let accepted = response.is_success();
        let counts = accepted || response.http_status == 416;
        Self { accepted, next: response.next_offset.filter(|_| counts) }
    }
}

impl FileDigest {
    /// The answer to a Fragment.
    pub fn answer(&mut self, pool: &mut Pool, key: Key, (_, end): Range, answer: FragmentAnswer) {
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
        current.refused = !answer.accepted;
        // It may have taken what comes again.
        self.spoilt |= current.stale && next > self.withdrawn;
        match answer.accepted {
            true => {
                let replays = current.replays;
                // A server throws away what it has already, if it did not go back unseen.
                let may_be_back = current.unsure || next < Some(self.at.offset);
                self.spoilt |= may_be_back
                    && next <= end
                    && replays.is_some_and(|differs| differs || !self.comes_again(pool));
                self.accept(pool, next, short, replays.is_some());
            }
            false => self.refuse(pool, key, next),
        }
    }

    /// The server took the Fragment under way, and wants `next`; `short` of its end.
    fn accept(&mut self, pool: &mut Pool, next: Option<u64>, short: bool, replays: bool) {
        self.settle_other(pool, next, short);
        let back = next.filter(|next| *next < self.at.offset);
        self.withdrawn = match (back, self.withdrawn) {
            _ if short => next,
            (Some(next), Some(from)) => Some(from.max(next)),
            // It had gone back, and has this copy now.
            (Some(next), None) if replays => Some(next),
            _ => None,
        };
        self.denied = false;
    }

    /// The server refused the Fragment under way, and may want `next`.
    fn refuse(&mut self, pool: &mut Pool, key: Key, next: Option<u64>) {
        let Some(next) = next else {
            return self.refuse_all(pool, key);
        };
        if !self.took_some(next) {
            let left = self.undo(pool);
            forget(pool, left);
            let _ = self.tail.split_off(self.at.offset);
            self.take_other(pool, next);
        }
        self.held.drop_from(next);
        self.drop_other(pool);
        self.withdrawn = (next < self.at.offset).then_some(next);
        self.denied = self.withdrawn.is_some() && !self.go_back(pool, next, None);
    }

    /// The server refused the Fragment under way without a word of where it stands: it may have taken it all the same.
    fn refuse_all(&mut self, pool: &mut Pool, key: Key) {
        let Some(from) = self.starts.back().map(|start| start.offset) else { return };
        let (tail, in_order) = (self.tail.split_off(from), self.held.is_untouched());
        match self.undo(pool) {
            Some(at) if in_order => {
                let standing = Standing::Refused;
                self.put_aside(pool, Copy { key, at, from, tail, standing, twin: None });
            }
            left => forget(pool, left),
        }
    }

    /// Takes the Fragment under way out again; what was there with it.
    fn undo(&mut self, pool: &mut Pool) -> Option<Point> {
        let start = self.starts.back()?.fork(pool);
        let left = std::mem::replace(&mut self.at, start);
        self.unhold();
        Some(left)
    }

    /// Whether the Fragment under way brought the bytes before `next`, up to which the server has the file.
    fn took_some(&mut self, next: u64) -> bool {
        let start = self.starts.back().map_or(0, |start| start.offset);
        let part = self.tail.between(start, next).filter(|part| !part.is_empty());
        let Some(part) = part.filter(|_| self.held.is_untouched()) else { return false };
        let other = self.other.as_ref().filter(|other| other.at.offset >= next);
        let Some(other) = other else {
            // What it refused as a whole it has from another copy, which was not seen.
            self.spoilt |= next == self.at.offset;
            return true;
        };
        // Either copy may be the one that it took, unless it has had all of this one.
        let unanswered = other.standing == Standing::Unanswered;
        if !unanswered || next < self.at.offset {
            self.spoilt |= self.others || other.tail.differs(start, part);
        }
        !unanswered
    }

    /// The answer to another Fragment than the last one.
    fn answer_late(&mut self, pool: &mut Pool, key: Key, end: Option<u64>, accepted: bool) {
        let Some(other) = self.other.take_if(|other| other.key == key) else {
            // What was refused has gone in.
            self.spoilt |= !accepted;
            return;
        };
        let waits = self.current.is_some_and(|current| current.waits);
        forget(pool, other.twin);
        if !accepted || !waits {
            return forget(pool, Some(other.at));
        }
        self.spoilt |= Some(other.at.offset) < end;
        self.tail.turn(other.tail);
        forget(pool, Some(std::mem::replace(&mut self.at, other.at)));
        self.unhold();
        let current = Current { key, ..Current::default() };
        self.current = Some(current);
    }
}
