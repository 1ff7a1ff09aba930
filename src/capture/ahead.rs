//! Reading, unpacking and taking apart in a thread of its own, while what was read before is worked on.
//!
//! What is handed over is in the cache of the other core. Where each frame begins goes along in one piece, which the
//! worker's core fetches in advance; frames lie apart, which it cannot foresee, so that it is told ([`Batch::fetch`]).

use std::collections::VecDeque;
use std::io::Read;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;
use std::time::Duration;

use super::Reader;
use super::batch::Batch;

/// Batches there are: some to work on and one to read into.
const BATCHES: usize = 6;

/// Batches that have to be there before a thread that waits for them is woken, which costs more time than a small one.
const TOGETHER: usize = 3;

/// How long the first of them waits for the others at most.
const MOMENT: Duration = Duration::from_millis(10);

/// A capture that is read by another thread.
pub struct Ahead {
    ring: Arc<Ring>,
}

/// What the two threads hand each other: who reads, and who works on what was read.
#[derive(Default)]
struct Ring {
    state: Mutex<State>,
    filled: Condvar,
    emptied: Condvar,
}

#[derive(Default)]
struct State {
    full: VecDeque<Batch>,
    empty: Vec<Batch>,
    /// Nothing more will be read, or nothing more is wanted.
    over: bool,
    /// The reader waits for empty batches, ...
    reader_waits: bool,
    /// ... or for all full ones to be taken.
    drains: bool,
    /// The worker waits for full ones, ...
    worker_waits: bool,
    /// ... and has for so long that one will do.
    idle: bool,
}

