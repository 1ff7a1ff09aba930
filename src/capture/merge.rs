//! Several captures as one, ordered by time, or one behind the other.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::{File, Metadata};
use std::path::Path;
use std::str::Utf8Chunk;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::{io, iter};

use super::compressed::Stream;
use super::feed::{Feed, Source, report};
use super::open::start;
use super::reader::BLOCK;
use super::{Error, Filter, Input, Item, Problem};
use crate::at::{At, Timestamp};
use crate::limits::Limits;

/// Inputs beyond which each is read in small blocks, for the sake of memory.
const MANY: usize = 32;

/// Bytes of these.
const SMALL_BLOCK: usize = 8 << 10;

/// Reads any number of inputs and lends their frames, the earliest first.
///
/// Frames of one time come in the order in which their inputs begin, and where these begin at one time, too, in that
/// of their names, numbers in them by value: the files of a ring follow each other however they were named, also by a
/// clock that ticks no faster than frames come.
///
/// An input that cannot be read, or not to its end, is listed in [`problems`](Self::problems), and the others go on. An
/// input whose frames are out of order keeps its order.
#[derive(Default)]
pub struct Merge {
    limits: Limits,
    filter: Option<Filter>,
    sources: Vec<Source>,
    /// All sources but the current one, by their next frame.
    waiting: BinaryHeap<Reverse<Due>>,
    current: Option<usize>,
    started: bool,
    appends: bool,
    frames: u64,
    problems: Vec<Problem>,
    used: Arc<AtomicU64>,
    total: u64,
    endless: bool,
}

/// When the next record of a source is due: its time, secrets before any frame; the rank and the index of the source.
type Due = (Option<Timestamp>, usize, usize);

impl Merge {
    /// A merge of nothing yet.
    pub fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Leaves out the frames that `filter` does not match. They are counted and numbered all the same.
    #[must_use]
    pub fn filtered(mut self, filter: Filter) -> Self {
        self.filter = Some(filter);
        self
    }

    /// Lends the inputs one behind the other in the order they are added in, whatever their times.
    #[must_use]
    pub const fn appending(mut self) -> Self {
        self.appends = true;
        self
    }

    /// Adds a file.
    pub fn add_path(&mut self, path: &Path) {
        let name = name_of(path);
        match open(path) {
            Ok((file, size)) => self.add(&name, size, Box::new(file)),
            Err(error) => self.add_failed(&name, &Error::Read(error)),
        }
    }

    /// Adds a stream, of which `size` is the length in bytes where it is known. Its headers are read at once.
    pub fn add(&mut self, name: &str, size: Option<u64>, stream: Stream) {
        self.total += size.unwrap_or(0);
        self.endless |= size.is_none();
        let block = if self.sources.len() < MANY { BLOCK } else { SMALL_BLOCK };
        match start(stream, &self.used, &self.limits, block) {
            Ok((reader, compression)) => {
                let input = Input {
                    name: name.to_owned(),
                    format: reader.format().to_owned(),
                    compression: compression.map(str::to_owned),
                    ..Input::default()
                };
                self.sources.push(Source::new(Feed::Here(Box::new(reader)), input));
            }
            Err(error) => self.add_failed(name, &error),
        }
    }

    fn add_failed(&mut self, name: &str, error: &Error) {
        let mut input = Input { name: name.to_owned(), ..Input::default() };
        report(&mut self.problems, &mut input, error);
        self.sources.push(Source::new(Feed::None, input));
    }

