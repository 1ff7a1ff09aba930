//! Writing pcapng (draft-ietf-opsawg-pcapng): new sections, and copies of blocks with comments added.

use std::io::{self, Write};

use crate::at::Timestamp;
use crate::capture::LinkType;
use crate::capture::blocks::{
    BYTE_ORDER, ENHANCED_PACKET, INTERFACE, OLD_PACKET, SECTION, SIMPLE_PACKET,
};

/// Longest comment that is written, in bytes.
const COMMENT: usize = 4096;

const OPT_COMMENT: u16 = 1;
const IF_TSRESOL: u16 = 9;
const IF_TSOFFSET: u16 = 14;
const SHB_USERAPPL: u16 = 4;

/// A link type for private use, for media that have no number here.
const PRIVATE: u16 = 147;

/// Bytes in front of the data of a packet block, and of a simple one.
const PACKET_HEAD: usize = 28;
const SIMPLE_HEAD: usize = 12;

/// What times before 1970 are counted from, in seconds: the year 1677, the first that fits 64 bits of nanoseconds.
const EARLIEST: i64 = i64::MIN / NANOS;
const NANOS: i64 = 1_000_000_000;

/// Writes a section of our own: little-endian, times in nanoseconds.
pub struct Writer<W> {
    out: W,
    /// 0 where it is not stated.
    snaplen: u32,
    interfaces: Vec<Interface>,
}

/// What packets of an interface have in common.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Interface {
    link: u16,
    /// Their times are counted from [`EARLIEST`] on: a packet has no room for a sign.
    before_1970: bool,
}

impl<W: Write> Writer<W> {
    /// Begins the section; no packet may have more than `snaplen` bytes, where that is stated.
    ///
    /// # Errors
    ///
    /// Where it cannot be written, as with all methods.
    pub fn new(mut out: W, snaplen: Option<u32>) -> io::Result<Self> {
        let mut body = Vec::new();
        body.extend(BYTE_ORDER.to_le_bytes());
        body.extend([1, 0, 0, 0]);
        body.extend([0xff; 8]);
        let name = concat!("bitsleuth ", env!("CARGO_PKG_VERSION"));
        option(&mut body, SHB_USERAPPL, name.as_bytes(), false);
        option(&mut body, 0, &[], false);
        block(&mut out, SECTION, &body, false)?;
        Ok(Self { out, snaplen: snaplen.unwrap_or(0), interfaces: Vec::new() })
    }

    /// Writes a packet of which `data` was captured; there is an interface for each link type, and another
    /// one for times before 1970.
    pub fn packet(
        &mut self,
        link: LinkType,
        time: Timestamp,
        data: &[u8],
        wire_len: u32,
        comments: &[String],
    ) -> io::Result<()> {
        let link = u16::try_from(link.0).unwrap_or(PRIVATE);
        let own = Interface { link, before_1970: time.nanos() < 0 };
        let interface = match self.interfaces.iter().position(|known| *known == own) {
            Some(place) => place,
            None => self.interface(own)?,
        };
        let start = if own.before_1970 { EARLIEST * NANOS } else { 0 };
        let ticks = u64::try_from(time.nanos().saturating_sub(start)).unwrap_or(0);
        let mut body = Vec::with_capacity(data.len() + 64);
        body.extend((interface as u32).to_le_bytes());
        body.extend(((ticks >> 32) as u32).to_le_bytes());
        body.extend((ticks as u32).to_le_bytes());
        body.extend(u32::try_from(data.len()).unwrap_or(u32::MAX).to_le_bytes());
        body.extend(wire_len.to_le_bytes());
        body.extend(data);
        pad(&mut body);
        comments.iter().for_each(|text| comment(&mut body, text, false));
        if !comments.is_empty() {
            option(&mut body, 0, &[], false);
        }
        block(&mut self.out, ENHANCED_PACKET, &body, false)
    }

