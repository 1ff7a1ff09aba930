//! What the owner of a connection is lent with every event.

use super::connection::Connection;
use super::flows::Dir;
use super::half::Output;
use super::side_facts::SideFacts;
use super::{Carriage, Chunk, Event, Owner, Side, Verdict};

/// A connection, its owner's state, and what the owner decided.
#[derive(Debug)]
pub(super) struct Subject<T> {
    pub connection: Connection,
    pub state: T,
    pub client: Dir,
    pub ignored: bool,
    swapped: bool,
}

impl<T: Default> Subject<T> {
    pub fn new(connection: Connection, client: Dir) -> Self {
        Self { connection, state: T::default(), client, ignored: false, swapped: false }
    }
}

impl<T> Subject<T> {
    #[inline(always)]
    pub fn side(&self, dir: Dir) -> Side {
        if dir == self.client { Side::Client } else { Side::Server }
    }

    #[inline(always)]
    pub fn facts(&mut self, dir: Dir) -> &mut SideFacts {
        self.connection.side_mut(self.side(dir))
    }

    pub fn swap(&mut self) {
        self.client = self.client.other();
        self.connection.swap();
    }

    /// What the capture lacks counts among the facts, and all is offered to the owner.
    pub fn output(&mut self, dir: Dir, acked: u64, output: Output<'_>, out: &mut impl Owner<T>) {
        let side = self.side(dir);
        match output {
            Output::Data { at, offset, acked, bytes } => {
                let carriage = Carriage::default();
                self.emit(&Event::Data(Chunk { at, side, offset, acked, carriage, bytes }), out);
            }
            Output::Gap { at, offset, len, cut, acked_at } => {
                let received = acked.saturating_sub(offset).min(len);
                let facts = self.facts(dir);
                if cut {
                    facts.cut += len;
                } else {
                    facts.lost_by_capture += received;
                    facts.missing += len - received;
                    if received > 0 {
                        facts.resent.edit().lacks(acked_at);
                    }
                }
                self.emit(&Event::Gap { at, side, offset, len }, out);
            }
        }
    }

    /// Offers an event to the owner.
    #[inline(never)]
    pub fn emit(&mut self, event: &Event<'_>, out: &mut impl Owner<T>) {
        self.offer(*event, out);
    }

    /// As [`emit`](Self::emit), where it is done for nearly every segment.
    #[inline(always)]
    pub fn offer(&mut self, event: Event<'_>, out: &mut impl Owner<T>) {
        if self.ignored {
            return;
        }
        match out.event(&mut self.connection, &mut self.state, &event) {
            Verdict::Go => {}
            Verdict::Swap => self.turn(event, out),
            Verdict::Ignore => self.ignored = true,
        }
    }

    /// The owner has found the roles to be the wrong way round.
    #[inline(never)]
    fn turn(&mut self, event: Event<'_>, out: &mut impl Owner<T>) {
        if !std::mem::replace(&mut self.swapped, true) {
            self.swap();
            let verdict = out.event(&mut self.connection, &mut self.state, &event.turned());
            self.ignored = verdict == Verdict::Ignore;
        }
    }
}
