//! Bytes of a file to compare others with.

/// Bytes in a row.
#[derive(Debug, Default)]
pub(super) struct Run {
    pub start: u64,
    bytes: Vec<u8>,
}

impl Run {
    /// The offset behind them.
    pub fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }

    /// Adds what follows the others.
    pub fn add(&mut self, offset: u64, bytes: &[u8]) {
        if self.bytes.is_empty() {
            self.start = offset;
        }
        if self.end() == offset {
            self.bytes.extend_from_slice(bytes);
        }
    }

    /// What of it is at `offset` or behind.
    pub fn from(mut self, offset: u64) -> Self {
        let skip = usize::try_from(offset.saturating_sub(self.start)).unwrap_or(usize::MAX);
        self.bytes.drain(..skip.min(self.bytes.len()));
        self.start = self.start.max(offset);
        self
    }

    /// Whether other bytes are at `offset`.
    pub fn differs(&self, offset: u64, bytes: &[u8]) -> bool {
        let skip = |from: u64| usize::try_from(from).unwrap_or(usize::MAX);
        let ours = self.bytes.get(skip(offset.saturating_sub(self.start))..).unwrap_or_default();
        let theirs = bytes.get(skip(self.start.saturating_sub(offset))..).unwrap_or_default();
        ours.iter().zip(theirs).any(|(ours, theirs)| ours != theirs)
    }
}
