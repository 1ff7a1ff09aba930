//! Reading in a thread of its own, while what was read before is unpacked.

use std::io::{self, BufRead, Read};
use std::ops::Range;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, Builder, ThreadId};

use super::window::Window;

/// Blocks there are: one to unpack, one to read into, and one on the way.
const BLOCKS: usize = 3;

/// A buffer, and the part of it that was read.
type Block = (Vec<u8>, Range<usize>);

/// A stream that has a thread of its own to read it, once another thread uses it than the one that opened it: a thread
/// has no more rights than who starts it, and that one may not have given up any yet.
pub struct Fetched<R> {
    opener: ThreadId,
    window: Option<Window<R>>,
    fetcher: Option<Fetcher>,
}

/// The thread that reads, as the other one sees it.
struct Fetcher {
    full: Receiver<io::Result<Block>>,
    empty: SyncSender<Vec<u8>>,
    block: Block,
}

impl<R: Read + Send + 'static> Fetched<R> {
    /// One that reads blocks of `len` bytes.
    pub fn new(reader: R, len: usize) -> Self {
        let window = Some(Window::new(reader, len));
        Self { opener: thread::current().id(), window, fetcher: None }
    }

    /// Begins to read in a thread, unless there is none to be had.
    fn start(&mut self) {
        self.opener = thread::current().id();
        let Some(window) = self.window.take() else { return };
        let (give, given) = sync_channel(1);
        let (full, filled) = sync_channel(BLOCKS);
        let (empty, emptied) = sync_channel(BLOCKS);
        let life = move || given.recv().map_or((), |window| fetch(window, &full, &emptied));
        if Builder::new().name("fetch".to_owned()).spawn(life).is_err() {
            self.window = Some(window);
            return;
        }
        let _ = give.send(window);
        for _ in 1..BLOCKS {
            let _ = empty.send(Vec::new());
        }
        self.fetcher = Some(Fetcher { full: filled, empty, block: (Vec::new(), 0..0) });
    }
}

/// Hands over block after block, at last an empty one or an error, as long as somebody wants them.
fn fetch<R: Read>(
    mut window: Window<R>,
    full: &SyncSender<io::Result<Block>>,
    empty: &Receiver<Vec<u8>>,
) {
    while let Ok(mut buffer) = empty.recv() {
        let more = window.want(1);
        let range = window.start()..window.start() + window.data().len();
        window.consume(range.len());
        window.swap(&mut buffer);
        let over = !matches!(more, Ok(true));
        if full.send(more.map(|_| (buffer, range))).is_err() || over {
            return;
        }
    }
}

impl Fetcher {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.block.1.is_empty()
            && let Ok(next) = self.full.recv()
        {
            let (used, _) = std::mem::replace(&mut self.block, next?);
            let _ = self.empty.send(used);
        }
        let (buffer, range) = &self.block;
        Ok(buffer.get(range.clone()).unwrap_or_default())
    }

    fn consume(&mut self, len: usize) {
        let range = &mut self.block.1;
        range.start = range.end.min(range.start.saturating_add(len));
    }
}

impl<R: Read + Send + 'static> Read for Fetched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: Read + Send + 'static> BufRead for Fetched<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if thread::current().id() != self.opener {
            self.start();
        }
        match (&mut self.fetcher, &mut self.window) {
            (Some(fetcher), _) => fetcher.fill_buf(),
            (None, Some(window)) => window.fill_buf(),
            (None, None) => Ok(&[]),
        }
    }

    fn consume(&mut self, len: usize) {
        match (&mut self.fetcher, &mut self.window) {
            (Some(fetcher), _) => fetcher.consume(len),
            (None, Some(window)) => window.consume(len),
            (None, None) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is read of a stream, up to an error: the first `here` bytes by the thread that opened it, the rest by another.
    fn split(stream: impl Read + Send + 'static, len: usize, here: usize) -> (Vec<u8>, String) {
        let mut fetched = Fetched::new(stream, len);
        let mut all = vec![0; here];
        fetched.read_exact(&mut all).unwrap();
        assert!(fetched.fetcher.is_none());
        let rest = move || {
            let end = fetched.read_to_end(&mut all);
            assert!(fetched.fetcher.is_some());
            (all, end.map_or_else(|error| error.to_string(), |_| String::new()))
        };
        thread::spawn(rest).join().unwrap()
    }

    struct Broken;

    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("no more"))
        }
    }

    #[test]
    fn whoever_reads_it_it_yields_all_there_is_and_then_the_error() {
        let bytes: Vec<u8> = (0..100_000_u32).map(|number| (number % 251) as u8).collect();
        for (len, here) in [(100, 0), (100, 1), (100, 100), (4096, 10_000), (1 << 20, 24)] {
            let whole = || io::Cursor::new(bytes.clone());
            let (read, error) = split(whole(), len, here);
            assert!(read == bytes && error.is_empty());
            let (read, error) = split(whole().chain(Broken), len, here);
            assert!(read == bytes && error == "no more");
        }
    }

    #[test]
    fn the_thread_ends_with_who_wants_its_blocks() {
        struct Endless(#[expect(dead_code)] SyncSender<()>);
        impl Read for Endless {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                Ok(buffer.len())
            }
        }
        let (gone, is_gone) = sync_channel(1);
        let mut fetched = Fetched::new(Endless(gone), 100);
        let life = move || assert_eq!(fetched.fill_buf().unwrap().len(), 100);
        thread::spawn(life).join().unwrap();
        assert!(is_gone.recv().is_err());
    }
}
