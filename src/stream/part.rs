//! Pieces of a direction: where they are, and what was captured of them.

use crate::at::At;

/// A sequence number (RFC 9293 3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seq(pub u32);

impl Seq {
    /// The number `bytes` further.
    pub const fn plus(self, bytes: u64) -> Self {
        // The remainder by 2^32 is what sequence numbers are.
        Self(self.0.wrapping_add(bytes as u32))
    }

    /// How far `self` is after `earlier`, negative if it is before.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.wrapping_sub(earlier.0).cast_signed() as i64
    }
}

/// Bytes at an offset; `bytes` is what was captured of `len`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part<'a> {
    pub at: At,
    pub offset: u64,
    /// Offset that it acknowledges in the other direction; 0 if unknown.
    pub acked: u64,
    pub bytes: &'a [u8],
    pub len: u64,
}

impl<'a> Part<'a> {
    /// Whether all of it was captured.
    #[inline(always)]
    pub fn is_whole(&self) -> bool {
        self.bytes.len() as u64 == self.len
    }

    /// The offset behind it.
    pub fn end(self) -> u64 {
        self.offset.saturating_add(self.len)
    }

    /// What lies in `from..to`.
    pub fn within(self, from: u64, to: u64) -> Self {
        if from <= self.offset && self.end() <= to {
            return self;
        }
        let (from, to) = (from.clamp(self.offset, self.end()), to.clamp(self.offset, self.end()));
        let start = (from - self.offset) as usize;
        let rest = self.bytes.get(start.min(self.bytes.len())..).unwrap_or_default();
        let len = to.saturating_sub(from);
        let keep = usize::try_from(len).unwrap_or(usize::MAX);
        Self { offset: from, bytes: rest.get(..keep).unwrap_or(rest), len, ..self }
    }
}

/// Bytes that came ahead of others.
#[derive(Debug)]
pub(super) struct Held {
    pub at: At,
    pub acked: u64,
    pub bytes: Box<[u8]>,
    pub len: u64,
}

impl Held {
    /// These bytes as a part at `offset`.
    pub fn part(&self, offset: u64) -> Part<'_> {
        Part { at: self.at, offset, acked: self.acked, bytes: &self.bytes, len: self.len }
    }
}
