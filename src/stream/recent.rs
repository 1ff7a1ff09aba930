//! What is known of the last bytes delivered, to notice repeats that differ.

use std::collections::VecDeque;

/// Bytes kept of a young direction.
const KEPT: usize = 4 << 10;
/// Directions that have delivered this much are bulk, which should not pay for the copy.
const BULK: u64 = 16 << 10;
/// Marks of a bulk direction.
const MARKS: usize = 128;
/// Bytes that share a mark, as a power of two: large segments have one of their own.
const SHARE: u32 = 10;

/// The last bytes of a direction, as long as it is young; then the first ones of each of the last segments.
#[derive(Debug, Default)]
pub(super) struct Recent {
    start: u64,
    bytes: VecDeque<u8>,
    /// In the making, while the direction is young.
    next: Option<Box<Marks>>,
    marks: Option<Box<Marks>>,
}

/// Bytes by where they begin.
#[derive(Debug)]
struct Marks {
    /// The low half of their offset.
    places: [u32; MARKS],
    bytes: [[u8; 4]; MARKS],
}

impl Default for Marks {
    fn default() -> Self {
        Self { places: [0; MARKS], bytes: [[0; 4]; MARKS] }
    }
}

impl Marks {
    #[inline(always)]
    fn put(&mut self, offset: u64, first: Option<[u8; 4]>) {
        let slot = (offset >> SHARE) as usize % MARKS;
        if let Some(first) = first
            && let Some(place) = self.places.get_mut(slot)
            && let Some(bytes) = self.bytes.get_mut(slot)
        {
            (*place, *bytes) = (offset as u32, first);
        }
    }

    /// Whether `bytes` at `offset` contradict any.
    fn differ(&self, offset: u64, bytes: &[u8]) -> bool {
        self.places.iter().zip(&self.bytes).any(|(place, ours)| {
            let skip = place.wrapping_sub(offset as u32) as usize;
            let theirs = bytes.get(skip..).and_then(<[u8]>::first_chunk);
            *place > 0 && theirs.is_some_and(|theirs| theirs != ours)
        })
    }
}

impl Recent {
    /// Takes bytes delivered at `offset`, which follow the last ones, and of which `first` are the first.
    #[inline(always)]
    pub fn push(&mut self, offset: u64, bytes: &[u8], first: Option<[u8; 4]>) {
        match &mut self.marks {
            Some(marks) => marks.put(offset, first),
            None => self.grow(offset, bytes),
        }
    }

    #[inline(never)]
    fn grow(&mut self, offset: u64, bytes: &[u8]) {
        if offset >= KEPT as u64 {
            self.next.get_or_insert_default().put(offset, bytes.first_chunk().copied());
        }
        if offset < BULK {
            self.keep(offset, bytes);
        } else {
            self.bytes = VecDeque::new();
            self.marks = self.next.take();
        }
    }

    fn keep(&mut self, offset: u64, bytes: &[u8]) {
        let fresh = bytes.get(bytes.len().saturating_sub(KEPT)..).unwrap_or_default();
        let surplus = (self.bytes.len() + fresh.len()).saturating_sub(KEPT);
        self.bytes.drain(..surplus.min(self.bytes.len()));
        if self.bytes.len() + fresh.len() > KEPT / 4 {
            // Who says so much says more: growing bit by bit would copy it all again, and end with more room.
            self.bytes.reserve_exact(KEPT - self.bytes.len());
        }
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
            || [&self.marks, &self.next]
                .into_iter()
                .flatten()
                .any(|marks| marks.differ(offset, bytes))
    }
}
