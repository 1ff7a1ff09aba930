//! Reading, and unpacking, in a thread of its own, while what was read before is worked on.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::Builder;

/// Bytes left free in front of those of a block, for what the last one left over.
const ROOM: usize = 16 << 10;

/// Bytes of a block: few system calls, and with those under way still within the cache of a core.
const BLOCK: usize = 256 << 10;

/// Blocks there are: one that is worked on, one that waits and one that is read into.
const BLOCKS: usize = 3;

/// A stream that is read by another thread.
pub struct Ahead {
    blocks: Receiver<io::Result<Block>>,
    used: SyncSender<Vec<u8>>,
}

/// A buffer and how many of its bytes, from [`ROOM`] on, were read.
struct Block {
    buffer: Vec<u8>,
    len: usize,
}

impl Ahead {
    /// Begins to read; gives `reader` back where there is no thread to be had.
    pub fn start<R: Read + Send + 'static>(reader: R) -> Result<Self, Option<R>> {
        // Neither is ever full.
        let (full, blocks) = sync_channel(BLOCKS);
        let (used, empty) = sync_channel(BLOCKS);
        let reader = Arc::new(Mutex::new(Some(reader)));
        let theirs = Arc::clone(&reader);
        let take = |shared: &Mutex<Option<R>>| shared.lock().ok()?.take();
        let life = move || take(&theirs).map_or((), |reader| read(reader, &full, &empty));
        match Builder::new().name("read".to_owned()).spawn(life) {
            Ok(_) => Ok(Self { blocks, used }),
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
        let Ok(block) = self.blocks.recv() else { return Ok(false) };
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
        // The reader may be gone already.
        let _ = self.used.send(next);
        Ok(true)
    }
}

fn read(mut reader: impl Read, full: &SyncSender<io::Result<Block>>, empty: &Receiver<Vec<u8>>) {
    // The one that is worked on comes back for the first that is handed over.
    let mut new = BLOCKS - 1;
    loop {
        let mut buffer = if new > 0 {
            new -= 1;
            Vec::new()
        } else {
            let Ok(used) = empty.recv() else { return };
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
        if full.send(block).is_err() || failed {
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
    use super::*;

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
