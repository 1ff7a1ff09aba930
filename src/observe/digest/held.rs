//! Bytes that are held because those before them have not come yet.

use std::collections::BTreeMap;

/// Bytes held per file. Servers that take ranges in any order see them from clients that send few, small Fragments.
const MOST: usize = 1 << 20;

/// What a piece that is held costs beyond its bytes.
const OVERHEAD: usize = 96;

/// What is held of one file, and what the Fragment under way made of it.
#[derive(Debug, Default)]
pub(super) struct Held {
    pieces: BTreeMap<u64, Vec<u8>>,
    /// What they cost.
    cost: usize,
    /// What the Fragment under way added.
    added: Vec<u64>,
    /// What it took away by closing a hole.
    taken: Vec<(u64, Vec<u8>)>,
    taken_cost: usize,
    /// There was too much of that to be given back.
    untold: bool,
}

impl Held {
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Bytes that it takes.
    pub const fn cost(&self) -> usize {
        self.cost
    }

    /// Another Fragment is under way.
    pub fn begin(&mut self) {
        self.added.clear();
        self.taken.clear();
        (self.taken_cost, self.untold) = (0, false);
    }

    /// Whether the Fragment under way neither was held nor closed a hole.
    pub const fn is_untouched(&self) -> bool {
        self.added.is_empty() && self.taken.is_empty() && !self.untold
    }

    /// Holds the bytes at `offset`, if they cost no more than `room`; what they cost. `None` where they are not held.
    pub fn add(&mut self, offset: u64, bytes: &[u8], room: usize) -> Option<usize> {
        let cost = cost(bytes);
        if self.cost + cost > MOST || cost > room || self.pieces.contains_key(&offset) {
            return None;
        }
        self.pieces.insert(offset, bytes.to_vec());
        self.cost += cost;
        self.added.push(offset);
        Some(cost)
    }

    /// Takes away the first piece, where it begins at `offset` or before.
    pub fn take(&mut self, offset: u64) -> Option<(u64, Vec<u8>)> {
        let first = self.pieces.first_entry().filter(|entry| *entry.key() <= offset)?;
        let (start, bytes) = first.remove_entry();
        self.cost -= cost(&bytes);
        Some((start, bytes))
    }

    /// Keeps a piece that was taken away, to be given back.
    pub fn keep_taken(&mut self, offset: u64, bytes: Vec<u8>) {
        self.taken_cost += cost(&bytes);
        self.taken.push((offset, bytes));
        if self.taken_cost > MOST {
            self.taken.clear();
            self.untold = true;
        }
    }

    /// Undoes what the Fragment under way did; whether it could.
    pub fn undo(&mut self) -> bool {
        self.pieces.extend(self.taken.drain(..));
        self.taken_cost = 0;
        for offset in self.added.drain(..) {
            self.pieces.remove(&offset);
        }
        self.weigh();
        !std::mem::take(&mut self.untold)
    }

    /// Drops what begins at `offset` or behind.
    pub fn drop_from(&mut self, offset: u64) {
        self.pieces.retain(|start, _| *start < offset);
        self.weigh();
    }

    fn weigh(&mut self) {
        self.cost = self.pieces.values().map(|bytes| cost(bytes)).sum();
    }
}

const fn cost(bytes: &[u8]) -> usize {
    bytes.len() + OVERHEAD
}
