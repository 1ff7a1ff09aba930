//! Bodies as they pass, in one nameless file, until it is known which of them make up which upload.

use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// Bytes copied at a time.
const STEP: usize = 64 << 10;

/// A file that nobody else sees and that goes away by itself.
#[derive(Debug)]
pub(super) struct Spool {
    /// None keeps track of the pieces alone.
    file: Option<BufWriter<File>>,
    len: u64,
}

/// Where bytes of a body are in the spool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// Offset within the uploaded file.
    pub offset: u64,
    /// How many.
    pub len: u64,
    place: u64,
}

impl Piece {
    /// The offset behind its last byte.
    pub const fn end(&self) -> u64 {
        self.offset.saturating_add(self.len)
    }
}

impl Spool {
    /// An empty spool on the file system of `dir`.
    pub fn new(dir: &Path) -> io::Result<Self> {
        let file = tempfile::tempfile_in(dir)?;
        Ok(Self { file: Some(BufWriter::with_capacity(1 << 20, file)), len: 0 })
    }

    /// A spool that drops the bytes and only keeps track of them.
    pub const fn dry() -> Self {
        Self { file: None, len: 0 }
    }

    /// Whether the bytes are dropped.
    pub const fn is_dry(&self) -> bool {
        self.file.is_none()
    }

    /// Keeps bytes that belong at `offset`, as part of the last piece where they carry it on.
    pub fn put(&mut self, pieces: &mut Vec<Piece>, offset: u64, bytes: &[u8]) -> io::Result<()> {
        if let Some(file) = &mut self.file {
            file.write_all(bytes)?;
        }
        let len = bytes.len() as u64;
        match pieces.last_mut() {
            Some(last) if last.end() == offset && last.place + last.len == self.len => {
                last.len += len;
            }
            _ => pieces.push(Piece { offset, len, place: self.len }),
        }
        self.len += len;
        Ok(())
    }

    /// Hands the bytes of `piece` from `from` up to but not including `to`, offsets within the uploaded file, to
    /// `each`.
    pub fn read(
        &mut self,
        piece: Piece,
        from: u64,
        to: u64,
        each: &mut impl FnMut(u64, &[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        file.flush()?;
        let file = file.get_mut();
        let (mut at, mut buffer) = (from, vec![0; STEP]);
        file.seek(SeekFrom::Start(piece.place + (from - piece.offset)))?;
        while at < to {
            let step = usize::try_from(to - at).unwrap_or(STEP).min(STEP);
            let part = buffer.get_mut(..step).unwrap_or_default();
            file.read_exact(part)?;
            each(at, part)?;
            at += step as u64;
        }
        // Whatever is put next goes to the end again.
        file.seek(SeekFrom::End(0))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_come_back_and_neighbours_are_one() {
        let dir = tempfile::tempdir().unwrap();
        let mut spool = Spool::new(dir.path()).unwrap();
        let mut pieces = Vec::new();
        spool.put(&mut pieces, 10, b"abc").unwrap();
        spool.put(&mut pieces, 13, b"def").unwrap();
        spool.put(&mut pieces, 30, b"xyz").unwrap();
        assert_eq!(pieces.len(), 2);
        let mut seen = Vec::new();
        spool
            .read(pieces[0], 12, 15, &mut |at, bytes| {
                seen.push((at, bytes.to_vec()));
                Ok(())
            })
            .unwrap();
        assert_eq!(seen, [(12, b"cde".to_vec())]);
    }

    #[test]
    fn bytes_behind_the_last_offset_there_is_are_kept_apart() {
        let (mut spool, mut pieces) = (Spool::dry(), Vec::new());
        spool.put(&mut pieces, u64::MAX - 1, b"abc").unwrap();
        spool.put(&mut pieces, 1, b"def").unwrap();
        assert_eq!(pieces.len(), 2);
    }
}
