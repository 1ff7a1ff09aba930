//! Events that are kept: until keys come for them, or what the other side said before.

use std::collections::VecDeque;

use crate::at::At;
use crate::stream::{Carriage, Chunk, End, Event, Side};

/// Events of one side that may be kept because they came ahead of what they follow.
const MOST_AHEAD: usize = 64;
/// Their bytes.
const MOST_BYTES_AHEAD: usize = 64 << 10;

/// An event that outlives its segment.
pub(super) enum Held {
    Data { at: At, side: Side, offset: u64, acked: u64, carriage: Carriage, bytes: Vec<u8> },
    Gap { at: At, side: Side, offset: u64, len: u64 },
    End { at: At, side: Side, why: End },
}

impl Held {
    /// Bytes that it takes.
    pub(super) const fn size(&self) -> usize {
        let bytes = if let Self::Data { bytes, .. } = self { bytes.len() } else { 0 };
        size_of::<Self>() + bytes
    }

    /// How far its sender had the other side; 0 where that is not known.
    const fn acked(&self) -> u64 {
        if let Self::Data { acked, .. } = *self { acked } else { 0 }
    }

    /// The event again.
    pub(super) fn event(&self) -> Event<'_> {
        match *self {
            Self::Data { at, side, offset, acked, carriage, ref bytes } => {
                Event::Data(Chunk { at, side, offset, acked, carriage, bytes })
            }
            Self::Gap { at, side, offset, len } => Event::Gap { at, side, offset, len },
            Self::End { at, side, why } => Event::End { at, side, why },
        }
    }
}

impl From<Event<'_>> for Held {
    fn from(event: Event<'_>) -> Self {
        match event {
            Event::Data(Chunk { at, side, offset, acked, carriage, bytes }) => {
                Self::Data { at, side, offset, acked, carriage, bytes: bytes.to_vec() }
            }
            Event::Gap { at, side, offset, len } => Self::Gap { at, side, offset, len },
            Event::End { at, side, why } => Self::End { at, side, why },
        }
    }
}

/// Events of one side that came ahead of what its sender had of the other side: the capture is out of order.
#[derive(Default)]
pub(super) struct Ahead {
    events: VecDeque<Held>,
    bytes: usize,
}

impl Ahead {
    /// Whose events these are, if there are any.
    pub(super) fn side(&self) -> Option<Side> {
        self.events.front().map(|held| held.event().side())
    }

    /// Whether there are as many as may be.
    pub(super) fn is_full(&self) -> bool {
        self.events.len() >= MOST_AHEAD || self.bytes >= MOST_BYTES_AHEAD
    }

    /// Keeps an event; what that takes.
    pub(super) fn push(&mut self, event: Event<'_>) -> usize {
        let held = Held::from(event);
        let size = held.size();
        self.bytes += size;
        self.events.push_back(held);
        size
    }

    /// The oldest one, if the other side has come to `seen`, or in any case.
    pub(super) fn pop(&mut self, seen: Option<u64>) -> Option<Held> {
        let waits = |held: &Held| seen.is_some_and(|seen| held.acked() > seen);
        if self.events.front().is_none_or(waits) {
            return None;
        }
        let held = self.events.pop_front()?;
        self.bytes = self.bytes.saturating_sub(held.size());
        Some(held)
    }
}
