//! One file from the bodies that hold its bytes; of bytes that are there twice the first copy counts.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom, Write};

use tempfile::NamedTempFile;

use super::manifest::{Cover, Part, State};
use super::spool::{Piece, Spool};
use crate::model::ranges::Ranges;

/// A body that holds bytes of a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Copy<'b> {
    pub pieces: &'b [Piece],
    pub taken: Taken,
}

/// Bytes of a body, from the first offset up to but not including the second, and what is known about them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taken {
    pub from: u64,
    pub to: u64,
    pub state: State,
    /// Whether the server may have them: bytes that have to agree with others.
    pub counts: bool,
}

impl Taken {
    /// All bytes of a body.
    pub const fn all(state: State) -> Self {
        Self { from: 0, to: u64::MAX, state, counts: true }
    }
}

/// A file under way.
pub(super) struct Build {
    /// None where only the ranges are wanted.
    pub file: Option<NamedTempFile>,
    pub size: u64,
    /// The bytes that are there.
    pub all: Ranges,
    /// Bytes whose copies differ.
    pub conflicts: Ranges,
    states: BTreeMap<State, Ranges>,
}

impl Build {
    /// An empty file of `size` bytes.
    pub fn new(file: Option<NamedTempFile>, size: u64) -> Self {
        let (all, conflicts) = Default::default();
        Self { file, size, all, conflicts, states: BTreeMap::new() }
    }

    /// Adds what `copy` has and the file has not, and compares the rest where that counts.
    pub fn add(&mut self, spool: &mut Spool, copy: Copy<'_>) -> io::Result<()> {
        for piece in copy.pieces {
            let (from, to) = self.bounds(piece, copy.taken);
            if copy.taken.counts {
                for (from, to) in self.known(from, to) {
                    let differing = self.compare(spool, *piece, from, to)?;
                    differing.iter().for_each(|(from, to)| self.conflicts.add(*from, *to));
                }
            }
            for (from, to) in self.unknown(from, to) {
                self.write(spool, *piece, from, to)?;
                self.states.entry(copy.taken.state).or_default().add(from, to);
                self.all.add(from, to);
            }
        }
        Ok(())
    }

    /// Whether `copy` agrees with what is there.
    pub fn agrees(&mut self, spool: &mut Spool, copy: Copy<'_>) -> io::Result<bool> {
        for piece in copy.pieces {
            let (from, to) = self.bounds(piece, copy.taken);
            for (from, to) in self.known(from, to) {
                if !self.compare(spool, *piece, from, to)?.is_empty() {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Whether every byte is there.
    pub fn is_whole(&self) -> bool {
        self.all.covers(0, self.size)
    }

    /// Whether bytes of this state went in.
    pub fn has(&self, state: State) -> bool {
        self.states.contains_key(&state)
    }

    /// Every byte with its state; `announced` tells those that were to come from those nobody spoke of.
    pub fn coverage(&self, announced: &Ranges) -> Vec<Cover> {
        let mut list = Vec::new();
        let mut put = |from: u64, to: u64, state| {
            list.push(Cover { part: Part { start: from, end: to - 1 }, state });
        };
        for (state, ranges) in &self.states {
            ranges.iter().for_each(|(from, to)| put(from, to, *state));
        }
        for (from, to) in self.unknown(0, self.size) {
            let mut at = from;
            for (low, high) in announced.within(from, to) {
                if at < low {
                    put(at, low, State::Missing);
                }
                put(low, high, State::Announced);
                at = high;
            }
            if at < to {
                put(at, to, State::Missing);
            }
        }
        list.sort_by_key(|cover| cover.part.start);
        list
    }

    fn bounds(&self, piece: &Piece, taken: Taken) -> (u64, u64) {
        let end = piece.end().min(taken.to).min(self.size);
        (piece.offset.max(taken.from), end)
    }

    fn known(&self, from: u64, to: u64) -> Vec<(u64, u64)> {
        self.all.within(from, to).filter(|(from, to)| from < to).collect()
    }

    fn unknown(&self, from: u64, to: u64) -> Vec<(u64, u64)> {
        let (mut at, mut gaps) = (from, Vec::new());
        for (low, high) in self.all.within(from, to) {
            if at < low {
                gaps.push((at, low));
            }
            at = high;
        }
        if at < to {
            gaps.push((at, to));
        }
        gaps
    }

    fn write(&mut self, spool: &mut Spool, piece: Piece, from: u64, to: u64) -> io::Result<()> {
        let Some(file) = self.file.as_mut().map(NamedTempFile::as_file_mut) else { return Ok(()) };
        file.seek(SeekFrom::Start(from))?;
        spool.read(piece, from, to, &mut |_, bytes| file.write_all(bytes))
    }

    /// Where the piece differs from what is there: from the first to the last differing byte of each step.
    fn compare(
        &mut self,
        spool: &mut Spool,
        piece: Piece,
        from: u64,
        to: u64,
    ) -> io::Result<Vec<(u64, u64)>> {
        let Some(file) = &mut self.file else { return Ok(Vec::new()) };
        let (mut own, mut differing) = (Vec::new(), Vec::new());
        file.seek(SeekFrom::Start(from))?;
        spool.read(piece, from, to, &mut |at, bytes| {
            own.resize(bytes.len(), 0);
            file.read_exact(&mut own)?;
            let unlike =
                || own.iter().zip(bytes).enumerate().filter(|(_, (own, other))| own != other);
            if let (Some((first, _)), Some((last, _))) = (unlike().next(), unlike().next_back()) {
                differing.push((at + first as u64, at + last as u64 + 1));
            }
            Ok(())
        })?;
        Ok(differing)
    }
}
