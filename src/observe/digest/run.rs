//! Bytes of a file to compare others with.

/// Bytes that are kept at most, or twice as many: a body may be longer than its range says.
const MOST: usize = 256 << 10;

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

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Adds what follows the others, of which the first ones may have to go; anything else takes their place.
    pub fn add(&mut self, offset: u64, bytes: &[u8]) {
        if self.bytes.is_empty() || self.end() != offset {
            self.bytes.clear();
            self.start = offset;
        }
        self.bytes.extend_from_slice(bytes);
        self.trim(MOST);
    }

    /// The bytes from `start` up to `end`, where it has them all.
    pub fn between(&self, start: u64, end: u64) -> Option<&[u8]> {
        let place = |offset: u64| usize::try_from(offset.checked_sub(self.start)?).ok();
        self.bytes.get(place(start)?..place(end)?)
    }

    /// Parts with what is at `offset` or behind.
    pub fn split_off(&mut self, offset: u64) -> Self {
        let place = usize::try_from(offset.saturating_sub(self.start)).unwrap_or(usize::MAX);
        let place = place.min(self.bytes.len());
        Self { start: self.start.max(offset), bytes: self.bytes.split_off(place) }
    }

    /// Goes on with `other` from where that begins.
    pub fn turn(&mut self, other: Self) {
        let _ = self.split_off(other.start);
        if self.bytes.is_empty() { *self = other } else { self.add(other.start, &other.bytes) }
    }

    /// Leaves the last `len` bytes, once there are twice as many.
    pub fn trim(&mut self, len: usize) {
        if self.bytes.len() > 2 * len {
            let surplus = self.bytes.len() - len;
            self.bytes.drain(..surplus);
            self.start += surplus as u64;
        }
    }

    /// Whether both begin at one place, and go on alike as far as both go.
    pub fn agrees(&self, other: &Self) -> bool {
        self.start == other.start && !self.differs(other.start, &other.bytes)
    }

    /// Whether other bytes are at `offset`.
    pub fn differs(&self, offset: u64, bytes: &[u8]) -> bool {
        let skip = |from: u64| usize::try_from(from).unwrap_or(usize::MAX);
        let ours = self.bytes.get(skip(offset.saturating_sub(self.start))..).unwrap_or_default();
        let theirs = bytes.get(skip(self.start.saturating_sub(offset))..).unwrap_or_default();
        ours.iter().zip(theirs).any(|(ours, theirs)| ours != theirs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_bytes_of_many_are_kept() {
        let mut run = Run::default();
        for place in 0..100 {
            run.add(place * 50_000, &[7; 50_000]);
            assert!(run.bytes.len() <= 2 * MOST);
        }
        assert_eq!(run.end(), 5_000_000);
        assert!(run.between(run.end() - MOST as u64, run.end()).is_some());
    }
}
