//! The format of snoop (RFC 1761): big-endian, every record with its own length.

use super::record::{Decode, Order, Record, Step, check_length};
use super::{Error, LinkType};
use crate::at::Timestamp;

/// What a file begins with.
pub const MAGIC: &[u8] = b"snoop\0\0\0";
/// Bytes of the file header.
pub const HEADER: usize = 16;
/// Bytes of the header of a record.
const RECORD: usize = 24;

/// What the file header says about all records.
pub struct Header {
    link: LinkType,
}

impl Header {
    /// Decodes the file header, `None` where it is incomplete.
    pub fn decode_file(data: &[u8]) -> Option<Self> {
        let link = match Order::Big.u32(data, 12)? {
            // IEEE 802.3 and Ethernet.
            0 | 4 => 1,
            // Token ring.
            2 => 6,
            // FDDI.
            8 => 10,
            // ATM.
            18 => 123,
            // IP observability on Solaris.
            26 => 226,
            // A number that no link type has.
            other => 0x0001_0000 | other,
        };
        Some(Self { link: LinkType(link) })
    }
}

impl Decode for Header {
    fn decode(
        &mut self,
        data: &[u8],
        offset: u64,
        cap: usize,
        record: &mut Record,
    ) -> Result<Step, Error> {
        let word = |at| Order::Big.u32(data, at);
        let (Some(wire_len), Some(len), Some(size), Some(secs), Some(micros)) =
            (word(0), word(4), word(8), word(16), word(20))
        else {
            return Ok(Step::More(RECORD));
        };
        check_length(size as usize, cap, offset)?;
        let (size, end) = (size as usize, RECORD.saturating_add(len as usize));
        if end > size {
            return Err(Error::Damaged { offset, why: "the record is shorter than its packet" });
        }
        if data.len() < size {
            return Ok(Step::More(size));
        }
        let time = i64::from(secs) * 1_000_000_000 + i64::from(micros) * 1000;
        record.set_frame(RECORD..end, Timestamp::from_nanos(time), self.link, wire_len);
        record.size = size;
        Ok(Step::Whole)
    }
}

#[cfg(test)]
mod tests {
    use super::super::pcap::tests::read;

    fn capture(record_len: u32) -> Vec<u8> {
        let mut out = super::MAGIC.to_vec();
        for word in [2, 4, 9, 3, record_len, 0, 1, 5] {
            out.extend(u32::to_be_bytes(word));
        }
        out.extend(b"abc\0");
        out
    }

    #[test]
    fn records_are_padded_to_the_length_that_they_state() {
        assert_eq!(read(&capture(28), 8), ["1 1000005000 link 1 abc of 9"]);
    }

    #[test]
    fn a_record_shorter_than_its_packet_is_damage() {
        assert_eq!(
            read(&capture(26), 64),
            ["record at byte 16 is damaged: the record is shorter than its packet"]
        );
    }
}
