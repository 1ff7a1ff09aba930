//! SHA-256 of many files at once, on the processors that are free.
//!
//! What is short is hashed where it is read. With a longer file a worker goes on, which gets its bytes in batches,
//! together with those of other files: memory does not grow with the number of files, and the bytes of each stay in
//! order.

use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};

use hashbrown::HashMap;
use sha2::{Digest, Sha256};

/// Bytes of a file after which a worker goes on with it: for fewer, passing them on costs more than hashing them.
const SHORT: u64 = 256 << 10;

/// Bytes of a batch.
const BATCH: usize = 128 << 10;

/// Steps of a batch.
const STEPS: usize = 1 << 10;

/// Batches that wait for a worker.
const QUEUE: usize = 4;

/// Workers; more would wait for the reader.
const WORKERS: usize = 8;

/// A finished hash.
pub type Hash = [u8; 32];

/// The hash of one file, as far as it got.
#[derive(Debug)]
pub struct Lane {
    place: Place,
    len: u64,
}

#[derive(Debug)]
enum Place {
    Here(Sha256),
    /// With a worker, under this number.
    There(u64),
}

impl Default for Lane {
    fn default() -> Self {
        Self { place: Place::Here(Sha256::new()), len: 0 }
    }
}

/// The workers, which are started when the first file is long enough.
#[derive(Debug, Default)]
pub struct Pool {
    workers: Vec<Worker>,
    started: bool,
    next: u64,
    adopted: u64,
    /// Bytes that files keep beside their hashes, of all files together.
    kept: usize,
}

#[derive(Debug)]
struct Worker {
    batch: Batch,
    batches: SyncSender<Batch>,
    emptied: Receiver<Batch>,
    hashes: Receiver<Option<Hash>>,
}

#[derive(Debug, Default)]
struct Batch {
    steps: Vec<(u64, Step)>,
    bytes: Vec<u8>,
}

/// What to do with the hash of a file.
#[derive(Debug)]
enum Step {
    Adopt(Box<Sha256>),
    /// Takes so many of the batch's bytes.
    Update(usize),
    /// Goes on under this number, too.
    Fork(u64),
    Finish,
    Forget,
}

impl Pool {
    /// Counts `now` bytes that a file keeps, in place of those of before; how many all files keep.
    pub const fn count(&mut self, before: usize, now: usize) -> usize {
        self.kept = self.kept.saturating_sub(before).saturating_add(now);
        self.kept
    }

    /// Takes the next bytes of a file.
    pub fn update(&mut self, lane: &mut Lane, bytes: &[u8]) {
        match &mut lane.place {
            Place::Here(hasher) => {
                hasher.update(bytes);
                lane.len += bytes.len() as u64;
                if lane.len >= SHORT {
                    self.adopt(lane);
                }
            }
            Place::There(number) => {
                for piece in bytes.chunks(BATCH) {
                    self.step(*number, Step::Update(piece.len()), piece);
                }
            }
        }
    }

    /// What `lane` is now, to go back to, or to be forgotten.
    pub fn fork(&mut self, lane: &Lane) -> Lane {
        let place = match &lane.place {
            Place::Here(hasher) => Place::Here(hasher.clone()),
            Place::There(number) => {
                let fork = self.number(*number);
                self.step(*number, Step::Fork(fork), &[]);
                Place::There(fork)
            }
        };
        Lane { place, len: lane.len }
    }

    /// The hash of a file, of which nothing follows.
    pub fn finish(&mut self, lane: Lane) -> Option<Hash> {
        match lane.place {
            Place::Here(hasher) => Some(hasher.finalize().into()),
            Place::There(number) => {
                self.step(number, Step::Finish, &[]);
                let worker = self.worker(number)?;
                worker.hand_over();
                worker.hashes.recv().ok()?
            }
        }
    }

    /// Nobody wants the hash.
    pub fn forget(&mut self, lane: Lane) {
        if let Place::There(number) = lane.place {
            self.step(number, Step::Forget, &[]);
        }
    }

    fn adopt(&mut self, lane: &mut Lane) {
        self.start();
        if self.workers.is_empty() {
            return;
        }
        let number = self.number(self.adopted);
        self.adopted += 1;
        if let Place::Here(hasher) = std::mem::replace(&mut lane.place, Place::There(number)) {
            self.step(number, Step::Adopt(Box::new(hasher)), &[]);
        }
    }

    fn start(&mut self) {
        if std::mem::replace(&mut self.started, true) {
            return;
        }
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        if processors > 1 {
            self.workers = (0..processors.min(WORKERS)).map_while(|_| Worker::start()).collect();
        }
    }

    /// A number that is not in use, for a file of the worker of this one.
    fn number(&mut self, like: u64) -> u64 {
        let number = self.next * self.workers.len() as u64 + self.worker_of(like);
        self.next += 1;
        number
    }

