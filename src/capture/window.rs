//! A sliding window over a stream: what has been read and not been used yet.

use std::io::{self, BufRead, Read};
use std::ops::Range;

/// Bytes of a page of memory, or a part of one.
const PAGE: usize = 4096;

/// Holds the unread rest of a stream in one piece, as much of it as is asked for.
pub struct Window<R> {
    reader: R,
    buffer: Vec<u8>,
    /// Bytes read at a time, where they fit.
    block: usize,
    start: usize,
    end: usize,
    /// How far the buffer is filled.
    limit: usize,
    offset: u64,
    broken: bool,
    short: bool,
}

impl<R: Read> Window<R> {
    /// One that reads `block` bytes at a time.
    pub fn new(reader: R, block: usize) -> Self {
        let mut window = Self {
            reader,
            buffer: Vec::new(),
            block,
            start: 0,
            end: 0,
            limit: 0,
            offset: 0,
            broken: false,
            short: false,
        };
        window.swap(&mut Vec::new());
        window
    }

    /// The place in `buffer` where a block is read to: on a page of its own, as in the cache of the system, which is
    /// copied several times as fast from page to page, and behind some room for what is left over.
    fn place(&self, buffer: &[u8]) -> usize {
        let room = self.block / 8;
        let to_page = |rest: &[u8]| rest.as_ptr().align_offset(PAGE).min(PAGE);
        room + buffer.get(room..).map_or(0, to_page)
    }

    /// Bytes of a buffer for a block.
    const fn size(&self) -> usize {
        self.block / 8 + PAGE + self.block
    }

    /// The bytes at hand.
    #[inline]
    pub fn data(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Of [`data`](Self::data) the part in `range`, which is known to be there.
    #[inline(always)]
    pub fn part(&self, range: &Range<usize>) -> Option<&[u8]> {
        self.buffer.get(self.start + range.start..self.start + range.end)
    }

    /// Where in the stream [`data`](Self::data) begins.
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// Where in the buffer [`data`](Self::data) begins.
    pub const fn start(&self) -> usize {
        self.start
    }

    /// Whether a compressed stream ended before its proper end.
    pub const fn is_broken(&self) -> bool {
        self.broken
    }

    /// Whether there was less to read than there was room for.
    pub const fn is_short(&self) -> bool {
        self.short
    }

    /// Gives up the first `len` bytes at hand.
    #[inline]
    pub fn consume(&mut self, len: usize) {
        let len = len.min(self.end - self.start);
        self.start += len;
        self.offset += len as u64;
    }

    /// Hands out the buffer, and goes on in `other` with what is at hand.
    pub fn swap(&mut self, other: &mut Vec<u8>) {
        // A buffer that had to hold a long record is not kept.
        if other.len() != self.size() {
            *other = vec![0; self.size()];
        }
        let rest = self.end - self.start;
        if rest > other.len() {
            other.resize(rest, 0);
        }
        let place = self.place(other);
        let start = place.saturating_sub(rest);
        if let Some(place) = other.get_mut(start..start + rest) {
            place.copy_from_slice(self.data());
        }
        std::mem::swap(&mut self.buffer, other);
        (self.start, self.end, self.limit) = (start, start + rest, place + self.block);
    }

    /// Tries to have `len` bytes at hand; false where the stream ends before.
    #[inline]
    pub fn want(&mut self, len: usize) -> io::Result<bool> {
        if self.end - self.start >= len { Ok(true) } else { self.fill(len) }
    }

    #[inline(never)]
    fn fill(&mut self, len: usize) -> io::Result<bool> {
        self.make_room(len);
        while self.end - self.start < len {
            let room = self.buffer.get_mut(self.end..self.limit).unwrap_or_default();
            match self.reader.read(room) {
                Ok(0) => return Ok(false),
                Ok(read) => {
                    self.short = read < room.len();
                    self.end += read;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    self.broken = true;
                    return Ok(false);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// Moves what is at hand to where it belongs, unless there is more to be read behind it, and place for `len` bytes
    /// in all.
    fn make_room(&mut self, len: usize) {
        if self.end < self.limit && self.start + len <= self.limit {
            return;
        }
        let (place, rest) = (self.place(&self.buffer), self.end - self.start);
        let start = place.saturating_sub(rest);
        self.buffer.copy_within(self.start..self.end, start);
        (self.start, self.end, self.limit) = (start, start + rest, place + self.block);
        if self.limit < start + len {
            self.limit = (start + len).next_power_of_two();
            self.buffer.resize(self.limit.max(self.buffer.len()), 0);
        }
    }
}

impl<R: Read> Read for Window<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        Self::consume(self, read);
        Ok(read)
    }
}

impl<R: Read> BufRead for Window<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.want(1)?;
        Ok(self.data())
    }

    fn consume(&mut self, len: usize) {
        Self::consume(self, len);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_for_what_is_larger_than_the_buffer() {
        let mut window = Window::new(&b"abcdefghij"[..], 4);
        assert!(window.want(3).unwrap());
        window.consume(2);
        assert!(window.want(8).unwrap());
        assert_eq!(window.data(), b"cdefghij");
        assert_eq!(window.offset(), 2);
        assert!(!window.want(9).unwrap());
    }

    /// Yields whatever is asked for, to the first byte of a page.
    struct Aligned;

    impl Read for Aligned {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            assert_eq!(buffer.as_ptr().align_offset(PAGE), 0);
            Ok(buffer.len())
        }
    }

    #[test]
    fn blocks_are_read_to_pages_of_their_own() {
        let (mut window, mut other) = (Window::new(Aligned, 64 << 10), Vec::new());
        for left in [0, 1, 1000, 8 << 10] {
            assert!(window.want(window.data().len() + 1).unwrap());
            window.consume(window.data().len() - left);
            window.swap(&mut other);
            assert_eq!(window.data().len(), left);
        }
    }

    #[test]
    fn a_stream_of_a_window_is_that_below() {
        let mut lent = Window::new(Aligned, 64 << 10);
        for _ in 0..3 {
            assert_eq!(lent.fill_buf().unwrap().len(), 64 << 10);
            BufRead::consume(&mut lent, 64 << 10);
        }
        let bytes: Vec<u8> = (0..=255).collect();
        let mut read = Vec::new();
        Window::new(&bytes[..], 100).read_to_end(&mut read).unwrap();
        assert_eq!(read, bytes);
    }
}
