//! Records that were read in one go.

use std::ops::Range;

use super::reader::BLOCK;
use super::record::{FrameFacts, Kind, Record};
use super::{Error, Frame, Item, LinkType};
use crate::at::{At, Timestamp};

/// Records one behind the other, and the bytes that they are in.
#[derive(Default)]
pub struct Batch {
    pub(super) bytes: Vec<u8>,
    pub(super) entries: Vec<Entry>,
    /// Bytes of the stream up to the end of the last one, or what follows it and holds none.
    pub(super) used: u64,
    /// Where that is among the bytes here.
    pub(super) until: usize,
    /// The most bytes of a frame that were captured, as far as was read.
    pub(super) snaplen: Option<u32>,
    /// Frames that were dropped when it was captured, as far as was read.
    pub(super) dropped: u64,
    /// Why nothing follows, where nothing does.
    pub(super) end: Option<End>,
    /// There was no more to read: it may take a while.
    pub(super) short: bool,
}

/// Frames whose heads are fetched side by side.
const FETCHED: usize = 8;

/// The last byte of most heads: Ethernet, IPv4 and TCP.
const HEADS: usize = 53;

/// How the reading of a stream ends.
pub(super) enum End {
    /// That was all.
    Whole,
    /// What follows cannot be read.
    Broken(Error),
}

/// A frame or secrets, in few bytes: one core hands them to another.
pub(super) struct Entry {
    kind: Kind,
    /// Of a frame.
    time: Timestamp,
    link: LinkType,
    wire_len: u32,
    /// What it carries, among the bytes of the batch.
    data: Place,
    /// Of a frame; empty where it has none.
    comment: Place,
    /// Where its record ends there.
    until: u32,
}

/// Where something begins, and how long it is.
#[derive(Clone, Copy)]
struct Place {
    start: u32,
    len: u32,
}

impl Place {
    #[inline(always)]
    const fn of(range: &Range<usize>, shift: usize) -> Self {
        Self { start: (shift + range.start) as u32, len: (range.end - range.start) as u32 }
    }

    #[inline(always)]
    const fn range(self) -> Range<usize> {
        self.start as usize..self.start as usize + self.len as usize
    }
}

impl Entry {
    /// What `record` holds, whose ranges count from `start` in the bytes of the batch.
    #[inline(always)]
    pub fn new(record: &Record, start: usize) -> Self {
        let FrameFacts { time, link, wire_len, .. } = record.facts;
        Self {
            kind: record.kind,
            time,
            link,
            wire_len,
            data: Place::of(&record.data, start),
            comment: Place::of(&record.comment, start),
            until: (start + record.size) as u32,
        }
    }
}

impl Batch {
    /// What comes when no more does.
    pub fn last() -> Self {
        Self { end: Some(End::Whole), ..Self::default() }
    }

    /// Whether it had to grow for a record.
    pub const fn is_long(&self) -> bool {
        self.bytes.len() > 2 * BLOCK
    }

    /// To be called at every `place`: at some, it fetches the heads of the next frames side by side. What another core
    /// has in its cache takes long to come, and else the worker would wait for one after the other.
    #[inline(always)]
    pub fn fetch(&self, place: usize) {
        if !place.is_multiple_of(FETCHED) {
            return;
        }
        let next = self.entries.get(place..).unwrap_or_default().iter().take(FETCHED);
        let byte = |place| self.bytes.get(place).copied().unwrap_or_default();
        let ends =
            next.map(|entry| entry.data.start as usize).map(|at| byte(at) ^ byte(at + HEADS));
        std::hint::black_box(ends.fold(0, |all, head| all ^ head));
    }

    /// What the header of the frame at `place` says; `None` for secrets.
    #[inline(always)]
    pub fn facts(&self, place: usize) -> Option<FrameFacts> {
        let Entry { kind, time, link, wire_len, data, .. } = *self.entries.get(place)?;
        (kind == Kind::Frame).then_some(FrameFacts { time, link, wire_len, captured: data.len })
    }

    /// The frame or the secrets at `place`; a frame is given its numbers by `at`.
    #[inline(always)]
    pub fn item(&self, place: usize, at: At) -> Option<Item<'_>> {
        let entry = self.entries.get(place)?;
        let data = self.bytes.get(entry.data.range())?;
        Some(match entry.kind {
            Kind::Frame => Item::Frame(Frame {
                at: At { time: entry.time, ..at },
                link: entry.link,
                data,
                wire_len: entry.wire_len,
                comment: text(self.bytes.get(entry.comment.range())?),
            }),
            Kind::Secrets | Kind::Other => Item::Secrets(data),
        })
    }

    /// Bytes of the stream up to the end of the record at `place`, or of all where it is none.
    pub fn used(&self, place: usize) -> u64 {
        let behind = |entry: &Entry| self.until - entry.until as usize;
        self.used - self.entries.get(place).map_or(0, behind) as u64
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

#[cfg(test)]
mod tests {
    use super::Entry;

    #[test]
    fn what_goes_from_core_to_core_is_short() {
        assert!(size_of::<Entry>() <= 48);
    }
}
