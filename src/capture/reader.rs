//! One capture, record by record.

use std::io::Read;

use super::record::{FrameFacts, Kind, Record, Step};
use super::window::Window;
use super::{Error, Frame, Item, blocks, netmon, pcap, pcapng, snoop};
use crate::at::At;
use crate::limits::Limits;

/// Bytes read at a time: few system calls, and still within the cache of a core.
pub(super) const BUFFER: usize = 256 << 10;

/// Reads one stream of packets, lending every frame out of its buffer.
pub struct Reader<R> {
    window: Window<R>,
    format: Format,
    current: Record,
    frames: u64,
    cap: usize,
    over: bool,
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

impl<R: Read + Send + 'static> Reader<R> {
    /// Leaves the reading to another thread from now on.
    pub fn read_ahead(&mut self) {
        self.window.read_ahead();
    }
}

impl<R: Read> Reader<R> {
    /// Reads the file header.
    ///
    /// # Errors
    ///
    /// [`Error::Empty`] or [`Error::NotACapture`] where it is none; [`Error::CutOff`] where it is incomplete.
    pub fn new(reader: R, limits: &Limits) -> Result<Self, Error> {
        Self::with_buffer(reader, limits, BUFFER)
    }

    pub(super) fn with_buffer(reader: R, limits: &Limits, buffer: usize) -> Result<Self, Error> {
        let mut window = Window::new(reader, buffer);
        let format = detect(&mut window)?;
        Ok(Self {
            window,
            format,
            current: Record::default(),
            frames: 0,
            cap: limits.record,
            over: false,
        })
    }

    /// The next frame or secrets, `None` at the end and after an error.
    ///
    /// # Errors
    ///
    /// [`Error::CutOff`], [`Error::TooLong`] or [`Error::Damaged`] where the capture is, [`Error::Read`] where the stream
    /// fails.
    #[expect(clippy::should_implement_trait, reason = "an iterator cannot lend")]
    pub fn next(&mut self) -> Result<Option<Item<'_>>, Error> {
        Ok(if self.advance()? { self.item() } else { None })
    }

    /// The next block of a pcapng file, or record of a pcap file, as it is written; `None` at the end and after an error.
    ///
    /// # Errors
    ///
    /// Those of [`next`](Self::next).
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

    /// Moves on to the next frame or secrets; false at the end.
    #[inline(always)]
    pub(super) fn advance(&mut self) -> Result<bool, Error> {
        self.step(false)
    }

    #[inline(always)]
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
    #[inline(always)]
    fn find(&mut self, every: bool) -> Result<bool, Error> {
        loop {
            let (data, offset) = (self.window.data(), self.window.offset());
            let (cap, record) = (self.cap, &mut self.current);
            let step = match &mut self.format {
                Format::Pcap(header) => header.decode(data, offset, cap, record)?,
                Format::Pcapng(section) => section.decode(data, offset, cap, record)?,
                Format::Snoop(header) => header.decode(data, offset, cap, record)?,
                Format::Netmon(header) => header.decode(data, offset, cap, record)?,
            };
            match step {
                Step::Whole if every || record.kind != Kind::Other => {
                    self.frames += u64::from(record.kind == Kind::Frame);
                    return Ok(true);
                }
                Step::Whole => self.window.consume(std::mem::take(&mut record.size)),
                Step::More(len) => {
                    if !self.window.want(len)? {
                        return self.at_end();
                    }
                }
            }
        }
    }

    fn at_end(&self) -> Result<bool, Error> {
        if self.window.data().is_empty() && !self.window.is_broken() {
            return Ok(false);
        }
        Err(Error::CutOff { frame: self.frames + 1, offset: self.window.offset() })
    }

    /// What the last [`advance`](Self::advance) found.
    #[inline(always)]
    pub(super) fn item(&self) -> Option<Item<'_>> {
        let Record { kind, ref data, facts, ref comment, .. } = self.current;
        let input_frame = self.frames.min(u32::MAX.into()) as u32;
        match kind {
            Kind::Frame => Some(Item::Frame(Frame {
                at: At { frame: self.frames, time: facts.time, input: 0, input_frame },
                link: facts.link,
                data: self.window.part(data)?,
                wire_len: facts.wire_len,
                comment: if comment.is_empty() { None } else { text(self.window.part(comment)?) },
            })),
            Kind::Secrets => Some(Item::Secrets(self.window.part(data)?)),
            Kind::Other => None,
        }
    }

    /// What the header of the current frame says; `None` for secrets.
    #[inline(always)]
    pub(super) fn facts(&self) -> Option<&FrameFacts> {
        (self.current.kind == Kind::Frame).then_some(&self.current.facts)
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

    /// The most bytes of a frame that were captured, where the headers read so far state it: the least of all interfaces.
    pub fn snaplen(&self) -> Option<u32> {
        match &self.format {
            Format::Pcap(header) => header.snaplen(),
            Format::Pcapng(section) => section.snaplen(),
            Format::Snoop(_) | Format::Netmon(_) => None,
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
            Error::CutOff { frame: 1, offset: 0 }
        } else {
            Error::Empty
        });
    }
    window.want(pcap::HEADER)?;
    let data = window.data();
    let magic = data.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes));
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
        return Err(Error::NotACapture { magic });
    };
    let format = format.ok_or(Error::CutOff { frame: 1, offset: 0 })?;
    window.consume(header);
    Ok(format)
}

/// The part of a comment up to the first byte that is not UTF-8.
fn text(bytes: &[u8]) -> Option<&str> {
    let valid = bytes.utf8_chunks().next()?.valid();
    (!valid.is_empty()).then_some(valid)
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
    }

    #[test]
    fn capture_that_ends_in_its_header_is_cut_off() {
        assert_eq!(refused(b"\xd4\xc3\xb2\xa1\x02\0"), "cut off within frame 1, at byte 0");
    }
}