    /// The next frame or secrets; `None` when all inputs have ended.
    #[expect(clippy::should_implement_trait, reason = "an iterator cannot lend")]
    #[inline(always)]
    pub fn next(&mut self) -> Option<Item<'_>> {
        while self.step() {
            if self.is_wanted() {
                return self.item();
            }
        }
        None
    }

    /// Moves on to the earliest record not lent yet.
    #[inline(always)]
    fn step(&mut self) -> bool {
        let Some(index) = self.current else { return self.begin() };
        let moved = self.advance(index);
        moved && self.waiting.is_empty() || self.choose(index, moved)
    }

    /// Whether there is a record to be lent, after that of `index` was; which of all comes first.
    fn choose(&mut self, index: usize, moved: bool) -> bool {
        let next = if moved { self.due(index) } else { None };
        if next.is_some_and(|next| self.waiting.peek().is_none_or(|earliest| earliest.0 >= next)) {
            return true;
        }
        let earliest = self.waiting.pop();
        self.waiting.extend(next.map(Reverse));
        self.current = earliest.map(|Reverse((.., index))| index);
        self.current.is_some()
    }

    /// Where the record that a source has at hand belongs.
    fn due(&self, index: usize) -> Option<Due> {
        let Source { batch, place, rank, .. } = self.sources.get(index)?;
        let time = batch.facts(*place).map(|facts| facts.time);
        Some((time.filter(|_| !self.appends), *rank, index))
    }

    /// Begins only now: a thread has no more rights than who starts it.
    #[cold]
    fn begin(&mut self) -> bool {
        if std::mem::replace(&mut self.started, true) {
            return false;
        }
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        if processors > 1 {
            let feeds = self.sources.iter_mut().map(|source| &mut source.feed);
            let there = feeds.filter(|feed| matches!(feed, Feed::Here(_)));
            there.take(processors).for_each(Feed::read_ahead);
        }
        let all = 0..self.sources.len();
        let there: Vec<usize> = all.filter(|index| self.advance(*index)).collect();
        self.rank();
        self.waiting = there.into_iter().filter_map(|index| self.due(index)).map(Reverse).collect();
        self.current = self.waiting.pop().map(|Reverse((.., index))| index);
        self.current.is_some()
    }

    /// Sets which source goes first where frames have one time.
    fn rank(&mut self) {
        let mut order: Vec<&mut Source> = self.sources.iter_mut().collect();
        if !self.appends {
            order.sort_by_cached_key(|source| (source.begins(), by_value(&source.input.name)));
        }
        (0..).zip(order).for_each(|(rank, source)| source.rank = rank);
    }

    /// Moves a source on; false where it has ended.
    #[inline(always)]
    fn advance(&mut self, index: usize) -> bool {
        let Some(source) = self.sources.get_mut(index) else { return false };
        source.place += 1;
        let there = source.place < source.batch.entries.len() || source.read_on(&mut self.problems);
        source.batch.fetch(source.place);
        there
    }

    /// Counts the current record and asks the filter.
    #[inline(always)]
    fn is_wanted(&mut self) -> bool {
        let Some(source) = self.current.and_then(|index| self.sources.get_mut(index)) else {
            return false;
        };
        let Some(facts) = source.batch.facts(source.place) else { return true };
        self.frames += 1;
        source.input.count(&facts);
        let Some(filter) = &mut self.filter else { return true };
        let item = source.batch.item(source.place, At::default());
        let wanted = matches!(item, Some(Item::Frame(f)) if filter.matches(f.link, f.data));
        source.input.filtered_frames += u64::from(!wanted);
        wanted
    }

    #[inline(always)]
    fn item(&self) -> Option<Item<'_>> {
        let index = self.current?;
        let Source { batch, place, input, .. } = self.sources.get(index)?;
        let at = At {
            frame: self.frames,
            time: Timestamp::default(),
            input: if self.sources.len() > 1 { index as u32 + 1 } else { 0 },
            input_frame: input.frames.min(u32::MAX.into()) as u32,
        };
        batch.item(*place, at)
    }

    /// What is known about each input so far, in the order they were added in.
    pub fn inputs(&self) -> Vec<Input> {
        self.sources.iter().map(Source::input).collect()
    }

    /// The inputs that were not read, or not to their end, in the order this turned out.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The size of all files together in bytes, `None` where one is a pipe.
    pub fn total(&self) -> Option<u64> {
        (!self.endless).then_some(self.total)
    }

    /// Bytes read of all files, before decompression; it grows while [`next`](Self::next) works.
    pub fn used(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.used)
    }
}

/// The parts of a name by which it is sorted, numbers by their value; a text sorts before a number.
fn by_value(name: &str) -> Vec<(usize, String)> {
    let parts = name.as_bytes().chunk_by(|a, b| a.is_ascii_digit() == b.is_ascii_digit());
    let text = |part| String::from_utf8_lossy(part);
    let keys = parts.map(|part| match part {
        [b'0'..=b'9', ..] => {
            let digits = text(part).trim_start_matches('0').to_owned();
            (digits.len() + 1, digits)
        }
        _ => (0, text(part).into_owned()),
    });
    keys.collect()
}

/// What a path is called: bytes that are no UTF-8 as `\xff`, so that two files never have one name.
pub fn name_of(path: &Path) -> String {
    let parts = path.as_os_str().as_encoded_bytes().utf8_chunks();
    let name = |part: Utf8Chunk<'_>| {
        let invalid = part.invalid().iter().map(|byte| format!("\\x{byte:02x}"));
        iter::once(part.valid().to_owned()).chain(invalid).collect::<String>()
    };
    parts.map(name).collect()
}

