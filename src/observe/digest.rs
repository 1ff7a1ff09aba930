//! SHA-256 of an uploaded file, computed while its Fragments pass.

use std::collections::{BTreeMap, VecDeque};

use super::hashing::{Lane, Pool};

/// Bytes held per file because those before them have not come yet. Servers that take ranges in any order see them
/// from clients that send few, small Fragments.
const HELD: usize = 1 << 20;

/// Starts of Fragments that can be gone back to.
const STARTS: usize = 8;

/// Tells Fragments apart: connection and exchange.
pub type Key = (u64, u32);

/// The bytes of a Fragment: first one, and the one behind the last where that is known.
pub type Range = (u64, Option<u64>);

/// What the server said to a Fragment.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    /// Whether it took it.
    pub accepted: bool,
    /// The next byte that it wants, where it is right to say so: when it took the Fragment, or in 416
    /// ([MC-BUP] 2.2.7.2).
    pub next: Option<u64>,
}

/// The digest of one file.
///
/// Of bytes sent twice the first copy counts that the server took and kept, else the first. Where that is seen only when
/// others have gone in, it goes back to the start of a Fragment; where it cannot, there is no digest.
#[derive(Debug, Default)]
pub struct FileDigest {
    at: Point,
    /// Where the last Fragments began.
    starts: VecDeque<Point>,
    /// With a Fragment that was sent again before an answer to it was seen.
    other: Option<(Key, Point)>,
    /// The last Fragment.
    current: Option<Current>,
    /// The server has not got what went in from here on.
    withdrawn: Option<u64>,
    held: BTreeMap<u64, Vec<u8>>,
    /// What the Fragment under way added to those held.
    added: Vec<u64>,
    /// What it took from them by closing a hole.
    taken: Vec<(u64, Vec<u8>)>,
    held_bytes: usize,
    /// Bytes were held at some time.
    scattered: bool,
    pipelined: bool,
    spoilt: bool,
}

/// How far the file got.
#[derive(Debug, Default)]
struct Point {
    lane: Lane,
    offset: u64,
}

#[derive(Clone, Copy, Debug)]
struct Current {
    key: Key,
    /// No answer was seen yet.
    waits: bool,
    /// It brings again what the server has not got, though the first copy of that is in.
    stale: bool,
}

impl Point {
    fn fork(&self, pool: &mut Pool) -> Self {
        Self { lane: pool.fork(&self.lane), offset: self.offset }
    }

    /// Takes of the bytes at `offset`, which is not ahead, what is new.
    fn take(&mut self, pool: &mut Pool, offset: u64, bytes: &[u8]) {
        let known = usize::try_from(self.offset - offset).unwrap_or(usize::MAX);
        let fresh = bytes.get(known..).unwrap_or_default();
        pool.update(&mut self.lane, fresh);
        self.offset += fresh.len() as u64;
    }
}

impl FileDigest {
    /// A Fragment begins; `pipelined`, while another one waits for its answer on the same connection.
    pub fn begin(&mut self, pool: &mut Pool, key: Key, (start, _): Range, pipelined: bool) {
        self.pipelined |= pipelined;
        let mut stale = false;
        if !self.pipelined {
            let unanswered = self.current.filter(|last| last.waits).map(|last| last.key);
            if unanswered.is_some() {
                self.doubt(start);
            }
            let again = self.withdrawn.is_some_and(|from| from.max(start) < self.at.offset);
            stale = again && !self.go_back(pool, start, unanswered);
            self.take_other(pool, start);
            self.starts.push_back(self.at.fork(pool));
            if self.starts.len() > STARTS {
                forget(pool, self.starts.pop_front());
            }
        }
        self.added.clear();
        self.taken.clear();
        self.current = Some(Current { key, waits: true, stale });
    }

    /// The client goes on from `start` without an answer to what it sent last: it does not know what became of that.
    fn doubt(&mut self, start: u64) {
        let from = self.starts.back().map_or(start, |last| last.offset.max(start));
        if from < self.at.offset {
            self.withdrawn = Some(self.withdrawn.map_or(from, |known| known.min(from)));
        }
    }

