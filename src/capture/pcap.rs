//! The pcap format, in either endianness, with microseconds or nanoseconds (draft-ietf-opsawg-pcap).

use pcap_parser::parse_pcap_header;

use super::record::{Decode, Order, Record, Step, check_length};
use super::{Error, LinkType};
use crate::at::Timestamp;

/// Bytes of the file header.
pub const HEADER: usize = 24;

/// What the file header says about all records.
pub struct Header {
    order: Order,
    link: LinkType,
    snaplen: u32,
    /// Nanoseconds of a unit of the fraction of a second.
    unit: i64,
    /// Bytes of the header of a record.
    record: usize,
}

/// Whether a file may begin with this, read as big-endian. The fifth is Kuznetzov's modified format.
pub const fn is_magic(magic: u32) -> bool {
    matches!(magic, 0xa1b2_c3d4 | 0xd4c3_b2a1 | 0xa1b2_3c4d | 0x4d3c_b2a1 | 0x34cd_b2a1)
}

impl Header {
    /// Decodes the file header, `None` where it is incomplete.
    pub fn decode_file(data: &[u8]) -> Option<Self> {
        let (_, file) = parse_pcap_header(data).ok()?;
        Some(Self {
            order: if file.is_bigendian() { Order::Big } else { Order::Little },
            // The upper bits tell of frame check sequences.
            link: LinkType(file.network.0.cast_unsigned() & 0xffff),
            snaplen: file.snaplen,
            unit: if file.is_nanosecond_precision() { 1 } else { 1000 },
            record: if file.is_modified_format() { 24 } else { 16 },
        })
    }

    pub fn snaplen(&self) -> Option<u32> {
        (self.snaplen != 0).then_some(self.snaplen)
    }
}

impl Decode for Header {
    #[inline(always)]
    fn decode(
        &mut self,
        data: &[u8],
        offset: u64,
        cap: usize,
        record: &mut Record,
    ) -> Result<Step, Error> {
        let Some((fields, _)) = data.split_first_chunk::<16>() else {
            return Ok(Step::More(self.record));
        };
        let [secs, fraction, captured, wire_len] = self.order.u32s(fields);
        check_length(captured as usize, cap, offset)?;
        if captured == 0 && wire_len == 0 {
            check_empty(fields, offset)?;
        }
        let size = self.record + captured as usize;
        if data.len() < size {
            return Ok(Step::More(size));
        }
        let nanos = i64::from(secs) * 1_000_000_000 + i64::from(fraction) * self.unit;
        let time = Timestamp::from_nanos(nanos);
        record.set_frame(self.record..size, time, self.link, wire_len);
        record.size = size;
        Ok(Step::Whole)
    }
}

/// Tells the header of a record without a packet from what else looks like one.
///
/// # Errors
///
/// [`Error::Damaged`] where there are only zeros, or the file header of a capture that was appended.
#[cold]
fn check_empty(header: &[u8; 16], offset: u64) -> Result<(), Error> {
    let [a, b, c, d, version @ ..] = header;
    let why = match version {
        _ if header.iter().all(|byte| *byte == 0) => "zeros",
        [2, 0, 4, 0, ..] | [0, 2, 0, 4, ..] if is_magic(u32::from_be_bytes([*a, *b, *c, *d])) => {
            "another capture begins there; name the files one by one, or join them with mergecap"
        }
        _ => return Ok(()),
    };
    Err(Error::Damaged { offset, why })
}

#[cfg(test)]
pub mod tests {
    use super::super::batch::{Batch, End};
    use super::super::{Item, Reader};
    use crate::at::At;
    use crate::limits::Limits;

    /// A little-endian capture in microseconds with frames at the given seconds.
    pub fn capture(frames: &[(u32, &[u8])]) -> Vec<u8> {
        let mut out = Vec::new();
        for word in [0xa1b2_c3d4, 0x0004_0002, 0, 0, 65535, 1] {
            out.extend(u32::to_le_bytes(word));
        }
        for (secs, data) in frames {
            for word in [*secs, 5, data.len() as u32, data.len() as u32 + 2] {
                out.extend(word.to_le_bytes());
            }
            out.extend(*data);
        }
        out
    }

