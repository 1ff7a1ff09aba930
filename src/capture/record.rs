//! What the decoders of all formats make of a record.

use std::ops::Range;

use super::{Error, LinkType};
use crate::at::Timestamp;

/// A record at the start of the window; ranges count from there.
#[derive(Default)]
pub struct Record {
    /// Bytes of all of it; 0 where there is none.
    pub size: usize,
    pub kind: Kind,
    /// What it carries.
    pub data: Range<usize>,
    /// Of a frame.
    pub facts: FrameFacts,
    /// Of a frame; empty where it has none.
    pub comment: Range<usize>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum Kind {
    Frame,
    Secrets,
    #[default]
    Other,
}

/// What the header of a frame says about it.
#[derive(Clone, Copy, Default)]
pub struct FrameFacts {
    pub time: Timestamp,
    pub link: LinkType,
    /// Bytes on the wire, no fewer than were captured.
    pub wire_len: u32,
    /// Bytes captured.
    pub captured: u32,
}

impl Record {
    /// Makes it one of a frame whose header states `wire_len`.
    #[inline(always)]
    pub fn set_frame(
        &mut self,
        data: Range<usize>,
        time: Timestamp,
        link: LinkType,
        wire_len: u32,
    ) {
        let captured = u32::try_from(data.len()).unwrap_or(u32::MAX);
        let wire_len = wire_len.max(captured);
        (self.kind, self.data, self.comment) = (Kind::Frame, data, 0..0);
        self.facts = FrameFacts { time, link, wire_len, captured };
    }
}

/// Decodes the records of one format.
pub trait Decode {
    /// Decodes the record at the start of `data`, which is at `offset` of the file; no longer than `cap`.
    ///
    /// # Errors
    ///
    /// [`Error::TooLong`] or [`Error::Damaged`] where it is.
    fn decode(
        &mut self,
        data: &[u8],
        offset: u64,
        cap: usize,
        record: &mut Record,
    ) -> Result<Step, Error>;
}

/// What the decoder of a format makes of the bytes at hand.
pub enum Step {
    /// At least so many bytes are needed to go on.
    More(usize),
    /// The record is all there.
    Whole,
}

/// Checks the length `len` that a record at `offset` states.
///
/// # Errors
///
/// [`Error::TooLong`] where it is more than `cap`.
#[inline(always)]
pub fn check_length(len: usize, cap: usize, offset: u64) -> Result<(), Error> {
    if len > cap {
        return Err(Error::TooLong { offset, len: len as u64, cap: cap as u64 });
    }
    Ok(())
}

/// The endianness of a file or section.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    #[default]
    Little,
    Big,
}

impl Order {
    /// Four numbers in a row.
    #[inline(always)]
    pub fn u32s(self, bytes: &[u8; 16]) -> [u32; 4] {
        let (numbers, _) = bytes.as_chunks();
        let number = |at: usize| u32::from_le_bytes(numbers.get(at).copied().unwrap_or_default());
        let little = std::array::from_fn(number);
        if self == Self::Big { little.map(u32::swap_bytes) } else { little }
    }

    pub fn u16(self, data: &[u8], at: usize) -> Option<u16> {
        let bytes = *data.get(at..)?.first_chunk()?;
        Some(if self == Self::Big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    }

    pub fn u32(self, data: &[u8], at: usize) -> Option<u32> {
        let bytes = *data.get(at..)?.first_chunk()?;
        Some(if self == Self::Big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }

    pub fn i64(self, data: &[u8], at: usize) -> Option<i64> {
        let bytes = *data.get(at..)?.first_chunk()?;
        Some(if self == Self::Big { i64::from_be_bytes(bytes) } else { i64::from_le_bytes(bytes) })
    }
}