impl Ring {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next full batch; `None` where there will be none.
    fn full(&self) -> Option<Batch> {
        let mut state = self.lock();
        while state.full.is_empty() && !state.over {
            state.worker_waits = true;
            state = if state.idle {
                self.filled.wait(state).unwrap_or_else(PoisonError::into_inner)
            } else {
                let waited = self.filled.wait_timeout(state, MOMENT);
                let (mut state, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
                state.idle = timeout.timed_out();
                state
            };
        }
        (state.worker_waits, state.idle) = (false, false);
        let batch = state.full.pop_front();
        if state.drains && state.full.is_empty() {
            drop(state);
            self.emptied.notify_one();
        }
        batch
    }

    /// Takes a batch back, but not the room of a long one.
    fn used(&self, batch: Batch) {
        let batch = if batch.is_long() { Batch::default() } else { batch };
        let mut state = self.lock();
        state.empty.push(batch);
        if state.reader_waits && state.empty.len() >= TOGETHER {
            drop(state);
            self.emptied.notify_one();
        }
    }

    /// A batch to fill; `None` where nobody wants more.
    fn empty(&self) -> Option<Batch> {
        let mut state = self.lock();
        if state.empty.is_empty() {
            while state.empty.len() < TOGETHER && !state.over {
                state.reader_waits = true;
                state = self.emptied.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            state.reader_waits = false;
        }
        if state.over { None } else { state.empty.pop() }
    }

    /// Hands a batch over. After a long one it waits until it is taken, for the sake of memory.
    fn hand_over(&self, batch: Batch) {
        let at_once = batch.short || batch.end.is_some();
        let long = batch.is_long();
        let mut state = self.lock();
        state.full.push_back(batch);
        if state.worker_waits && (at_once || long || state.idle || state.full.len() >= TOGETHER) {
            self.filled.notify_one();
        }
        state.drains = long;
        while state.drains && !state.full.is_empty() && !state.over {
            state = self.emptied.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.drains = false;
    }

    /// Ends it for both.
    fn end(&self) {
        self.lock().over = true;
        self.filled.notify_one();
        self.emptied.notify_one();
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.ring.end();
    }
}

impl Ahead {
    /// Begins to read; gives `reader` back where there is no thread to be had.
    pub fn start<R: Read + Send + 'static>(reader: Box<Reader<R>>) -> Result<Self, Box<Reader<R>>> {
        let ring = Arc::new(Ring::default());
        let (give, given) = sync_channel(1);
        let other = Self { ring: Arc::clone(&ring) };
        let life = move || given.recv().map_or((), |reader: Box<_>| read(*reader, &other.ring));
        if Builder::new().name("read".to_owned()).spawn(life).is_err() {
            return Err(reader);
        }
        let _ = give.send(reader);
        Ok(Self { ring })
    }

    /// Takes `batch` back and gives the next one, at the end an empty one.
    pub fn fill(&self, batch: &mut Batch) {
        self.ring.used(std::mem::take(batch));
        *batch = self.ring.full().unwrap_or_else(Batch::last);
    }
}

fn read<R: Read>(mut reader: Reader<R>, ring: &Ring) {
    // The one that is worked on comes back for the first that is handed over.
    let mut new = BATCHES - 1;
    loop {
        let mut batch = if new > 0 {
            new -= 1;
            Batch::default()
        } else {
            let Some(used) = ring.empty() else { return };
            used
        };
        reader.fill(&mut batch);
        let over = batch.end.is_some();
        ring.hand_over(batch);
        if over {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::mpsc;

    use super::*;
    use crate::at::At;
    use crate::capture::Item;
    use crate::capture::batch::End;
    use crate::capture::pcap::tests::capture;
    use crate::capture::reader::BLOCK;
    use crate::limits::Limits;

    fn ahead<R: Read + Send + 'static>(stream: R) -> Ahead {
        Ahead::start(Box::new(Reader::new(stream, &Limits::default()).unwrap())).ok().unwrap()
    }

    /// Pieces as they come through a channel.
    struct Slow {
        pieces: mpsc::Receiver<Vec<u8>>,
        rest: io::Cursor<Vec<u8>>,
    }

    impl Read for Slow {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.rest.read(buffer)? {
                0 => {
                    self.rest = io::Cursor::new(self.pieces.recv().unwrap_or_default());
                    self.rest.read(buffer)
                }
                read => Ok(read),
            }
        }
    }

    #[test]
    fn what_was_read_does_not_wait_for_what_was_not() {
        let (record, long) = (capture(&[(1, b"abc")]), vec![7; BLOCK - 16]);
        let header = record[..24].to_vec();
        for record in [record[24..].to_vec(), capture(&[(1, &long)])[24..].to_vec()] {
            let (send, pieces) = mpsc::channel();
            let ahead = ahead(Slow { pieces, rest: io::Cursor::new(header.clone()) });
            let mut batch = Batch::default();
            for _ in 0..3 * BATCHES {
                send.send(record.clone()).unwrap();
                ahead.fill(&mut batch);
                assert_eq!((batch.entries.len(), batch.end.is_some()), (1, false));
            }
            drop(send);
            ahead.fill(&mut batch);
            assert!(matches!(batch.end, Some(End::Whole)) && batch.entries.is_empty());
        }
    }

    #[test]
    fn the_reader_ends_with_who_wants_its_batches() {
        struct Endless {
            rest: io::Cursor<Vec<u8>>,
            _gone: mpsc::Sender<()>,
        }
        impl Read for Endless {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                // Behind the header, records without bytes.
                match self.rest.read(buffer)? {
                    0 => Ok(buffer.len()),
                    read => Ok(read),
                }
            }
        }
        let (gone, is_gone) = mpsc::channel();
        let rest = io::Cursor::new(capture(&[]));
        drop(ahead(Endless { rest, _gone: gone }));
        assert!(is_gone.recv().is_err());
    }

    #[test]
    fn the_room_of_a_long_record_is_not_kept() {
        let bytes = vec![0; 3 * BLOCK];
        let frames: Vec<(u32, &[u8])> = (0..20).map(|second| (second, &bytes[..])).collect();
        let ahead = ahead(io::Cursor::new(capture(&frames)));
        let mut batch = Batch::default();
        while batch.end.is_none() {
            ahead.fill(&mut batch);
            let state = ahead.ring.lock();
            assert!(state.full.len() <= 1 && !state.empty.iter().any(Batch::is_long));
        }
    }

    #[test]
    fn records_come_whole_however_long_they_are() {
        let bytes: Vec<u8> = (0..1_000_000_u32).map(|number| (number % 251) as u8).collect();
        let lens = [0, 1, 1460, BLOCK / 8, BLOCK / 8 + 1, BLOCK, 3 * BLOCK, 5, 1_000_000, 7];
        let frames: Vec<(u32, &[u8])> = lens.iter().map(|len| (1, &bytes[..*len])).collect();
        let many: Vec<(u32, &[u8])> = (0..5_000).map(|second| (second, &bytes[..0])).collect();
        for frames in [frames, many] {
            let ahead = ahead(io::Cursor::new(capture(&frames)));
            let (mut batch, mut seen) = (Batch::default(), 0);
            while batch.end.is_none() {
                ahead.fill(&mut batch);
                for place in 0..batch.entries.len() {
                    let item = batch.item(place, At::default());
                    assert!(matches!(item, Some(Item::Frame(f)) if f.data == frames[seen].1));
                    seen += 1;
                }
            }
            assert_eq!(seen, frames.len());
            assert_eq!(batch.used, capture(&frames).len() as u64);
        }
    }
}
