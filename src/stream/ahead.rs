//! What arrived ahead of earlier bytes of a direction, under caps.

use std::collections::BTreeMap;

use super::part::{Held, Part};

/// What a held segment costs beyond its bytes.
const OVERHEAD: usize = 96;

/// Bytes that may be held.
#[derive(Debug)]
pub(super) struct Budget {
    pub per_side: usize,
    pub in_all: usize,
    pub held: usize,
    /// Bytes no longer waited for, since too much was held behind them.
    pub given_up: u64,
}

/// Segments that wait for earlier ones, by offset; no two have a byte in common.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    held: BTreeMap<u64, Held>,
    /// What they cost.
    cost: usize,
}

impl Ahead {
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// The first offset held.
    pub fn first(&self) -> Option<u64> {
        self.held.first_key_value().map(|(&offset, _)| offset)
    }

    /// The offset behind the last byte held; 0 without any.
    pub fn end(&self) -> u64 {
        let last = self.held.last_key_value();
        last.map_or(0, |(offset, held)| offset.saturating_add(held.len))
    }

    /// The first part held that begins at `offset` or behind it.
    pub fn from(&self, offset: u64) -> Option<Part<'_>> {
        self.held.range(offset..).next().map(|(&offset, held)| held.part(offset))
    }

    /// The parts held that have bytes in common with `part`, the last one first.
    pub fn sharing(&self, part: Part<'_>) -> impl Iterator<Item = Part<'_>> {
        let before = self.held.range(..part.end()).rev().map(|(&offset, held)| held.part(offset));
        before.take_while(move |held| held.end() > part.offset)
    }

    /// Holds what `part` adds, unless that breaks a cap.
    pub fn hold(&mut self, part: Part<'_>, budget: &mut Budget) -> bool {
        let cost = part.bytes.len() + OVERHEAD;
        if self.cost + cost > budget.per_side || budget.held + cost > budget.in_all {
            return false;
        }
        let mut from = part.offset;
        while from < part.end() {
            let (to, resume) = self.free(from, part.end());
            if to > from {
                self.insert(part.within(from, to), budget);
            }
            from = resume;
        }
        true
    }

    /// The end of the free space at `from`, and where the piece that ends it ends.
    fn free(&self, from: u64, end: u64) -> (u64, u64) {
        let before = self.held.range(..=from).next_back();
        if let Some((&offset, held)) = before
            && offset.saturating_add(held.len) > from
        {
            return (from, offset.saturating_add(held.len));
        }
        match self.held.range(from..end).next() {
            Some((&offset, held)) => (offset, offset.saturating_add(held.len)),
            None => (end, end),
        }
    }

    fn insert(&mut self, part: Part<'_>, budget: &mut Budget) {
        let Part { at, offset, acked, bytes, len } = part;
        self.cost += bytes.len() + OVERHEAD;
        budget.held += bytes.len() + OVERHEAD;
        self.held.insert(offset, Held { at, acked, bytes: bytes.into(), len });
    }

    /// Takes away the first one, if it begins at `offset` or before.
    pub fn take(&mut self, offset: u64, budget: &mut Budget) -> Option<(u64, Held)> {
        let first = self.held.first_entry().filter(|first| *first.key() <= offset)?;
        let (offset, held) = first.remove_entry();
        let cost = held.bytes.len() + OVERHEAD;
        self.cost = self.cost.saturating_sub(cost);
        budget.held = budget.held.saturating_sub(cost);
        Some((offset, held))
    }

    /// Drops everything.
    pub fn clear(&mut self, budget: &mut Budget) {
        budget.held = budget.held.saturating_sub(self.cost);
        self.cost = 0;
        self.held.clear();
    }
}