    fn interface(&mut self, own: Interface) -> io::Result<usize> {
        let mut body = own.link.to_le_bytes().to_vec();
        body.extend([0, 0]);
        body.extend(self.snaplen.to_le_bytes());
        option(&mut body, IF_TSRESOL, &[9], false);
        if own.before_1970 {
            option(&mut body, IF_TSOFFSET, &EARLIEST.to_le_bytes(), false);
        }
        option(&mut body, 0, &[], false);
        block(&mut self.out, INTERFACE, &body, false)?;
        self.interfaces.push(own);
        Ok(self.interfaces.len() - 1)
    }
}

/// Copies a block as it is, but for what has to change: comments are added to a packet, and a section does not tell its
/// length any more. A simple packet, which cannot have comments, becomes an enhanced one without a time.
///
/// # Errors
///
/// Where it cannot be written.
pub fn copy(out: &mut impl Write, raw: &[u8], big: bool, comments: &[String]) -> io::Result<()> {
    let Some((kind, body)) = parts(raw, big) else { return out.write_all(raw) };
    match kind {
        SECTION => {
            let mut body = body.to_vec();
            if let Some(length) = body.get_mut(8..16) {
                length.fill(0xff);
            }
            block(out, kind, &body, big)
        }
        ENHANCED_PACKET | OLD_PACKET if !comments.is_empty() => {
            let len = u32_at(raw, 20, big).map_or(0, |len| (len as usize).next_multiple_of(4));
            let data_end = (PACKET_HEAD - 8).saturating_add(len).min(body.len());
            let (packet, options) = body.split_at(data_end);
            block(out, kind, &with_comments(packet, options, big, comments), big)
        }
        SIMPLE_PACKET if !comments.is_empty() => {
            let data = body.get(SIMPLE_HEAD - 8..).unwrap_or_default();
            let wire = u32_at(raw, 8, big).unwrap_or(0);
            let captured = wire.min(u32::try_from(data.len()).unwrap_or(u32::MAX));
            let mut packet = [0, 0, 0, captured, wire].map(|word| word_of(word, big)).concat();
            packet.extend(data);
            block(out, ENHANCED_PACKET, &with_comments(&packet, &[], big, comments), big)
        }
        _ => out.write_all(raw),
    }
}

/// The type and the body of a block.
fn parts(raw: &[u8], big: bool) -> Option<(u32, &[u8])> {
    let kind = u32_at(raw, 0, big)?;
    Some((kind, raw.get(8..raw.len().checked_sub(4)?)?))
}

/// A packet with its options and further comments in front of the end of these.
fn with_comments(packet: &[u8], options: &[u8], big: bool, comments: &[String]) -> Vec<u8> {
    let mut body = packet.to_vec();
    let end = end_of(options, big);
    body.extend(options.get(..end).unwrap_or_default());
    comments.iter().for_each(|text| comment(&mut body, text, big));
    option(&mut body, 0, &[], big);
    body
}

/// Where the mark that ends the options is.
fn end_of(options: &[u8], big: bool) -> usize {
    let mut at = 0;
    while let Some(&[a, b, c, d]) = options.get(at..at + 4) {
        let number =
            |bytes| if big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) };
        let next = at + 4 + usize::from(number([c, d])).next_multiple_of(4);
        if number([a, b]) == 0 || next > options.len() {
            return at;
        }
        at = next;
    }
    at
}

