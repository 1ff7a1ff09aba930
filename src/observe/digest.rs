//! SHA-256 of an uploaded file, computed while its Fragments pass.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

/// Bytes held per file because those before them have not come yet. Servers that take ranges in any order see them
/// from clients that send few, small Fragments.
const HELD: usize = 1 << 20;

/// The digest of one file. Of bytes sent twice the first copy that was not refused counts.
#[derive(Clone, Debug, Default)]
pub struct FileDigest {
    hasher: Sha256,
    offset: u64,
    /// As it was before the Fragment under way.
    before: Option<Box<(Sha256, u64)>>,
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
    pub fn begin(&mut self, pipelined: bool) {
        self.pipelined |= pipelined;
        self.before = Some(Box::new((self.hasher.clone(), self.offset)));
        self.added.clear();
        self.taken.clear();
    }

    /// Bytes of the file at `offset`.
    pub fn data(&mut self, offset: u64, bytes: &[u8]) {
        if offset > self.offset {
            self.hold(offset, bytes);
            return;
        }
        self.take(offset, bytes);
        while let Some(entry) = self.held.first_entry().filter(|entry| *entry.key() <= self.offset)
        {
            let (offset, bytes) = entry.remove_entry();
            self.held_bytes -= bytes.len();
            self.take(offset, &bytes);
            self.taken.push((offset, bytes));
        }
    }

    fn take(&mut self, offset: u64, bytes: &[u8]) {
        let known = usize::try_from(self.offset - offset).unwrap_or(usize::MAX);
        let fresh = bytes.get(known..).unwrap_or_default();
        self.hasher.update(fresh);
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
    pub fn refuse(&mut self) {
        // Bytes of several Fragments have gone in: those of one cannot be taken out.
        self.spoilt |= self.pipelined;
        let Some(before) = self.before.take() else { return };
        (self.hasher, self.offset) = *before;
        self.held.extend(self.taken.drain(..));
        for offset in self.added.drain(..) {
            self.held.remove(&offset);
        }
        self.held_bytes = self.held.values().map(Vec::len).sum();
    }

    /// The digest in lower-case hexadecimal, where exactly `size` bytes went in.
    pub fn finish(self, size: u64) -> Option<String> {
        use std::fmt::Write;
        (self.offset == size && !self.spoilt).then(|| {
            self.hasher.finalize().iter().fold(String::with_capacity(64), |mut text, byte| {
                let _ = write!(text, "{byte:02x}");
                text
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Of "abc": FIPS 180-2 B.1.
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn bytes_may_come_in_any_order_and_twice() {
        let mut digest = FileDigest::default();
        digest.data(2, b"c");
        digest.data(0, b"ab");
        digest.data(1, b"XX");
        assert_eq!(digest.finish(3).as_deref(), Some(ABC));
    }

    #[test]
    fn a_refused_fragment_does_not_count() {
        let mut digest = FileDigest::default();
        digest.data(0, b"a");
        digest.begin(false);
        digest.data(1, b"xx");
        digest.refuse();
        digest.data(1, b"bc");
        assert_eq!(digest.finish(3).as_deref(), Some(ABC));
    }

    #[test]
    fn a_refused_fragment_is_not_held_either() {
        let mut digest = FileDigest::default();
        digest.begin(false);
        digest.data(1, b"xx");
        digest.refuse();
        digest.data(0, b"a");
        digest.data(1, b"bc");
        assert_eq!(digest.finish(3).as_deref(), Some(ABC));
    }

    #[test]
    fn a_refused_fragment_leaves_what_was_held() {
        let mut digest = FileDigest::default();
        digest.data(1, b"bc");
        digest.begin(false);
        digest.data(0, b"x");
        digest.refuse();
        digest.data(0, b"a");
        assert_eq!(digest.finish(3).as_deref(), Some(ABC));
    }

    #[test]
    fn a_hole_leaves_no_digest() {
        let mut digest = FileDigest::default();
        digest.data(1, b"bc");
        assert_eq!(digest.finish(3), None);
    }

    #[test]
    fn a_refusal_among_pipelined_fragments_leaves_no_digest() {
        let mut digest = FileDigest::default();
        digest.begin(false);
        digest.data(0, b"a");
        digest.begin(true);
        digest.data(1, b"bc");
        digest.refuse();
        digest.data(0, b"abc");
        assert_eq!(digest.finish(3), None);
    }
}
