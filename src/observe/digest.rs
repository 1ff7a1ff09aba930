//! SHA-256 of an uploaded file, computed while its Fragments pass.

use std::collections::BTreeMap;

use super::hashing::{Kept, Lane, Pool};

/// Bytes held per file because those before them have not come yet. Servers that take ranges in any order see them
/// from clients that send few, small Fragments.
const HELD: usize = 1 << 20;

/// The digest of one file. Of bytes sent twice the first copy that was not refused counts.
#[derive(Debug, Default)]
pub struct FileDigest {
    lane: Lane,
    offset: u64,
    /// As it was before the Fragment under way.
    before: Option<(Kept, u64)>,
    held: BTreeMap<u64, Vec<u8>>,
    /// What the Fragment under way added to those held.
    added: Vec<u64>,
    /// What it took from them by closing a hole.
    taken: Vec<(u64, Vec<u8>)>,
    held_bytes: usize,
    pipelined: bool,
    spoilt: bool,
}

impl FileDigest {
    /// A Fragment begins; `pipelined`, while another one waits for its answer.
    pub fn begin(&mut self, pool: &mut Pool, pipelined: bool) {
        self.pipelined |= pipelined;
        self.before = Some((pool.keep(&self.lane), self.offset));
        self.added.clear();
        self.taken.clear();
    }

    /// Bytes of the file at `offset`.
    pub fn data(&mut self, pool: &mut Pool, offset: u64, bytes: &[u8]) {
        if offset > self.offset {
            self.hold(offset, bytes);
            return;
        }
        self.take(pool, offset, bytes);
        while let Some(entry) = self.held.first_entry().filter(|entry| *entry.key() <= self.offset)
        {
            let (offset, bytes) = entry.remove_entry();
            self.held_bytes -= bytes.len();
            self.take(pool, offset, &bytes);
            self.taken.push((offset, bytes));
        }
    }

    fn take(&mut self, pool: &mut Pool, offset: u64, bytes: &[u8]) {
        let known = usize::try_from(self.offset - offset).unwrap_or(usize::MAX);
        let fresh = bytes.get(known..).unwrap_or_default();
        pool.update(&mut self.lane, fresh);
        self.offset += fresh.len() as u64;
    }

    fn hold(&mut self, offset: u64, bytes: &[u8]) {
        if self.held_bytes + bytes.len() <= HELD && !self.held.contains_key(&offset) {
            self.held.insert(offset, bytes.to_vec());
            self.held_bytes += bytes.len();
            self.added.push(offset);
        }
    }

    /// The Fragment under way was refused: its bytes do not count.
    pub fn refuse(&mut self, pool: &mut Pool) {
        // Bytes of several Fragments have gone in: those of one cannot be taken out.
        self.spoilt |= self.pipelined;
        let Some((kept, offset)) = self.before.take() else { return };
        pool.restore(&mut self.lane, kept);
        self.offset = offset;
        self.held.extend(self.taken.drain(..));
        for offset in self.added.drain(..) {
            self.held.remove(&offset);
        }
        self.held_bytes = self.held.values().map(Vec::len).sum();
    }

    /// The digest in lower-case hexadecimal, where exactly `size` bytes went in.
    pub fn finish(self, pool: &mut Pool, size: Option<u64>) -> Option<String> {
        use std::fmt::Write;
        if size != Some(self.offset) || self.spoilt {
            pool.forget(self.lane);
            return None;
        }
        let hash = pool.finish(self.lane)?;
        Some(hash.iter().fold(String::with_capacity(64), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Of "abc": FIPS 180-2 B.1.
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn bytes_may_come_in_any_order_and_twice() {
        let (mut digest, pool) = (FileDigest::default(), &mut Pool::default());
        digest.data(pool, 2, b"c");
        digest.data(pool, 0, b"ab");
        digest.data(pool, 1, b"XX");
        assert_eq!(digest.finish(pool, Some(3)).as_deref(), Some(ABC));
    }

    #[test]
    fn a_refused_fragment_does_not_count() {
        let (mut digest, pool) = (FileDigest::default(), &mut Pool::default());
        digest.data(pool, 0, b"a");
        digest.begin(pool, false);
        digest.data(pool, 1, b"xx");
        digest.refuse(pool);
        digest.data(pool, 1, b"bc");
        assert_eq!(digest.finish(pool, Some(3)).as_deref(), Some(ABC));
    }

    #[test]
    fn a_refused_fragment_is_not_held_either() {
        let (mut digest, pool) = (FileDigest::default(), &mut Pool::default());
        digest.begin(pool, false);
        digest.data(pool, 1, b"xx");
        digest.refuse(pool);
        digest.data(pool, 0, b"a");
        digest.data(pool, 1, b"bc");
        assert_eq!(digest.finish(pool, Some(3)).as_deref(), Some(ABC));
    }

    #[test]
    fn a_refused_fragment_leaves_what_was_held() {
        let (mut digest, pool) = (FileDigest::default(), &mut Pool::default());
        digest.data(pool, 1, b"bc");
        digest.begin(pool, false);
        digest.data(pool, 0, b"x");
        digest.refuse(pool);
        digest.data(pool, 0, b"a");
        assert_eq!(digest.finish(pool, Some(3)).as_deref(), Some(ABC));
    }

    #[test]
    fn a_hole_leaves_no_digest() {
        let (mut digest, pool) = (FileDigest::default(), &mut Pool::default());
        digest.data(pool, 1, b"bc");
        assert_eq!(digest.finish(pool, Some(3)), None);
    }

    #[test]
    fn a_refusal_among_pipelined_fragments_leaves_no_digest() {
        let (mut digest, pool) = (FileDigest::default(), &mut Pool::default());
        digest.begin(pool, false);
        digest.data(pool, 0, b"a");
        digest.begin(pool, true);
        digest.data(pool, 1, b"bc");
        digest.refuse(pool);
        digest.data(pool, 0, b"abc");
        assert_eq!(digest.finish(pool, Some(3)), None);
    }
}