fn comment(body: &mut Vec<u8>, text: &str, big: bool) {
    let mut end = text.len().min(COMMENT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    option(body, OPT_COMMENT, text.get(..end).unwrap_or_default().as_bytes(), big);
}

fn option(body: &mut Vec<u8>, code: u16, value: &[u8], big: bool) {
    let number = |number: u16| if big { number.to_be_bytes() } else { number.to_le_bytes() };
    body.extend(number(code));
    body.extend(number(u16::try_from(value.len()).unwrap_or(u16::MAX)));
    body.extend(value);
    pad(body);
}

fn pad(body: &mut Vec<u8>) {
    body.resize(body.len().next_multiple_of(4), 0);
}

fn block(out: &mut impl Write, kind: u32, body: &[u8], big: bool) -> io::Result<()> {
    let len = word_of(u32::try_from(body.len() + 12).unwrap_or(u32::MAX), big);
    out.write_all(&word_of(kind, big))?;
    out.write_all(&len)?;
    out.write_all(body)?;
    out.write_all(&len)
}

const fn word_of(word: u32, big: bool) -> [u8; 4] {
    if big { word.to_be_bytes() } else { word.to_le_bytes() }
}

fn u32_at(data: &[u8], at: usize, big: bool) -> Option<u32> {
    let bytes = *data.get(at..)?.first_chunk()?;
    Some(if big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::{Item, Reader};
    use crate::limits::Limits;

    fn capture() -> Vec<u8> {
        let mut writer = Writer::new(Vec::new(), None).unwrap();
        let time = Timestamp::from_nanos(1_000_000_007);
        writer.packet(LinkType(101), time, b"abcde", 9, &["first".to_owned()]).unwrap();
        writer.packet(LinkType(1), time, b"xyz", 3, &[]).unwrap();
        writer.out
    }

    fn items(bytes: &[u8]) -> Vec<String> {
        let mut reader = Reader::new(bytes, &Limits::default()).unwrap();
        let mut lines = Vec::new();
        while let Some(item) = reader.next().unwrap() {
            let Item::Frame(f) = item else { panic!() };
            lines.push(format!(
                "{} {} {} of {} {:?}",
                f.at.time,
                f.link.0,
                f.data.escape_ascii(),
                f.wire_len,
                f.comment
            ));
        }
        lines
    }

    #[test]
    fn what_is_written_is_read_back() {
        assert_eq!(
            items(&capture()),
            [
                "1970-01-01T00:00:01.000000007Z 101 abcde of 9 Some(\"first\")",
                "1970-01-01T00:00:01.000000007Z 1 xyz of 3 None",
            ]
        );
    }

    #[test]
    fn media_without_a_number_do_not_get_that_of_others() {
        let mut writer = Writer::new(Vec::new(), None).unwrap();
        let time = Timestamp::from_nanos(0);
        for number in [0x0001_0001, 228] {
            writer.packet(LinkType(number), time, b"a", 1, &[]).unwrap();
        }
        let expected = [147, 228].map(|n| format!("{time} {n} a of 1 None"));
        assert_eq!(items(&writer.out), expected);
    }

    #[test]
    fn times_before_1970_are_kept() {
        let mut writer = Writer::new(Vec::new(), None).unwrap();
        let times = [-1, 5, EARLIEST * NANOS, -86_400 * NANOS].map(Timestamp::from_nanos);
        times.iter().for_each(|time| writer.packet(LinkType(1), *time, b"a", 1, &[]).unwrap());
        let expected = times.map(|time| format!("{time} 1 a of 1 None"));
        assert_eq!(items(&writer.out), expected);
    }

    #[test]
    fn a_copy_has_the_old_comment_and_the_new_ones() {
        let (bytes, mut out) = (capture(), Vec::new());
        let mut reader = Reader::new(bytes.as_slice(), &Limits::default()).unwrap();
        while let Some(block) = reader.next_block().unwrap() {
            copy(&mut out, block.raw, block.big_endian, &["second".to_owned()]).unwrap();
        }
        assert_eq!(items(&out)[0], "1970-01-01T00:00:01.000000007Z 101 abcde of 9 Some(\"first\")");
        assert_eq!(items(&out)[1], "1970-01-01T00:00:01.000000007Z 1 xyz of 3 Some(\"second\")");
        let text = String::from_utf8_lossy(&out);
        assert!(text.find("first").unwrap() < text.find("second").unwrap());
    }

    #[test]
    fn without_comments_a_copy_is_the_same() {
        let (bytes, mut out) = (capture(), Vec::new());
        let mut reader = Reader::new(bytes.as_slice(), &Limits::default()).unwrap();
        while let Some(block) = reader.next_block().unwrap() {
            copy(&mut out, block.raw, block.big_endian, &[]).unwrap();
        }
        assert_eq!(out, bytes);
    }
}
