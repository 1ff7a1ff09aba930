//! Blocks of packed sessions, unpacked as they are needed.

use std::collections::VecDeque;
use std::io;
use std::ops::Range;

/// Blocks kept unpacked at most while the document is written: sessions end in about the order in which they begin.
pub(super) const AT_HAND: usize = 32;

/// Sessions packed together.
pub(super) struct Block {
    pub packed: Box<[u8]>,
    /// Bytes of them unpacked.
    pub len: usize,
    /// How many are still to be written.
    pub left: usize,
}

/// Blocks unpacked as they are needed.
pub(super) struct Unpacked {
    unpacker: zstd::bulk::Decompressor<'static>,
    blocks: Vec<Block>,
    /// Their numbers and what is in them, the one used last at the end.
    at_hand: VecDeque<(usize, Vec<u8>)>,
    /// What never became a block.
    rest: Vec<u8>,
}

impl Unpacked {
    pub fn new(blocks: Vec<Block>, rest: Vec<u8>) -> io::Result<Self> {
        let unpacker = zstd::bulk::Decompressor::new()?;
        Ok(Self { unpacker, blocks, at_hand: VecDeque::new(), rest })
    }

    /// The session at `range` of a block; each is to be asked for once.
    pub fn session(&mut self, number: usize, range: Range<usize>) -> io::Result<&[u8]> {
        if number >= self.blocks.len() {
            return Ok(self.rest.get(range).unwrap_or_default());
        }
        let at = self.at_hand.iter().position(|(held, _)| *held == number);
        let bytes = match at.and_then(|at| self.at_hand.remove(at)) {
            Some((_, bytes)) => bytes,
            None => self.unpack(number)?,
        };
        self.blocks.get_mut(number).into_iter().for_each(|block| block.left -= 1);
        self.at_hand.push_back((number, bytes));
        Ok(self.at_hand.back().and_then(|(_, bytes)| bytes.get(range)).unwrap_or_default())
    }

    /// Unpacks a block, in place of one that is done with or, where there are too many, the one not used for longest.
    fn unpack(&mut self, number: usize) -> io::Result<Vec<u8>> {
        let is_done = |number: usize| self.blocks.get(number).is_none_or(|block| block.left == 0);
        let done = self.at_hand.iter().position(|(number, _)| is_done(*number));
        let place = done.or_else(|| (self.at_hand.len() >= AT_HAND).then_some(0));
        let used = place.and_then(|place| self.at_hand.remove(place));
        let mut bytes = used.map(|(_, bytes)| bytes).unwrap_or_default();
        bytes.clear();
        if let Some(block) = self.blocks.get(number) {
            bytes.reserve_exact(block.len);
            self.unpacker.decompress_to_buffer(&block.packed, &mut bytes)?;
        }
        Ok(bytes)
    }
}