    /// A line for every item, then the error. Step by step it is the same as in batches.
    pub fn read(bytes: &[u8], block: usize) -> Vec<String> {
        let open = || Reader::with_block(bytes, &Limits::default(), block);
        let mut lines = Vec::new();
        let mut reader = match open() {
            Ok(reader) => reader,
            Err(error) => return vec![error.to_string()],
        };
        loop {
            match reader.next() {
                Ok(Some(item)) => lines.push(line(&item)),
                Ok(None) => break,
                Err(error) => lines.push(error.to_string()),
            }
        }
        assert_eq!(lines, read_in_batches(&mut open().unwrap()));
        lines
    }

    fn read_in_batches(reader: &mut Reader<&[u8]>) -> Vec<String> {
        let (mut batch, mut lines, mut frames) = (Batch::default(), Vec::new(), 0);
        while batch.end.is_none() {
            reader.fill(&mut batch);
            for place in 0..batch.entries.len() {
                frames += u32::from(batch.facts(place).is_some());
                let at = At { input_frame: frames, ..At::default() };
                lines.push(line(&batch.item(place, at).unwrap()));
            }
        }
        if let Some(End::Broken(error)) = batch.end {
            lines.push(error.to_string());
        }
        lines
    }

    fn line(item: &Item<'_>) -> String {
        match item {
            Item::Frame(f) => format!(
                "{} {} link {} {} of {}{}",
                f.at.input_frame,
                f.at.time.nanos(),
                f.link.0,
                f.data.escape_ascii(),
                f.wire_len,
                f.comment.map(|c| format!(" # {c}")).unwrap_or_default()
            ),
            Item::Secrets(keys) => format!("secrets {}", keys.escape_ascii()),
        }
    }

    #[test]
    fn little_endian_microseconds() {
        let bytes = capture(&[(1, b"abc"), (2, b"de")]);
        assert_eq!(
            read(&bytes, 4096),
            ["1 1000005000 link 1 abc of 5", "2 2000005000 link 1 de of 4"]
        );
        assert_eq!(read(&bytes, 8), read(&bytes, 4096));
    }

    #[test]
    fn big_endian_nanoseconds_with_frame_check_bits_in_the_link_type() {
        let mut bytes = Vec::new();
        for word in [0xa1b2_3c4d_u32, 0x0002_0004, 0, 0, 65535, 0x2400_0071, 1, 7, 2, 9] {
            bytes.extend(word.to_be_bytes());
        }
        bytes.extend(b"xy");
        assert_eq!(read(&bytes, 4096), ["1 1000000007 link 113 xy of 9"]);
    }

    #[test]
    fn modified_format_has_longer_record_headers() {
        let mut bytes = Vec::new();
        for word in [0xa1b2_cd34_u32, 0x0004_0002, 0, 0, 65535, 1, 1, 7, 2, 2, 0, 0] {
            bytes.extend(word.to_le_bytes());
        }
        bytes.extend(b"xy");
        assert_eq!(read(&bytes, 4096), ["1 1000007000 link 1 xy of 2"]);
    }

    #[test]
    fn cut_off_capture_yields_what_is_whole() {
        let bytes = capture(&[(1, b"abc"), (2, b"de")]);
        let cut = &bytes[..bytes.len() - 1];
        assert_eq!(
            read(cut, 64),
            ["1 1000005000 link 1 abc of 5", "cut off within frame 2, at byte 43"]
        );
    }

    #[test]
    fn incredible_length_ends_the_reading() {
        let mut bytes = capture(&[(1, b"abc")]);
        bytes.extend([0xff; 16]);
        let error = "record at byte 43 claims 4294967295 bytes, more than the limit of 16777216";
        assert_eq!(read(&bytes, 64), ["1 1000005000 link 1 abc of 5", error]);
    }

    #[test]
    fn zeros_and_an_appended_capture_are_no_frames_without_a_packet() {
        let one = capture(&[(1, b"abc")]);
        let frame = "1 1000005000 link 1 abc of 5";
        let zeros = [&one[..], &[0; 64]].concat();
        assert_eq!(read(&zeros, 64), [frame, "record at byte 43 is damaged: zeros"]);
        let twice = [&one[..], &one].concat();
        let error = "record at byte 43 is damaged: another capture begins there; name the files one by one, or join them with mergecap";
        assert_eq!(read(&twice, 64), [frame, error]);
        assert_eq!(read(&capture(&[(0, b"")]), 64), ["1 5000 link 1  of 2"]);
    }

    #[test]
    fn record_larger_than_the_buffer_is_read_in_one_piece() {
        let large = vec![b'x'; 1 << 20];
        let bytes = capture(&[(1, &large)]);
        assert!(read(&bytes, 256).concat().ends_with("xxx of 1048578"));
    }
}
