//! A copy of the last bytes delivered, to notice repeats that differ.

use std::collections::VecDeque;

/// Bytes kept.
const KEPT: usize = 4 << 10;
/// Directions that have delivered this much are bulk, which should not pay for the copy.
const BULK: u64 = 16 << 10;

/// The last bytes of a direction, as long as it is young.
#[derive(Debug, Default)]
pub(super) struct Recent {
    start: u64,
    bytes: VecDeque<u8>,
}

impl Recent {
    /// Takes bytes delivered at `offset`, which follow the last ones.
    #[inline(always)]
    pub fn push(&mut self, offset: u64, bytes: &[u8]) {
        if offset < BULK {
            self.keep(offset, bytes);
        } else if self.bytes.capacity() > 0 {
            *self = Self::default();
        }
    }

    fn keep(&mut self, offset: u64, bytes: &[u8]) {
        let fresh = bytes.get(bytes.len().saturating_sub(KEPT)..).unwrap_or_default();
        let surplus = (self.bytes.len() + fresh.len()).saturating_sub(KEPT);
        self.bytes.drain(..surplus.min(self.bytes.len()));
        self.bytes.extend(fresh);
        self.start = (offset + bytes.len() as u64).saturating_sub(self.bytes.len() as u64);
    }

    /// Forgets everything: the next bytes come from `offset`.
    pub fn jump(&mut self, offset: u64) {
        self.bytes.clear();
        self.start = offset;
    }

    /// Whether `bytes` at `offset` contradict what is kept.
    pub fn differs(&self, offset: u64, bytes: &[u8]) -> bool {
        let skip = usize::try_from(offset.saturating_sub(self.start)).unwrap_or(usize::MAX);
        let theirs = bytes.get((self.start.saturating_sub(offset)) as usize..).unwrap_or_default();
        self.bytes.iter().skip(skip).zip(theirs).any(|(a, b)| a != b)
    }
}