    /// Goes back to where the server stands, if a Fragment began there and the next one, from `start`, leaves no hole.
    fn go_back(&mut self, pool: &mut Pool, start: u64, unanswered: Option<Key>) -> bool {
        let Some(from) = self.withdrawn.filter(|from| start <= *from) else { return false };
        let place = self.starts.iter().rposition(|point| point.offset == from);
        let one_back =
            unanswered.is_some() && place.map(|place| place + 1) == Some(self.starts.len());
        if (place.is_none() && from > 0) || (self.scattered && !one_back) {
            return false;
        }
        let later = self.starts.split_off(place.map_or(0, |place| place + 1));
        later.into_iter().for_each(|point| forget(pool, Some(point)));
        let point = self.starts.pop_back().unwrap_or_default();
        let in_order = self.added.is_empty() && self.taken.is_empty();
        let left = std::mem::replace(&mut self.at, point);
        self.unhold();
        self.withdrawn = None;
        match unanswered.filter(|_| in_order) {
            Some(key) => self.put_aside(pool, key, left),
            None => forget(pool, Some(left)),
        }
        true
    }

    /// Keeps the copy that got further.
    fn put_aside(&mut self, pool: &mut Pool, key: Key, point: Point) {
        let known = self.other.as_ref().map_or(self.at.offset, |(_, other)| other.offset);
        if point.offset > known {
            let known = self.other.replace((key, point));
            forget(pool, known.map(|(_, point)| point));
        } else {
            forget(pool, Some(point));
        }
    }

    /// Goes on with the other copy, if it alone reaches `upto`.
    fn take_other(&mut self, pool: &mut Pool, upto: u64) {
        let reaches = |other: &mut (Key, Point)| other.1.offset >= upto;
        if self.at.offset < upto
            && let Some((_, point)) = self.other.take_if(reaches)
        {
            forget(pool, Some(std::mem::replace(&mut self.at, point)));
        }
    }

    fn drop_other(&mut self, pool: &mut Pool) {
        forget(pool, self.other.take().map(|(_, point)| point));
    }

    /// Bytes of the file at `offset`.
    pub fn data(&mut self, pool: &mut Pool, key: Key, offset: u64, bytes: &[u8]) {
        if let Some((_, other)) = self.other.as_mut().filter(|(known, _)| *known == key) {
            if offset <= other.offset {
                other.take(pool, offset, bytes);
            }
            return;
        }
        if offset > self.at.offset {
            self.hold(offset, bytes);
            return;
        }
        self.at.take(pool, offset, bytes);
        while let Some(entry) =
            self.held.first_entry().filter(|entry| *entry.key() <= self.at.offset)
        {
            let (offset, bytes) = entry.remove_entry();
            self.held_bytes -= bytes.len();
            self.at.take(pool, offset, &bytes);
            self.taken.push((offset, bytes));
        }
    }

    fn hold(&mut self, offset: u64, bytes: &[u8]) {
        if self.held_bytes + bytes.len() <= HELD && !self.held.contains_key(&offset) {
            self.held.insert(offset, bytes.to_vec());
            self.held_bytes += bytes.len();
            self.added.push(offset);
            self.scattered = true;
        }
    }

    /// Undoes what the Fragment under way did to the bytes held.
    fn unhold(&mut self) {
        self.held.extend(self.taken.drain(..));
        for offset in self.added.drain(..) {
            self.held.remove(&offset);
        }
        self.held_bytes = self.held.values().map(Vec::len).sum();
    }

    /// The answer to a Fragment.
    pub fn answer(&mut self, pool: &mut Pool, key: Key, (_, end): Range, answer: Answer) {
        let next = answer.next.or(end.filter(|_| answer.accepted));
        let short = next < end;
        if self.pipelined {
            // Bytes of several Fragments have gone in: those of one cannot be taken out.
            self.spoilt |= !answer.accepted || short;
            return;
        }
        let Some(current) = &mut self.current else { return };
        if current.key != key {
            return self.answer_late(pool, key, end, answer.accepted);
        }
        if !std::mem::take(&mut current.waits) {
            return;
        }
        let stale = current.stale;
        match (answer.accepted, next) {
            (true, _) => self.accept(pool, next, short, stale),
            (false, next) => self.refuse(pool, next),
        }
    }

    /// The server took the Fragment under way, and wants `next`; `short` of its end.
    fn accept(&mut self, pool: &mut Pool, next: Option<u64>, short: bool, stale: bool) {
        self.spoilt |= stale && next > self.withdrawn;
        self.drop_other(pool);
        self.withdrawn = match (next, self.withdrawn) {
            (Some(next), _) if short => Some(next),
            (Some(next), Some(from)) if next < self.at.offset => Some(from.max(next)),
            _ => None,
        };
    }

