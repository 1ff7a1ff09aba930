//! One capture, record by record or in batches.

use std::io::Read;

use super::batch::{Batch, End, Entry, text};
use super::record::{Decode, Kind, Record, Step};
use super::window::Window;
use super::{Error, Frame, Item, blocks, foreign, netmon, pcap, pcapng, snoop};
use crate::at::At;
use crate::limits::Limits;

/// Bytes read at a time: few system calls, and several of them still within the cache of a core.
pub(super) const BLOCK: usize = 128 << 10;

/// Records of a batch at most; more of them fit into a block only where the frames are next to empty.
const RECORDS: usize = 2048;

/// The largest record whose place in a buffer four bytes can name.
const LONGEST: usize = 1 << 31;

/// Reads one stream of packets, lending every frame out of its buffer.
pub struct Reader<R> {
    window: Window<R>,
    format: Format,
    current: Record,
    frames: u64,
    cap: usize,
    over: bool,
}

/// The records at hand, on their way into a batch.
struct Taking<'a, R> {
    window: &'a mut Window<R>,
    frames: &'a mut u64,
    cap: usize,
    entries: &'a mut Vec<Entry>,
}

impl<R: Read> Taking<'_, R> {
    /// Takes apart what is at hand, and reads on where no record is whole; false where nothing follows. A loop of its
    /// own for each format leaves what is decoded in registers.
    fn take_apart(&mut self, format: &mut impl Decode) -> Result<bool, Error> {
        self.entries.clear();
        loop {
            let mut record = Record::default();
            let (data, offset) = (self.window.data(), self.window.offset());
            match format.decode(data, offset, self.cap, &mut record)? {
                Step::Whole => {
                    if record.kind != Kind::Other {
                        self.entries.push(Entry::new(&record, self.window.start()));
                    }
                    *self.frames += u64::from(record.kind == Kind::Frame);
                    self.window.consume(record.size);
                    if self.entries.len() == RECORDS {
                        return Ok(true);
                    }
                }
                Step::More(size) if self.entries.is_empty() => {
                    if !self.window.want(size)? {
                        return Ok(false);
                    }
                }
                Step::More(_) => return Ok(true),
            }
        }
    }
}

/// A block as it is written, and what it holds.
#[derive(Clone, Copy, Debug)]
pub struct Block<'a> {
    /// All its bytes.
    pub raw: &'a [u8],
    /// The order of its numbers; only pcapng tells.
    pub big_endian: bool,
    /// The frame or the secrets in it.
    pub item: Option<Item<'a>>,
}

/// The format of a capture and what its headers said.
enum Format {
    Pcap(pcap::Header),
    Pcapng(pcapng::Section),
    Snoop(snoop::Header),
    Netmon(netmon::Header),
}

impl Format {
    /// Decodes the record at the front of `window`.
    #[inline(always)]
    fn decode<R: Read>(
        &mut self,
        window: &Window<R>,
        cap: usize,
        record: &mut Record,
    ) -> Result<Step, Error> {
        let (data, offset) = (window.data(), window.offset());
        match self {
            Self::Pcap(header) => header.decode(data, offset, cap, record),
            Self::Pcapng(section) => section.decode(data, offset, cap, record),
            Self::Snoop(header) => header.decode(data, offset, cap, record),
            Self::Netmon(header) => header.decode(data, offset, cap, record),
        }
    }
}

impl<R: Read> Reader<R> {
    /// Reads the file header.
    ///
    /// # Errors
    ///
    /// [`Error::TooShort`] or [`Error::NotACapture`] where it is none; [`Error::CutOff`] where it is incomplete.
    pub fn new(reader: R, limits: &Limits) -> Result<Self, Error> {
        Self::with_block(reader, limits, BLOCK)
    }

    pub(super) fn with_block(reader: R, limits: &Limits, block: usize) -> Result<Self, Error> {
        let mut window = Window::new(reader, block);
        let format = detect(&mut window)?;
        Ok(Self {
            window,
            format,
            current: Record::default(),
            frames: 0,
            cap: limits.record.min(LONGEST),
            over: false,
        })
    }

