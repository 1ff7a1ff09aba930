//! All connections: who talks to whom, and when to forget them.

use std::collections::{BTreeMap, VecDeque};

use hashbrown::HashMap;

use crate::at::{At, Timestamp};
use crate::limits::Limits;
use crate::packet::Segment;

use super::ahead::Budget;
use super::connection::Connection;
use super::flow::Flow;
use super::flows::{Dir, Flows, Key};
use super::pool::{Pool, Queue};
use super::{End, Owner};

/// Nanoseconds for which a closed connection is remembered.
const LINGER: i64 = 60_000_000_000;

/// Connections resumed for each segment since they were last resumed, so that this cannot take most of the time.
const RESUMED: usize = 64;

/// Turns segments into the events of each connection, under caps.
///
/// With each connection it keeps a `T` of its owner, lent with every event.
#[derive(Debug)]
pub struct Table<T> {
    pool: Pool<Flow<T>>,
    flows: Flows,
    ids: HashMap<u64, u32>,
    gone: VecDeque<(Connection, T)>,
    /// What is left to end, the last one first.
    ending: Vec<u32>,
    budget: Budget,
    connections: usize,
    closed_connections: usize,
    count: u64,
    forgotten: u64,
    closed_forgotten: u64,
    no_longer_waiting: u64,
    /// Until then no closed connection is due to be forgotten or resumed.
    quiet_until: Option<Timestamp>,
    /// Closed connections that wait, by id. They stay in the queue of open ones.
    waiting: BTreeMap<u64, u32>,
    /// How many may be resumed by now, if what they wait for may have come.
    resumes: Option<usize>,
}

impl<T: Default> Table<T> {
    /// An empty table.
    pub fn new(limits: &Limits) -> Self {
        let budget = Budget {
            per_side: limits.held_per_side,
            in_all: limits.held_in_all,
            held: 0,
            given_up: 0,
        };
        Self {
            pool: Pool::new(),
            flows: Flows::default(),
            ids: HashMap::default(),
            gone: VecDeque::new(),
            ending: Vec::new(),
            budget,
            connections: limits.connections,
            closed_connections: limits.closed_connections,
            count: 0,
            forgotten: 0,
            closed_forgotten: 0,
            no_longer_waiting: 0,
            quiet_until: None,
            waiting: BTreeMap::new(),
            resumes: None,
        }
    }

    /// Takes a segment; `out` gets what it yields before this returns the id of its connection.
    #[inline(always)]
    pub fn push(&mut self, segment: &Segment<'_>, out: &mut impl Owner<T>) -> u64 {
        self.tick(&segment.at, out);
        let (slot, dir) = self.slot(segment, out);
        let Some(flow) = self.pool.get_mut(slot) else { return 0 };
        flow.push(dir, segment, &mut self.budget, out);
        let id = flow.subject.connection.id;
        if flow.closed_at.is_none() {
            self.pool.touch(slot, Queue::Open);
        } else if self.pool.queue(slot) == Some(Queue::Open) {
            self.close(slot, id, out);
        }
        self.evict(&segment.at, out);
        id
    }

    /// Forgets connections that closed long before `now`.
    #[inline(always)]
    fn tick(&mut self, now: &At, out: &mut impl Owner<T>) {
        if self.quiet_until.is_none_or(|until| now.time > until) {
            self.tend(now.time, out);
        }
    }

    #[inline(never)]
    fn tend(&mut self, now: Timestamp, out: &mut impl Owner<T>) {
        self.forget_closed(now);
        let Some(resumes) = &mut self.resumes else { return };
        *resumes += RESUMED;
        self.quiet_until = None;
        if *resumes < self.waiting.len() {
            return;
        }
        self.resumes = None;
        for (id, slot) in std::mem::take(&mut self.waiting) {
            self.resume(slot, false, out);
            match self.waits(slot, out) {
                true => _ = self.waiting.insert(id, slot),
                false => self.let_rest(slot),
            }
        }
    }

    /// Closed connections that wait are to be resumed at the next segment, or soon after.
    pub const fn resume_closed(&mut self) {
        self.quiet_until = None;
        if self.resumes.is_none() {
            self.resumes = Some(0);
        }
    }

    /// A connection is over; the oldest of those that wait are resumed for the last time where they are too many.
    #[inline(never)]
    fn close(&mut self, slot: u32, id: u64, out: &mut impl Owner<T>) {
        if !self.waits(slot, out) {
            return self.let_rest(slot);
        }
        self.waiting.insert(id, slot);
        while out.keeps_too_many(self.waiting.len())
            && let Some((_, slot)) = self.waiting.pop_first()
        {
            self.no_longer_waiting += 1;
            self.resume(slot, true, out);
            self.let_rest(slot);
        }
    }

    fn waits(&self, slot: u32, out: &impl Owner<T>) -> bool {
        self.pool.get(slot).is_some_and(|flow| out.waits(&flow.subject.state))
    }

    fn resume(&mut self, slot: u32, last: bool, out: &mut impl Owner<T>) {
        if let Some(flow) = self.pool.get_mut(slot) {
            out.resume(&mut flow.subject.connection, &mut flow.subject.state, last);
        }
    }

    /// Moves a closed connection that does not wait to its queue.
    fn let_rest(&mut self, slot: u32) {
        self.pool.touch(slot, Queue::Closed);
        self.quiet_until = None;
    }

