//! What the owner of a connection is lent with every event.

use super::connection::{Connection, SideFacts};
use super::flows::Dir;
use super::half::Output;
use super::{Chunk, Event, Side, Verdict};

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
    #[inline]
    pub fn side(&self, dir: Dir) -> Side {
        if dir == self.client { Side::Client } else { Side::Server }
    }

    #[inline]
    pub fn facts(&mut self, dir: Dir) -> &mut SideFacts {
        self.connection.side_mut(self.side(dir))
    }

    pub fn swap(&mut self) {
        self.client = self.client.other();
        self.connection.swap();
    }

    pub fn emit<F>(&mut self, dir: Dir, event: impl Fn(Side) -> Event<'static>, out: &mut F)
    where
        F: FnMut(&mut Connection, &mut T, &Event<'_>) -> Verdict,
    {
        self.offer(dir, event, out);
    }

    #[inline]
    pub fn output<F>(&mut self, dir: Dir, acked: u64, output: Output<'_>, out: &mut F)
    where
        F: FnMut(&mut Connection, &mut T, &Event<'_>) -> Verdict,
    {
        let event = |side| match output {
            Output::Data { at, offset, bytes } => Event::Data(Chunk { at, side, offset, bytes }),
            Output::Gap { at, offset, len, .. } => Event::Gap { at, side, offset, len },
        };
        if let Output::Gap { offset, len, cut, .. } = output {
            let received = acked.saturating_sub(offset).min(len);
            let facts = self.facts(dir);
            match cut {
                true => facts.cut += len,
                false => {
                    (facts.lost_by_capture, facts.missing) =
                        (facts.lost_by_capture + received, facts.missing + len - received)
                }
            }
        }
        self.offer(dir, event, out);
    }

    #[inline]
    fn offer<'e, F>(&mut self, dir: Dir, event: impl Fn(Side) -> Event<'e>, out: &mut F)
    where
        F: FnMut(&mut Connection, &mut T, &Event<'_>) -> Verdict,
    {
        if self.ignored {
            return;
        }
        let side = self.side(dir);
        let mut verdict = out(&mut self.connection, &mut self.state, &event(side));
        if verdict == Verdict::Swap && !self.swapped {
            self.swapped = true;
            self.swap();
            verdict = out(&mut self.connection, &mut self.state, &event(side.other()));
        }
        self.ignored |= verdict == Verdict::Ignore;
    }
}