    /// The server refused the Fragment under way, and may want `next`.
    fn refuse(&mut self, pool: &mut Pool, next: Option<u64>) {
        if let Some(point) = self.starts.pop_back() {
            forget(pool, Some(std::mem::replace(&mut self.at, point)));
            self.unhold();
        }
        let Some(next) = next else { return };
        self.take_other(pool, next);
        self.drop_other(pool);
        self.withdrawn = (next < self.at.offset).then_some(next);
    }

    /// The answer to another Fragment than the last one.
    fn answer_late(&mut self, pool: &mut Pool, key: Key, end: Option<u64>, accepted: bool) {
        let Some((_, point)) = self.other.take_if(|(known, _)| *known == key) else {
            // What was refused has gone in.
            self.spoilt |= !accepted;
            return;
        };
        let waits = self.current.is_some_and(|current| current.waits);
        if !accepted || !waits {
            return forget(pool, Some(point));
        }
        self.spoilt |= Some(point.offset) < end;
        forget(pool, Some(std::mem::replace(&mut self.at, point)));
        self.unhold();
        self.current = Some(Current { key, waits: false, stale: false });
    }

    /// The digest in lower-case hexadecimal, where exactly `size` bytes went in.
    pub fn finish(mut self, pool: &mut Pool, size: Option<u64>) -> Option<String> {
        use std::fmt::Write;
        let whole = |other: &mut (Key, Point)| size == Some(other.1.offset);
        if let Some((_, point)) = self.other.take_if(whole) {
            forget(pool, Some(std::mem::replace(&mut self.at, point)));
        }
        self.drop_other(pool);
        self.starts.drain(..).for_each(|point| forget(pool, Some(point)));
        if size != Some(self.at.offset) || self.spoilt {
            forget(pool, Some(self.at));
            return None;
        }
        let hash = pool.finish(self.at.lane)?;
        Some(hash.iter().fold(String::with_capacity(64), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        }))
    }
}

