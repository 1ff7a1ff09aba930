//! Bytes captured of something whose length on the wire is known.

use super::Skip;

/// The captured start of `wire` bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'a> {
    pub data: &'a [u8],
    pub wire: usize,
}

impl<'a> View<'a> {
    /// Why a header does not fit.
    pub fn short(self) -> Skip {
        if self.data.len() < self.wire { Skip::Cut } else { Skip::Malformed }
    }

    /// What follows the first `len` bytes.
    pub fn skip(self, len: usize) -> Result<Self, Skip> {
        let data = self.data.get(len..).ok_or_else(|| self.short())?;
        Ok(Self { data, wire: self.wire.saturating_sub(len).max(data.len()) })
    }

    /// The first `wire` bytes by a length field.
    pub fn limit(self, wire: usize) -> Self {
        Self { data: self.data.get(..wire).unwrap_or(self.data), wire }
    }

    pub fn u8(self, offset: usize) -> Result<u8, Skip> {
        self.data.get(offset).copied().ok_or_else(|| self.short())
    }

    pub fn u16(self, offset: usize) -> Result<u16, Skip> {
        self.array(offset).map(u16::from_be_bytes)
    }

    pub fn u32(self, offset: usize) -> Result<u32, Skip> {
        self.array(offset).map(u32::from_be_bytes)
    }

    /// As [`u16`](Self::u16), little-endian.
    pub fn le16(self, offset: usize) -> Result<u16, Skip> {
        self.array(offset).map(u16::from_le_bytes)
    }

    /// As [`u32`](Self::u32), little-endian.
    pub fn le32(self, offset: usize) -> Result<u32, Skip> {
        self.array(offset).map(u32::from_le_bytes)
    }

    fn array<const N: usize>(self, offset: usize) -> Result<[u8; N], Skip> {
        let rest = self.data.get(offset..).ok_or_else(|| self.short())?;
        rest.first_chunk().copied().ok_or_else(|| self.short())
    }
}
