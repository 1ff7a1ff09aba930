//! Writing pcap (draft-ietf-opsawg-pcap).

use std::io::{self, Write};

use crate::at::Timestamp;
use crate::capture::LinkType;

const MAGIC: u32 = 0xa1b2_c3d4;
/// Version 2.4, the minor number in the upper half.
const VERSION: u32 = 0x0004_0002;

/// Writes a capture of one link type: little-endian, times in microseconds.
pub struct Writer<W> {
    out: W,
}

impl<W: Write> Writer<W> {
    /// Begins a capture that has at most `snaplen` bytes of each packet.
    ///
    /// # Errors
    ///
    /// Where it cannot be written, as with all methods.
    pub fn new(out: W, link: LinkType, snaplen: u32) -> io::Result<Self> {
        let mut writer = Self { out };
        writer.words(&[MAGIC, VERSION, 0, 0, snaplen, link.0])?;
        Ok(writer)
    }

    /// Writes a packet of which `data` was captured.
    pub fn packet(&mut self, time: Timestamp, data: &[u8], wire_len: u32) -> io::Result<()> {
        let micros = time.nanos().div_euclid(1000);
        // Seconds have 32 bits; those of today fit until 2106.
        let secs = micros.div_euclid(1_000_000) as u32;
        let fraction = micros.rem_euclid(1_000_000) as u32;
        let captured = u32::try_from(data.len()).unwrap_or(u32::MAX);
        self.words(&[secs, fraction, captured, wire_len])?;
        self.out.write_all(data)
    }

    /// Hands on what waits to be written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn words(&mut self, words: &[u32]) -> io::Result<()> {
        words.iter().try_for_each(|word| self.out.write_all(&word.to_le_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::{Item, Reader};
    use crate::limits::Limits;

    #[test]
    fn what_is_written_is_read_back() {
        let mut writer = Writer::new(Vec::new(), LinkType(113), 96).unwrap();
        let time = Timestamp::from_nanos(1_767_225_600_000_007_999);
        writer.packet(time, b"abc", 5).unwrap();
        let mut reader = Reader::new(writer.out.as_slice(), &Limits::default()).unwrap();
        assert_eq!((reader.format(), reader.snaplen()), ("pcap", Some(96)));
        let Some(Item::Frame(frame)) = reader.next().unwrap() else { panic!("no frame") };
        assert_eq!((frame.link, frame.data, frame.wire_len), (LinkType(113), &b"abc"[..], 5));
        assert_eq!(frame.at.time.nanos(), 1_767_225_600_000_007_000);
    }

    #[test]
    fn a_full_disk_is_told() {
        let room: &mut [u8] = &mut [0; 44];
        let mut writer = Writer::new(room, LinkType(1), 96).unwrap();
        writer.packet(Timestamp::from_nanos(0), b"abcd", 4).unwrap();
        assert!(writer.packet(Timestamp::from_nanos(0), b"e", 1).is_err());
    }
}
