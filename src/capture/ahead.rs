//! Reading, and unpacking, in a thread of its own, while what was read before is worked on.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;
use std::time::Duration;

/// Bytes left free in front of those of a block, for what the last one left over.
const ROOM: usize = 16 << 10;

/// Bytes of a block: few system calls, and with those under way still within the cache of a core.
const BLOCK: usize = 128 << 10;

/// Blocks there are: a batch to work on and one to read into.
const BLOCKS: usize = 6;

/// Blocks that have to be there before a thread that waits for them is woken, which costs more time than a small block.
const BATCH: usize = 3;

/// How long the first block of a batch waits for the others at most.
const MOMENT: Duration = Duration::from_millis(10);

/// A stream that is read by another thread.
pub struct Ahead {
    ring: Arc<Ring>,
}

/// A buffer and how many of its bytes, from [`ROOM`] on, were read.
struct Block {
    buffer: Vec<u8>,
    len: usize,
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
    full: VecDeque<io::Result<Block>>,
    empty: Vec<Vec<u8>>,
    /// Nothing more will be read, or nothing more is wanted.
    over: bool,
    /// The reader waits for empty blocks.
    reader_waits: bool,
    /// The worker waits for full ones, ...
    worker_waits: bool,
    /// ... and has for so long that one will do.
    idle: bool,
}

impl Ring {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next full block; `None` where there will be none.
    fn full(&self) -> Option<io::Result<Block>> {
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
        state.full.pop_front()
    }

    /// Takes a block back.
    fn used(&self, buffer: Vec<u8>) {
        let mut state = self.lock();
        state.empty.push(buffer);
        if state.reader_waits && state.empty.len() >= BATCH {
            drop(state);
            self.emptied.notify_one();
        }
    }

    /// A block to read into; `None` where nobody wants more.
    fn empty(&self) -> Option<Vec<u8>> {
        let mut state = self.lock();
        if state.empty.is_empty() {
            while state.empty.len() < BATCH && !state.over {
                state.reader_waits = true;
                state = self.emptied.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            state.reader_waits = false;
        }
        if state.over { None } else { state.empty.pop() }
    }

    /// Hands a block over.
    fn hand_over(&self, block: io::Result<Block>) {
        // There was no more to read: it may take a while.
        let short = block.as_ref().is_ok_and(|block| block.len < BLOCK);
        let mut state = self.lock();
        state.full.push_back(block);
        if state.worker_waits && (short || state.idle || state.full.len() >= BATCH) {
            drop(state);
            self.filled.notify_one();
        }
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
    pub fn start<R: Read + Send + 'static>(reader: R) -> Result<Self, Option<R>> {
        let ring = Arc::new(Ring::default());
        let reader = Arc::new(Mutex::new(Some(reader)));
        let (theirs, other) = (Arc::clone(&reader), Self { ring: Arc::clone(&ring) });
        let take = |shared: &Mutex<Option<R>>| shared.lock().ok()?.take();
        let life = move || take(&theirs).map_or((), |reader| read(reader, &other.ring));
        match Builder::new().name("read".to_owned()).spawn(life) {
            Ok(_) => Ok(Self { ring }),
            Err(_) => Err(take(&reader)),
        }
    }

    /// Puts the next bytes behind those of `buffer` from `start` to `end`; false where the stream ends.
    pub fn fill(
        &self,
        buffer: &mut Vec<u8>,
        start: &mut usize,
        end: &mut usize,
    ) -> io::Result<bool> {
        let Some(block) = self.ring.full() else { return Ok(false) };
        let Block { buffer: mut next, len } = block?;
        let rest = buffer.get(*start..*end).unwrap_or_default();
        let front = ROOM.checked_sub(rest.len());
        let place = front.and_then(|front| next.get_mut(front..ROOM));
        if let (Some(front), Some(place)) = (front, place) {
            place.copy_from_slice(rest);
            (*start, *end) = (front, ROOM + len);
            std::mem::swap(buffer, &mut next);
        } else {
            // A record longer than most is put together from several blocks.
            buffer.truncate(*end);
            buffer.drain(..*start);
            buffer.extend_from_slice(next.get(ROOM..ROOM + len).unwrap_or_default());
            (*start, *end) = (0, buffer.len());
        }
        self.ring.used(next);
        Ok(true)
    }
}

fn read(mut reader: impl Read, ring: &Ring) {
    // The one that is worked on comes back for the first that is handed over.
    let mut new = BLOCKS - 1;
    loop {
        let mut buffer = if new > 0 {
            new -= 1;
            Vec::new()
        } else {
            let Some(used) = ring.empty() else { return };
            // A buffer that had to hold a long record is not kept, nor is one from before.
            if used.len() == ROOM + BLOCK { used } else { Vec::new() }
        };
        buffer.resize(ROOM + BLOCK, 0);
        let block = match fill(&mut reader, buffer.get_mut(ROOM..).unwrap_or_default()) {
            Ok(0) => return,
            Ok(len) => Ok(Block { buffer, len }),
            Err(error) => Err(error),
        };
        let failed = block.is_err();
        ring.hand_over(block);
        if failed {
            return;
        }
    }
}

fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match reader.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// Blocks as they come through a channel.
    struct Slow(mpsc::Receiver<usize>);

    impl Read for Slow {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            Ok(self.0.recv().map_or(0, |len| len.min(buffer.len())))
        }
    }

    #[test]
    fn what_was_read_does_not_wait_for_what_was_not() {
        for len in [1, BLOCK] {
            let (send, slow) = mpsc::channel();
            let ahead = Ahead::start(Slow(slow)).ok().unwrap();
            let (mut buffer, mut start, mut end) = (Vec::new(), 0, 0);
            for _ in 0..3 * BLOCKS {
                send.send(len).unwrap();
                assert!(ahead.fill(&mut buffer, &mut start, &mut end).unwrap());
                assert_eq!(end - start, len);
                start = end;
            }
            drop(send);
            assert!(!ahead.fill(&mut buffer, &mut start, &mut end).unwrap());
        }
    }

    #[test]
    fn the_reader_ends_with_who_wants_its_blocks() {
        struct Endless {
            _gone: mpsc::Sender<()>,
        }
        impl Read for Endless {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                Ok(buffer.len())
            }
        }
        let (gone, is_gone) = mpsc::channel();
        drop(Ahead::start(Endless { _gone: gone }).ok().unwrap());
        assert!(is_gone.recv().is_err());
    }

    #[test]
    fn bytes_come_in_one_piece_however_many_are_left_over() {
        let whole: Vec<u8> = (0..1_000_000_u32).map(|number| (number % 251) as u8).collect();
        for keep in [0, 1, ROOM, ROOM + 1, 3 * BLOCK] {
            let ahead = Ahead::start(io::Cursor::new(whole.clone())).ok().unwrap();
            let (mut buffer, mut start, mut end) = (Vec::new(), 0, 0);
            let mut taken = 0;
            while ahead.fill(&mut buffer, &mut start, &mut end).unwrap() {
                let at_hand = &buffer[start..end];
                assert_eq!(at_hand, &whole[taken..taken + at_hand.len()]);
                let consumed = at_hand.len().saturating_sub(keep);
                (start, taken) = (start + consumed, taken + consumed);
            }
            assert_eq!(taken + (end - start), whole.len());
        }
    }
}