    /// The next frame or secrets, `None` at the end and after an error.
    ///
    /// # Errors
    ///
    /// [`Error::CutOff`], [`Error::TooLong`] or [`Error::Damaged`] where the capture is, [`Error::Read`] where the
    /// stream fails.
    #[expect(clippy::should_implement_trait, reason = "an iterator cannot lend")]
    pub fn next(&mut self) -> Result<Option<Item<'_>>, Error> {
        Ok(if self.step(false)? { self.item() } else { None })
    }

    /// The next block of a pcapng file, or record of a pcap file, as it is written; `None` at the end and after an
    /// error.
    ///
    /// # Errors
    ///
    /// The errors of [`next`](Self::next).
    pub fn next_block(&mut self) -> Result<Option<Block<'_>>, Error> {
        self.step(true)?;
        if self.current.size == 0 {
            return Ok(None);
        }
        let raw = self.window.data().get(..self.current.size).unwrap_or_default();
        let big_endian = match &self.format {
            Format::Pcapng(section) => section.is_big_endian(),
            Format::Pcap(_) | Format::Snoop(_) | Format::Netmon(_) => false,
        };
        Ok(Some(Block { raw, big_endian, item: self.item() }))
    }

    /// Fills `batch` with what is at hand, after reading on where no record is whole; not to be called again after its
    /// end.
    pub(super) fn fill(&mut self, batch: &mut Batch) {
        batch.end = match self.take_apart(&mut batch.entries) {
            Ok(true) => None,
            Ok(false) => Some(End::Whole),
            Err(error) => Some(End::Broken(error)),
        };
        (batch.snaplen, batch.dropped) = (self.snaplen(), self.dropped());
        batch.used = self.window.offset();
        (batch.until, batch.short) = (self.window.start(), self.window.is_short());
        self.window.swap(&mut batch.bytes);
    }

    /// Puts the records at hand into `entries`; false at the end.
    fn take_apart(&mut self, entries: &mut Vec<Entry>) -> Result<bool, Error> {
        let Self { window, frames, cap, .. } = self;
        let mut taking = Taking { window, frames, cap: *cap, entries };
        let more = match &mut self.format {
            Format::Pcap(header) => taking.take_apart(header),
            Format::Pcapng(section) => taking.take_apart(section),
            Format::Snoop(header) => taking.take_apart(header),
            Format::Netmon(header) => taking.take_apart(header),
        }?;
        if more { Ok(true) } else { self.at_end() }
    }

    fn step(&mut self, every: bool) -> Result<bool, Error> {
        self.window.consume(std::mem::take(&mut self.current.size));
        if self.over {
            return Ok(false);
        }
        let found = self.find(every);
        self.over = !matches!(found, Ok(true));
        found
    }

    /// With `every`, blocks that hold neither frame nor secrets count too.
    fn find(&mut self, every: bool) -> Result<bool, Error> {
        loop {
            match self.format.decode(&self.window, self.cap, &mut self.current)? {
                Step::Whole if every || self.current.kind != Kind::Other => {
                    self.frames += u64::from(self.current.kind == Kind::Frame);
                    return Ok(true);
                }
                Step::Whole => self.window.consume(std::mem::take(&mut self.current.size)),
                Step::More(len) => {
                    if !self.window.want(len)? {
                        return self.at_end();
                    }
                }
            }
        }
    }

    fn at_end(&self) -> Result<bool, Error> {
        let (frame, offset) = (self.frames, self.window.offset());
        match (self.window.data().is_empty(), self.window.is_broken()) {
            (true, false) => Ok(false),
            (true, true) => Err(Error::NoEnd { frame, offset }),
            (false, _) => Err(Error::CutOff { frame: frame + 1, offset }),
        }
    }

    /// What the last step found.
    fn item(&self) -> Option<Item<'_>> {
        let Record { kind, ref data, facts, ref comment, .. } = self.current;
        let input_frame = self.frames.min(u32::MAX.into()) as u32;
        match kind {
            Kind::Frame => Some(Item::Frame(Frame {
                at: At { frame: self.frames, time: facts.time, input: 0, input_frame },
                link: facts.link,
                data: self.window.part(data)?,
                wire_len: facts.wire_len,
                comment: text(self.window.part(comment)?),
            })),
            Kind::Secrets => Some(Item::Secrets(self.window.part(data)?)),
            Kind::Other => None,
        }
    }

    /// `pcap`, `pcapng`, `snoop` or `netmon`.
    pub const fn format(&self) -> &'static str {
        match self.format {
            Format::Pcap(_) => "pcap",
            Format::Pcapng(_) => "pcapng",
            Format::Snoop(_) => "snoop",
            Format::Netmon(_) => "netmon",
        }
    }

    /// The most bytes of a frame that were captured, where the headers read so far state it: the least of all
    /// interfaces.
    pub fn snaplen(&self) -> Option<u32> {
        match &self.format {
            Format::Pcap(header) => header.snaplen(),
            Format::Pcapng(section) => section.snaplen(),
            Format::Snoop(_) | Format::Netmon(_) => None,
        }
    }

    /// Frames that the capturing program dropped, as far as the blocks read so far tell.
    pub const fn dropped(&self) -> u64 {
        match &self.format {
            Format::Pcapng(section) => section.dropped(),
            Format::Pcap(_) | Format::Snoop(_) | Format::Netmon(_) => 0,
        }
    }

    /// Bytes of the capture used so far.
    pub fn bytes(&self) -> u64 {
        self.window.offset() + self.current.size as u64
    }
}