fn forget(pool: &mut Pool, point: Option<Point>) {
    if let Some(point) = point {
        pool.forget(point.lane);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Of "abc": FIPS 180-2 B.1.
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[derive(Default)]
    struct Upload {
        digest: FileDigest,
        pool: Pool,
    }

    impl Upload {
        /// Fragment `number` brings `bytes`.
        fn send(&mut self, number: u32, start: u64, bytes: &[u8]) {
            let range = (start, Some(start + bytes.len() as u64));
            self.digest.begin(&mut self.pool, (1, number), range, false);
            self.digest.data(&mut self.pool, (1, number), start, bytes);
        }

        fn answer(&mut self, number: u32, end: u64, accepted: bool, next: Option<u64>) {
            let answer = Answer { accepted, next };
            self.digest.answer(&mut self.pool, (1, number), (0, Some(end)), answer);
        }

        fn finish(mut self) -> Option<String> {
            self.digest.finish(&mut self.pool, Some(3))
        }
    }

    #[test]
    fn bytes_may_come_in_any_order_and_twice() {
        let mut upload = Upload::default();
        for (number, (start, bytes)) in (0..).zip([(2, &b"c"[..]), (0, b"ab"), (1, b"XX")]) {
            upload.send(number, start, bytes);
            upload.answer(number, start + bytes.len() as u64, true, None);
        }
        assert_eq!(upload.finish().as_deref(), Some(ABC));
    }

    #[test]
    fn a_refused_fragment_does_not_count() {
        let mut upload = Upload::default();
        upload.send(0, 0, b"a");
        upload.answer(0, 1, true, Some(1));
        upload.send(1, 1, b"xx");
        upload.answer(1, 3, false, None);
        upload.send(2, 1, b"bc");
        assert_eq!(upload.finish().as_deref(), Some(ABC));
    }

    #[test]
    fn a_refused_fragment_is_not_held_either() {
        let mut upload = Upload::default();
        upload.send(0, 1, b"xx");
        upload.answer(0, 3, false, None);
        upload.send(1, 0, b"a");
        upload.send(2, 1, b"bc");
        assert_eq!(upload.finish().as_deref(), Some(ABC));
    }

    #[test]
    fn a_refused_fragment_leaves_what_was_held() {
        let mut upload = Upload::default();
        upload.send(0, 1, b"bc");
        upload.answer(0, 3, true, None);
        upload.send(1, 0, b"x");
        upload.answer(1, 1, false, None);
        upload.send(2, 0, b"a");
        assert_eq!(upload.finish().as_deref(), Some(ABC));
    }

    #[test]
    fn a_hole_leaves_no_digest() {
        let mut upload = Upload::default();
        upload.send(0, 1, b"bc");
        assert_eq!(upload.finish(), None);
    }

    #[test]
    fn a_refusal_among_pipelined_fragments_leaves_no_digest() {
        let mut upload = Upload::default();
        upload.send(0, 0, b"a");
        upload.digest.begin(&mut upload.pool, (1, 1), (1, Some(3)), true);
        upload.digest.data(&mut upload.pool, (1, 1), 1, b"bc");
        upload.answer(1, 3, false, None);
        upload.send(2, 0, b"abc");
        assert_eq!(upload.finish(), None);
    }

    #[test]
    fn an_accepted_copy_takes_the_place_of_one_without_an_answer() {
        for first in [&b"X"[..], b"XX", b"XXX"] {
            let mut upload = Upload::default();
            upload.send(0, 0, first);
            upload.send(1, 0, b"abc");
            upload.answer(1, 3, true, Some(3));
            assert_eq!(upload.finish().as_deref(), Some(ABC));
        }
    }

    #[test]
    fn a_copy_without_an_answer_counts_where_the_server_has_it() {
        let mut upload = Upload::default();
        upload.send(0, 0, b"ab");
        upload.send(1, 0, b"XX");
        upload.answer(1, 2, false, Some(2));
        upload.send(2, 2, b"c");
        upload.answer(2, 3, true, Some(3));
        assert_eq!(upload.finish().as_deref(), Some(ABC));
    }

    #[test]
    fn the_first_of_two_copies_without_an_answer_counts() {
        let mut upload = Upload::default();
        upload.send(0, 0, b"abc");
        upload.send(1, 0, b"XXX");
        assert_eq!(upload.finish().as_deref(), Some(ABC));
    }

    #[test]
    fn an_answer_that_comes_late_counts_for_its_own_copy() {
        let mut upload = Upload::default();
        upload.send(0, 0, b"abc");
        upload.send(1, 0, b"X");
        upload.answer(0, 3, true, Some(3));
        upload.digest.data(&mut upload.pool, (1, 1), 1, b"XX");
        upload.answer(1, 3, true, Some(3));
        assert_eq!(upload.finish().as_deref(), Some(ABC));
    }

    #[test]
    fn bytes_that_the_server_no_longer_has_do_not_count() {
        // The start of a Fragment can be gone back to.
        for back in [0, 1, 2] {
            let mut upload = Upload::default();
            for (number, byte) in (0..).zip(b"abX") {
                let start = u64::from(number);
                let byte = if start < back { *byte } else { b'X' };
                upload.send(number, start, &[byte]);
                upload.answer(number, start + 1, true, None);
            }
            upload.send(3, 3, b"X");
            upload.answer(3, 4, false, Some(back));
            upload.send(4, back, &b"abc"[back as usize..]);
            upload.answer(4, 3, true, Some(3));
            assert_eq!(upload.finish().as_deref(), Some(ABC), "{back}");
        }
    }

    #[test]
    fn a_fragment_of_which_the_server_took_nothing_does_not_count() {
        let mut upload = Upload::default();
        upload.send(0, 0, b"XX");
        upload.answer(0, 2, true, Some(0));
        upload.send(1, 0, b"abc");
        upload.answer(1, 3, true, Some(3));
        assert_eq!(upload.finish().as_deref(), Some(ABC));
    }

    #[test]
    fn a_part_that_is_sent_again_leaves_no_digest_if_the_server_takes_it() {
        for (accepted, digest) in [(true, None), (false, Some(ABC))] {
            let mut upload = Upload::default();
            upload.send(0, 0, b"abc");
            upload.answer(0, 3, true, Some(2));
            upload.send(1, 2, b"X");
            upload.answer(1, 3, accepted, Some(3));
            assert_eq!(upload.finish().as_deref(), digest);
        }
    }

    #[test]
    fn a_server_that_counts_otherwise_does_no_harm_while_the_client_goes_on() {
        let mut upload = Upload::default();
        for (number, byte) in (0..).zip(b"abc") {
            upload.send(number, u64::from(number), &[*byte]);
            upload.answer(number, u64::from(number) + 1, true, Some(0));
        }
        assert_eq!(upload.finish().as_deref(), Some(ABC));
    }
}
