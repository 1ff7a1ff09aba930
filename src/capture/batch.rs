//! Records that were read in one go.

use super::reader::BLOCK;
use super::record::{FrameFacts, Kind, Record};
use super::{Error, Frame, Item};
use crate::at::At;
use crate::packet::Plain;

/// Records one behind the other, and the bytes that they are in.
#[derive(Default)]
pub struct Batch {
    pub(super) bytes: Vec<u8>,
    pub(super) entries: Vec<Entry>,
    /// Bytes of the stream up to the end of the last one, or what follows it and holds none.
    pub(super) used: u64,
    /// The most bytes of a frame that were captured, as far as was read.
    pub(super) snaplen: Option<u32>,
    /// Nothing follows, because of an error or because this is all.
    pub(super) end: Option<Option<Error>>,
    /// There was no more to read: it may take a while.
    pub(super) short: bool,
}

/// A frame or secrets.
#[derive(Default)]
pub(super) struct Entry {
    /// Its ranges count from the start of the bytes of the batch.
    pub record: Record,
    /// Bytes of the stream up to its end.
    pub used: u64,
    /// The heads of a frame, where they are plain.
    pub plain: Option<Plain>,
}

impl Batch {
    /// What comes when no more does.
    pub fn last() -> Self {
        Self { end: Some(None), ..Self::default() }
    }

    /// Whether it had to grow for a record.
    pub const fn is_long(&self) -> bool {
        self.bytes.len() > 2 * BLOCK
    }

    /// What the header of the frame at `place` says; `None` for secrets.
    #[inline(always)]
    pub fn facts(&self, place: usize) -> Option<&FrameFacts> {
        let record = &self.entries.get(place)?.record;
        (record.kind == Kind::Frame).then_some(&record.facts)
    }

    /// The frame or the secrets at `place`; a frame is given its numbers by `at`.
    #[inline(always)]
    pub fn item(&self, place: usize, at: At) -> Option<Item<'_>> {
        let Entry { record, plain, .. } = self.entries.get(place)?;
        let data = self.bytes.get(record.data.clone())?;
        Some(match record.kind {
            Kind::Frame => Item::Frame(Frame {
                at: At { time: record.facts.time, ..at },
                link: record.facts.link,
                data,
                wire_len: record.facts.wire_len,
                comment: text(self.bytes.get(record.comment.clone())?),
                plain: plain.as_ref(),
            }),
            Kind::Secrets | Kind::Other => Item::Secrets(data),
        })
    }

    /// Bytes of the stream up to the end of the record at `place`, or of all where it is none.
    pub fn used(&self, place: usize) -> u64 {
        self.entries.get(place).map_or(self.used, |entry| entry.used)
    }
}

/// The part of a comment up to the first byte that is not UTF-8.
#[inline(always)]
pub(super) fn text(bytes: &[u8]) -> Option<&str> {
    if bytes.is_empty() {
        return None;
    }
    let valid = bytes.utf8_chunks().next()?.valid();
    (!valid.is_empty()).then_some(valid)
}