    fn forget_closed(&mut self, now: Timestamp) {
        while let Some(slot) = self.pool.oldest(Queue::Closed) {
            let closed = self.pool.get(slot).and_then(|flow| flow.closed_at);
            if let Some(closed) = closed
                && now.since(closed.time) <= LINGER
            {
                let until = closed.time.nanos().saturating_add(LINGER);
                self.quiet_until = Some(Timestamp::from_nanos(until));
                return;
            }
            self.forget(slot);
        }
        self.quiet_until = Some(Timestamp::from_nanos(i64::MAX));
    }

    /// Ends the open connection that began first with [`End::Capture`]; to be called until false, when nothing follows.
    pub fn finish(&mut self, at: At, out: &mut impl Owner<T>) -> bool {
        if self.ending.is_empty() {
            let mut order: Vec<_> =
                self.pool.values().map(|(slot, flow)| (flow.subject.connection.id, slot)).collect();
            order.sort_unstable_by_key(|(id, _)| std::cmp::Reverse(*id));
            self.ending = order.into_iter().map(|(_, slot)| slot).collect();
        }
        let Some(slot) = self.ending.pop() else { return false };
        self.end(slot, at, End::Capture, out);
        true
    }

    /// A connection that the table has forgotten, with the state of its owner.
    ///
    /// To be called until `None` now and then: what is not taken stays in memory.
    pub fn closed(&mut self) -> Option<(Connection, T)> {
        self.gone.pop_front()
    }

    /// Whether there is one to be taken.
    pub fn has_closed(&self) -> bool {
        !self.gone.is_empty()
    }

    /// A connection still in the table.
    pub fn connection(&self, id: u64) -> Option<&Connection> {
        let flow = self.pool.get(*self.ids.get(&id)?)?;
        Some(&flow.subject.connection)
    }

    /// A connection still in the table, to be changed.
    pub fn connection_mut(&mut self, id: u64) -> Option<&mut Connection> {
        Some(&mut self.pool.get_mut(*self.ids.get(&id)?)?.subject.connection)
    }

    /// Open connections forgotten to stay under the cap.
    pub const fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// Closed connections forgotten before their time to stay under the cap.
    pub const fn closed_forgotten(&self) -> u64 {
        self.closed_forgotten
    }

    /// Closed connections that its owner had too many of that waited.
    pub const fn no_longer_waiting(&self) -> u64 {
        self.no_longer_waiting
    }

    /// Connections seen so far.
    pub const fn seen(&self) -> u64 {
        self.count
    }

    /// What is held out of order over all connections, in bytes.
    pub const fn held(&self) -> usize {
        self.budget.held
    }

    /// Bytes that were no longer waited for, to stay under the caps on what is held.
    pub const fn given_up(&self) -> u64 {
        self.budget.given_up
    }

    /// The id of the connection between two endpoints, whichever is which.
    pub fn find(&mut self, one: std::net::SocketAddr, other: std::net::SocketAddr) -> Option<u64> {
        let slot = self.flows.find(&one, &other).0?;
        Some(self.pool.get(slot)?.subject.connection.id)
    }

    #[inline(always)]
    fn slot(&mut self, segment: &Segment<'_>, out: &mut impl Owner<T>) -> (u32, Dir) {
        let (found, dir) = self.flows.find(&segment.from, &segment.to);
        if let Some(slot) = found {
            let old = self.pool.get(slot);
            if !old.is_some_and(|flow| flow.superseded_by(dir, segment)) {
                return (slot, dir);
            }
            self.end(slot, segment.at, End::Reused, out);
        }
        (self.open(*segment), dir)
    }

    #[inline(never)]
    fn open(&mut self, segment: Segment<'_>) -> u32 {
        let (key, dir) = Key::of(segment.from, segment.to);
        self.count += 1;
        let slot = self.pool.insert(Flow::new(self.count, key, dir, &segment));
        self.flows.insert(key, slot);
        self.ids.insert(self.count, slot);
        slot
    }

    #[inline(always)]
    fn evict(&mut self, at: &At, out: &mut impl Owner<T>) {
        let (open, closed) = (self.pool.len(Queue::Open), self.pool.len(Queue::Closed));
        if open > self.connections || closed > self.closed_connections {
            self.evict_oldest(*at, out);
        }
    }

    #[inline(never)]
    fn evict_oldest(&mut self, at: At, out: &mut impl Owner<T>) {
        while self.pool.len(Queue::Open) > self.connections {
            let Some(slot) = self.pool.oldest(Queue::Open) else { break };
            self.forgotten += 1;
            self.end(slot, at, End::Forgotten, out);
        }
        while self.pool.len(Queue::Closed) > self.closed_connections {
            let Some(slot) = self.pool.oldest(Queue::Closed) else { break };
            self.closed_forgotten += 1;
            self.forget(slot);
        }
    }

    #[inline(never)]
    fn end(&mut self, slot: u32, at: At, why: End, out: &mut impl Owner<T>) {
        if let Some(flow) = self.pool.get_mut(slot) {
            flow.end(at, why, &mut self.budget, out);
        }
        if self.waits(slot, out) {
            self.resume(slot, true, out);
        }
        self.forget(slot);
    }

    fn forget(&mut self, slot: u32) {
        self.quiet_until = None;
        let Some(flow) = self.pool.remove(slot) else { return };
        self.flows.remove(flow.key);
        self.ids.remove(&flow.subject.connection.id);
        self.waiting.remove(&flow.subject.connection.id);
        self.gone.push_back((flow.subject.connection, flow.subject.state));
    }
}