    /// Which worker has the file of this number.
    fn worker_of(&self, number: u64) -> u64 {
        number.checked_rem(self.workers.len() as u64).unwrap_or(0)
    }

    fn worker(&mut self, number: u64) -> Option<&mut Worker> {
        let index = self.worker_of(number) as usize;
        self.workers.get_mut(index)
    }

    fn step(&mut self, number: u64, step: Step, bytes: &[u8]) {
        let Some(worker) = self.worker(number) else { return };
        let batch = &mut worker.batch;
        batch.bytes.extend_from_slice(bytes);
        match (batch.steps.last_mut(), &step) {
            (Some((last, Step::Update(sum))), Step::Update(len)) if *last == number => *sum += len,
            _ => batch.steps.push((number, step)),
        }
        if batch.bytes.len() >= BATCH || batch.steps.len() >= STEPS {
            worker.hand_over();
        }
    }
}

impl Worker {
    fn start() -> Option<Self> {
        let (batches, received) = sync_channel(QUEUE);
        let (returned, emptied) = channel();
        let (finished, hashes) = channel();
        let thread = std::thread::Builder::new().name("hash".to_owned());
        thread.spawn(move || work(&received, &returned, &finished)).ok()?;
        Some(Self { batch: Batch::default(), batches, emptied, hashes })
    }

    fn hand_over(&mut self) {
        let empty = self.emptied.try_recv().unwrap_or_default();
        // It takes batches for as long as there is someone to send them.
        let _ = self.batches.send(std::mem::replace(&mut self.batch, empty));
    }
}

/// The life of a worker.
fn work(batches: &Receiver<Batch>, emptied: &Sender<Batch>, finished: &Sender<Option<Hash>>) {
    let mut files: HashMap<u64, Sha256> = HashMap::default();
    for mut batch in batches {
        let mut rest = batch.bytes.as_slice();
        for (number, step) in batch.steps.drain(..) {
            match step {
                Step::Adopt(hasher) => _ = files.insert(number, *hasher),
                Step::Update(len) => {
                    let (bytes, after) = rest.split_at_checked(len).unwrap_or((rest, &[]));
                    files.get_mut(&number).into_iter().for_each(|hasher| hasher.update(bytes));
                    rest = after;
                }
                Step::Fork(fork) => {
                    let hasher = files.get(&number).cloned();
                    hasher.map(|hasher| files.insert(fork, hasher));
                }
                Step::Finish => {
                    let hasher = files.remove(&number);
                    let _ = finished.send(hasher.map(|hasher| hasher.finalize().into()));
                }
                Step::Forget => _ = files.remove(&number),
            }
        }
        batch.bytes.clear();
        let _ = emptied.send(batch);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_file_is_hashed_makes_no_difference() {
        let mut pool = Pool::default();
        let sizes = [0, 10, SHORT as usize - 1, SHORT as usize, 3 * BATCH + 7, 1 << 20];
        let mut lanes: Vec<_> = sizes.iter().map(|size| (*size, Lane::default())).collect();
        let block: Vec<u8> = (0..=u8::MAX).cycle().take(1000).collect();
        for start in (0..1 << 20).step_by(block.len()) {
            for (size, lane) in &mut lanes {
                let len = size.saturating_sub(start).min(block.len());
                pool.update(lane, &block[..len]);
            }
        }
        for (size, lane) in lanes {
            let bytes: Vec<u8> = block.iter().copied().cycle().take(size).collect();
            assert_eq!(pool.finish(lane), Some(Sha256::digest(bytes).into()));
        }
    }

    #[test]
    fn a_fork_goes_its_own_way() {
        let long = vec![7; SHORT as usize];
        for (before, after) in [(1, 1), (1, 300), (300, 1), (300, 300)] {
            let mut pool = Pool::default();
            let mut lane = Lane::default();
            (0..before).for_each(|_| pool.update(&mut lane, &long[..1000]));
            let mut kept = pool.fork(&lane);
            (0..after).for_each(|_| pool.update(&mut lane, &long[..1000]));
            pool.update(&mut kept, &long);
            let hash = |len| Some(Sha256::digest(vec![7; len]).into());
            assert_eq!(pool.finish(kept), hash(before * 1000 + long.len()));
            assert_eq!(pool.finish(lane), hash((before + after) * 1000));
        }
    }

    #[test]
    fn a_forgotten_lane_leaves_the_others_alone() {
        let mut pool = Pool::default();
        let (mut one, mut other) = (Lane::default(), Lane::default());
        let long = vec![7; SHORT as usize];
        pool.update(&mut one, &long);
        pool.update(&mut other, &long);
        pool.forget(one);
        assert_eq!(pool.finish(other), Some(Sha256::digest(&long).into()));
    }
}