fn detect<R: Read>(window: &mut Window<R>) -> Result<Format, Error> {
    if !window.want(1)? {
        return Err(if window.is_broken() {
            Error::NoEnd { frame: 0, offset: 0 }
        } else {
            Error::TooShort { len: 0 }
        });
    }
    window.want(pcap::HEADER)?;
    let data = window.data();
    let Some(magic) = data.first_chunk().map(|bytes| u32::from_be_bytes(*bytes)) else {
        return Err(Error::TooShort { len: data.len() });
    };
    if magic == blocks::SECTION {
        return Ok(Format::Pcapng(pcapng::Section::default()));
    }
    let (format, header) = if pcap::is_magic(magic) {
        (pcap::Header::decode_file(data).map(Format::Pcap), pcap::HEADER)
    } else if data.starts_with(snoop::MAGIC) {
        (snoop::Header::decode_file(data).map(Format::Snoop), snoop::HEADER)
    } else if netmon::MAGICS.iter().any(|magic| data.starts_with(magic)) {
        window.want(netmon::HEADER)?;
        (netmon::Header::decode_file(window.data()).map(Format::Netmon), netmon::HEADER)
    } else {
        window.want(foreign::ENOUGH)?;
        return Err(Error::NotACapture { magic, hint: foreign::hint(window.data()) });
    };
    let format = format.ok_or(Error::CutOff { frame: 1, offset: 0 })?;
    window.consume(header);
    Ok(format)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(bytes: &[u8]) -> String {
        Reader::new(bytes, &Limits::default()).err().unwrap().to_string()
    }

    #[test]
    fn what_is_no_capture_is_named_by_its_first_bytes() {
        assert_eq!(
            refused(b"GET / HTTP/1.1"),
            "not a capture: begins with 47455420, as no known format does"
        );
        assert_eq!(refused(b""), "not a capture: the file is empty");
        assert_eq!(refused(b"\xd4\xc3\xb2"), "not a capture: only 3 bytes long");
    }

    #[test]
    fn a_packed_capture_that_ends_before_its_first_block_is_told_so() {
        let packed = zstd::encode_all(&[0xd4, 0xc3, 0xb2, 0xa1].repeat(1000)[..], 1).unwrap();
        let cut = zstd::Decoder::new(&packed[..10]).unwrap();
        let error = Reader::new(cut, &Limits::default()).err().unwrap();
        assert!(error.is_fatal());
        let expected = "compressed, and cut off before anything can be unpacked";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn capture_that_ends_in_its_header_is_cut_off() {
        assert_eq!(refused(b"\xd4\xc3\xb2\xa1\x02\0"), "cut off within its header");
    }
}
