//! Waiting for a moment where only a read can wait, and nothing ends it: a thread reads, and is left behind in the end.

use std::io::{self, Cursor, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;

use super::MOMENT;

/// Bytes that are read at a time.
const PIECE: usize = 64 << 10;

/// Pieces that are read ahead.
const AHEAD: usize = 4;

/// What a thread reads.
#[derive(Debug)]
pub struct Source {
    pieces: Receiver<io::Result<Vec<u8>>>,
    piece: Cursor<Vec<u8>>,
}

impl Source {
    /// Has `reader` read; none where there can be no thread.
    pub fn over(reader: impl Read + Send + 'static) -> Option<Self> {
        let (to, pieces) = sync_channel(AHEAD);
        let life = move || hand_over(reader, &to);
        thread::Builder::new().name("input".to_owned()).spawn(life).ok()?;
        Some(Self { pieces, piece: Cursor::default() })
    }

    /// Waits for a moment until there is something to read, or an end.
    pub fn is_ready(&mut self) -> io::Result<bool> {
        if self.piece.position() < self.piece.get_ref().len() as u64 {
            return Ok(true);
        }
        match self.pieces.recv_timeout(MOMENT) {
            Ok(piece) => self.piece = Cursor::new(piece?),
            Err(RecvTimeoutError::Timeout) => return Ok(false),
            Err(RecvTimeoutError::Disconnected) => {}
        }
        Ok(true)
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.piece.read(buffer)
    }
}

/// Reads until there is an end, a failure, or nobody who wants more.
fn hand_over(mut reader: impl Read, to: &SyncSender<io::Result<Vec<u8>>>) {
    loop {
        let mut piece = vec![0; PIECE];
        let read = reader.read(&mut piece);
        let is_over = !matches!(read, Ok(1..));
        let piece = read.map(|len| {
            piece.truncate(len);
            piece
        });
        if to.send(piece).is_err() || is_over {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_without_end_is_not_waited_for() {
        let (far, mut near) = io::pipe().unwrap();
        let mut source = Source::over(far).unwrap();
        assert!(!source.is_ready().unwrap());
        io::Write::write_all(&mut near, b"abc").unwrap();
        while !source.is_ready().unwrap() {}
        let mut buffer = [0; 2];
        assert_eq!((source.read(&mut buffer).unwrap(), &buffer), (2, b"ab"));
        assert!(source.is_ready().unwrap());
        assert_eq!((source.read(&mut buffer).unwrap(), buffer[0]), (1, b'c'));
        drop(near);
        while !source.is_ready().unwrap() {}
        assert_eq!(source.read(&mut buffer).unwrap(), 0);
        assert!(source.is_ready().unwrap());
    }

    #[test]
    fn a_failure_is_handed_over() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::ConnectionReset.into())
            }
        }
        let mut source = Source::over(Broken).unwrap();
        let error = loop {
            match source.is_ready() {
                Ok(ready) => assert!(!ready),
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    }
}
