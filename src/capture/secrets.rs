//! The TLS secrets of a pcapng file, wherever they stand in it.
//!
//! Secrets are meant to come before the packets that need them, but tools that append them write them last. Going over
//! the heads of all blocks is cheap; for a stream that cannot be read twice there is no such way.

use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::Path;

use super::blocks::{BYTE_ORDER, SECRETS, SECTION, TLS_KEY_LOG};
use super::record::Order;

/// Longest secrets block that is read.
const LONGEST: usize = 16 << 20;

/// A pcapng file of which only the secrets are read.
#[derive(Debug)]
pub struct LateSecrets(BufReader<File>);

impl LateSecrets {
    /// Opens a file; `None` for what is no plain pcapng file, or cannot be opened.
    pub fn open(path: &Path) -> Option<Self> {
        // Opening a pipe might wait, and reading from it would lose what is read.
        if !path.metadata().ok()?.is_file() {
            return None;
        }
        let mut file = File::open(path).ok()?;
        let kind = word(&mut file, Order::Big)?;
        file.rewind().ok()?;
        (kind == SECTION).then(|| Self(BufReader::with_capacity(1 << 18, file)))
    }

    /// The key logs in it, of at most 16 MiB each; what cannot be read ends the list.
    pub fn read(mut self) -> impl Iterator<Item = Vec<u8>> {
        let mut order = Order::default();
        std::iter::from_fn(move || self.block(&mut order)).flatten()
    }

    /// The key log in the next block, if it has one; `None` behind the last block.
    fn block(&mut self, order: &mut Order) -> Option<Option<Vec<u8>>> {
        let (kind, rest) = head(&mut self.0, order)?;
        if kind == SECRETS && rest <= LONGEST {
            let mut bytes = vec![0; rest];
            self.0.read_exact(&mut bytes).ok()?;
            return Some(key_log(&bytes, *order));
        }
        self.0.seek_relative(i64::try_from(rest).ok()?).ok()?;
        Some(None)
    }
}

/// Type of the next block and how much of it follows its head; of a section header the byte order is read too.
fn head(input: &mut impl Read, order: &mut Order) -> Option<(u32, usize)> {
    let kind = word(input, *order)?;
    let mut len = [0; 4];
    input.read_exact(&mut len).ok()?;
    if kind == SECTION {
        *order = if word(input, Order::Big)? == BYTE_ORDER { Order::Big } else { Order::Little };
    }
    let len = order.u32(&len, 0)? as usize;
    let read = if kind == SECTION { 12 } else { 8 };
    len.checked_sub(read).filter(|_| len.is_multiple_of(4)).map(|rest| (kind, rest))
}

fn key_log(body: &[u8], order: Order) -> Option<Vec<u8>> {
    let (kind, len) = (order.u32(body, 0)?, order.u32(body, 4)?);
    let text = body.get(8..)?.get(..len as usize)?;
    (kind == TLS_KEY_LOG).then(|| text.to_vec())
}

fn word(input: &mut impl Read, order: Order) -> Option<u32> {
    let mut bytes = [0; 4];
    input.read_exact(&mut bytes).ok()?;
    order.u32(&bytes, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(kind: u32, body: &[u8], word: fn(u32) -> [u8; 4]) -> Vec<u8> {
        let len = word(body.len() as u32 + 12);
        [&word(kind)[..], &len, body, &len].concat()
    }

    fn capture(word: fn(u32) -> [u8; 4]) -> Vec<u8> {
        let secret = [&word(TLS_KEY_LOG)[..], &word(5), b"abcde\0\0\0"].concat();
        let other = [&word(1)[..], &word(5), b"vwxyz\0\0\0"].concat();
        [
            block(SECTION, &[&word(BYTE_ORDER)[..], &[0; 12]].concat(), word),
            block(6, &[7; 400], word),
            block(SECRETS, &other, word),
            block(SECRETS, &secret, word),
        ]
        .concat()
    }

    fn found(bytes: &[u8]) -> Vec<Vec<u8>> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        LateSecrets::open(file.path()).map_or_else(Vec::new, |late| late.read().collect())
    }

    #[test]
    fn secrets_behind_packets_are_found_in_either_byte_order() {
        assert_eq!(found(&capture(u32::to_le_bytes)), [b"abcde"]);
        assert_eq!(found(&capture(u32::to_be_bytes)), [b"abcde"]);
    }

    #[test]
    fn sections_may_differ_in_byte_order() {
        let both = [capture(u32::to_be_bytes), capture(u32::to_le_bytes)].concat();
        assert_eq!(found(&both), [b"abcde", b"abcde"]);
    }

    #[test]
    fn cut_or_other_files_have_what_they_have() {
        let whole = capture(u32::to_le_bytes);
        assert!((0..whole.len()).all(|len| found(&whole[..len]).len() <= 1));
        assert!(found(b"\xd4\xc3\xb2\xa1 a pcap file").is_empty());
    }
}
