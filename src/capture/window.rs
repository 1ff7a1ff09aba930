//! A sliding window over a stream: what has been read and not been used yet.

use std::io::{self, Read};
use std::ops::Range;

use super::ahead::Ahead;

/// Holds the unread rest of a stream in one piece, as much of it as is asked for.
pub struct Window<R> {
    source: Source<R>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    offset: u64,
    broken: bool,
}

enum Source<R> {
    Here(R),
    Ahead(Ahead),
    /// On its way from the one to the other.
    None,
}

impl<R: Read + Send + 'static> Window<R> {
    /// Leaves the reading to another thread from now on.
    pub fn read_ahead(&mut self) {
        if let Source::Here(reader) = std::mem::replace(&mut self.source, Source::None) {
            self.source = match Ahead::start(reader) {
                Ok(ahead) => Source::Ahead(ahead),
                Err(reader) => reader.map_or(Source::None, Source::Here),
            };
        }
    }
}

impl<R: Read> Window<R> {
    pub fn new(reader: R, capacity: usize) -> Self {
        Self {
            source: Source::Here(reader),
            buffer: vec![0; capacity],
            start: 0,
            end: 0,
            offset: 0,
            broken: false,
        }
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

    /// Whether a compressed stream ended before its proper end.
    pub const fn is_broken(&self) -> bool {
        self.broken
    }

    /// Gives up the first `len` bytes at hand.
    #[inline]
    pub fn consume(&mut self, len: usize) {
        let len = len.min(self.end - self.start);
        self.start += len;
        self.offset += len as u64;
    }

    /// Tries to have `len` bytes at hand; false where the stream ends before.
    #[inline]
    pub fn want(&mut self, len: usize) -> io::Result<bool> {
        if self.end - self.start >= len { Ok(true) } else { self.fill(len) }
    }

    #[inline(never)]
    fn fill(&mut self, len: usize) -> io::Result<bool> {
        if matches!(self.source, Source::Here(_)) {
            self.make_room(len);
        }
        while self.end - self.start < len {
            match self.read() {
                Ok(false) => return Ok(false),
                Ok(true) => {}
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

    fn read(&mut self) -> io::Result<bool> {
        match &mut self.source {
            Source::Here(reader) => {
                let read = reader.read(self.buffer.get_mut(self.end..).unwrap_or_default())?;
                self.end += read;
                Ok(read > 0)
            }
            Source::Ahead(ahead) => ahead.fill(&mut self.buffer, &mut self.start, &mut self.end),
            Source::None => Ok(false),
        }
    }

    fn make_room(&mut self, len: usize) {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.buffer.len() < len {
            self.buffer.resize(len.next_power_of_two(), 0);
        }
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
}