fn open(path: &Path) -> io::Result<(File, Option<u64>)> {
    let file = File::open(path)?;
    // Not every device has facts to tell.
    let facts = file.metadata().ok().filter(Metadata::is_file);
    Ok((file, facts.map(|facts| facts.len())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::pcap::tests::capture;

    fn merge(files: &[(&str, Vec<u8>)]) -> Merge {
        let mut merge = Merge::new(Limits::default());
        for (name, bytes) in files {
            merge.add(name, Some(bytes.len() as u64), Box::new(io::Cursor::new(bytes.clone())));
        }
        merge
    }

    fn lines(merge: &mut Merge) -> Vec<String> {
        let mut lines = Vec::new();
        while let Some(item) = merge.next() {
            let Item::Frame(f) = item else { continue };
            let at = f.at;
            lines.push(format!(
                "{} {}/{} {}",
                at.frame,
                at.input,
                at.input_frame,
                f.data.escape_ascii()
            ));
        }
        lines
    }

    #[test]
    fn frames_come_by_time_and_ties_by_input() {
        let one = capture(&[(1, b"a"), (4, b"d"), (5, b"e")]);
        let two = capture(&[(2, b"b"), (3, b"c"), (4, b"D"), (9, b"z")]);
        let mut merge = merge(&[("one", one), ("two", two)]);
        let expected =
            ["1 1/1 a", "2 2/1 b", "3 2/2 c", "4 1/2 d", "5 2/3 D", "6 1/3 e", "7 2/4 z"];
        assert_eq!(lines(&mut merge), expected);
        assert!(merge.next().is_none());
    }

    #[test]
    fn ties_go_by_when_a_file_begins_then_by_the_numbers_in_its_name() {
        let (first, second) = (capture(&[(1, b"a"), (4, b"b")]), capture(&[(4, b"c"), (5, b"d")]));
        let mut ring = merge(&[("b.pcap", second), ("z.pcap", first)]);
        assert_eq!(lines(&mut ring), ["1 2/1 a", "2 2/2 b", "3 1/1 c", "4 1/2 d"]);
        let names = ["r.pcap10", "r.pcap9", "r.pcap", "r.pcap010"];
        let files = names.map(|name| (name, capture(&[(1, name.as_bytes())])));
        let order = ["1 3/1 r.pcap", "2 2/1 r.pcap9", "3 1/1 r.pcap10", "4 4/1 r.pcap010"];
        assert_eq!(lines(&mut merge(&files)), order);
    }

    #[test]
    fn appended_inputs_follow_each_other_whatever_their_times() {
        let files = [("one", capture(&[(7, b"a"), (9, b"b")])), ("two", capture(&[(2, b"c")]))];
        let mut merge = merge(&files).appending();
        assert_eq!(lines(&mut merge), ["1 1/1 a", "2 1/2 b", "3 2/1 c"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_name_that_is_no_text_stays_one_of_its_own() {
        use std::os::unix::ffi::OsStrExt;
        let name = |bytes| name_of(Path::new(std::ffi::OsStr::from_bytes(bytes)));
        assert_eq!(
            (name(b"a\xff.pcap"), name("\u{e4}".as_bytes())),
            (r"a\xff.pcap".into(), "\u{e4}".into())
        );
    }

    #[test]
    fn input_knows_its_facts() {
        let mut merge = merge(&[("one", capture(&[(1, b"a"), (4, b"d")]))]);
        lines(&mut merge);
        let expected = Input {
            name: "one".into(),
            format: "pcap".into(),
            frames: 2,
            bytes: 58,
            first: Some(Timestamp::from_nanos(1_000_005_000)),
            last: Some(Timestamp::from_nanos(4_000_005_000)),
            cut_frames: 2,
            snaplen: Some(65535),
            longest: 1,
            link_types: vec![1],
            ..Input::default()
        };
        assert_eq!(merge.inputs(), [expected]);
    }

    #[test]
    fn bad_inputs_are_reported_and_the_others_go_on() {
        let mut cut = capture(&[(1, b"a"), (4, b"d")]);
        cut.pop();
        let mut merge =
            merge(&[("text", b"hello".to_vec()), ("cut", cut), ("good", capture(&[(2, b"b")]))]);
        assert_eq!(lines(&mut merge), ["1 2/1 a", "2 3/1 b"]);
        let problems: Vec<_> =
            merge.problems().iter().map(|p| (p.name.as_str(), p.fatal)).collect();
        assert_eq!(problems, [("text", true), ("cut", false)]);
        assert_eq!(
            merge.inputs()[1].problem.as_deref(),
            Some("cut off within frame 2, at byte 41")
        );
    }

    #[test]
    fn missing_file_is_a_problem() {
        let mut merge = Merge::new(Limits::default());
        merge.add_path(Path::new("no such file"));
        assert!(merge.problems()[0].fatal);
        assert!(merge.next().is_none());
    }

    #[cfg(feature = "live")]
    #[test]
    fn filtered_frames_keep_their_numbers() {
        let (short, long) = ([0; 20], [0; 60]);
        let filter = Filter::new("greater 40").unwrap();
        let mut merge = merge(&[("one", capture(&[(1, &short), (2, &long)]))]).filtered(filter);
        assert!(matches!(merge.next(), Some(Item::Frame(f)) if f.at.frame == 2));
        let input = &merge.inputs()[0];
        assert_eq!((input.frames, input.filtered_frames), (2, 1));
    }
}
