//! The format of Microsoft Network Monitor, versions 1 and 2, read from front to back (netmon.c of Wireshark).
//!
//! Frames stand one behind the other before the tables of the file. Before version 2.3 times are taken for UTC, since
//! the zone is not written.

use jiff::civil;
use jiff::tz::TimeZone;

use super::record::{Decode, Kind, Order, Record, Step, check_length};
use super::{Error, LinkType};
use crate::at::Timestamp;

/// What files of version 1 and 2 begin with.
pub const MAGICS: [&[u8]; 2] = [b"RTSS", b"GMBU"];
/// Bytes of the file header.
pub const HEADER: usize = 128;
/// Where the header says at which byte a table begins.
const TABLES: [usize; 5] = [24, 32, 40, 48, 56];

/// Where the bytes behind a frame tell its time since 1601-01-01 UTC, in units of 100 ns; an index of time zones
/// follows.
const UTC: usize = 6;
/// The time 1970-01-01 in those units.
const EPOCH: i64 = 116_444_736_000_000_000;

const ORDER: Order = Order::Little;

/// What the file header says about all frames.
pub struct Header {
    start: i64,
    version: (u8, u8),
    link: LinkType,
    /// Where the frames end.
    end: u64,
}

impl Header {
    /// Decodes the file header, `None` where it is incomplete. Where it tells no time, that begins in 1970.
    pub fn decode_file(data: &[u8]) -> Option<Self> {
        let table = |at| ORDER.u32(data, at).map(u64::from).filter(|at| *at >= HEADER as u64);
        Some(Self {
            start: start(data).unwrap_or(0),
            version: (*data.get(5)?, *data.get(4)?),
            link: link(ORDER.u16(data, 6)?),
            end: TABLES.into_iter().filter_map(table).min().unwrap_or(u64::MAX),
        })
    }

    /// Nanoseconds since the start, length on the wire, length captured.
    fn fields(&self, data: &[u8]) -> Option<(i64, u32, u32)> {
        if self.version.0 < 2 {
            let time = i64::from(ORDER.u32(data, 0)?) * 1_000_000;
            return Some((time, ORDER.u16(data, 4)?.into(), ORDER.u16(data, 6)?.into()));
        }
        let time = ORDER.i64(data, 0)?.saturating_mul(1000);
        Some((time, ORDER.u32(data, 8)?, ORDER.u32(data, 12)?))
    }

    /// Bytes behind each frame: its medium, its process, its time once more.
    const fn trailer(&self) -> usize {
        match self.version {
            (2, 1) => 2,
            (2, 2) => 6,
            (2.., 3..) | (3.., _) => UTC + 9,
            _ => 0,
        }
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
        if data.is_empty() {
            return Ok(Step::More(1));
        }
        if offset >= self.end {
            (record.size, record.kind) = (data.len(), Kind::Other);
            return Ok(Step::Whole);
        }
        let header = if self.version.0 < 2 { 8 } else { 16 };
        let Some((time, wire_len, len)) = self.fields(data) else { return Ok(Step::More(header)) };
        let size = header.saturating_add(len as usize).saturating_add(self.trailer());
        check_length(size, cap, offset)?;
        if data.len() < size {
            return Ok(Step::More(size));
        }
        let data_end = header + len as usize;
        let own = ORDER.u16(data, data_end).filter(|_| self.trailer() > 0).map(link);
        let utc =
            ORDER.i64(data, data_end + UTC).filter(|utc| self.trailer() > UTC && *utc > EPOCH);
        let time = match utc {
            Some(utc) => (utc - EPOCH).saturating_mul(100),
            None => self.start.saturating_add(time),
        };
        let (time, link) = (Timestamp::from_nanos(time), own.unwrap_or(self.link));
        record.set_frame(header..data_end, time, link, wire_len);
        record.size = size;
        Ok(Step::Whole)
    }
}

/// The start as SYSTEMTIME: year, month, day of the week, day, hour, minute, second, millisecond.
fn start(data: &[u8]) -> Option<i64> {
    let field = |number: usize| ORDER.u16(data, 8 + 2 * number)?.try_into().ok();
    let small = |number: usize| i8::try_from(field(number)?).ok();
    let (year, millis): (i16, i16) = (field(0)?, field(7)?);
    let (month, day, hour) = (small(1)?, small(3)?, small(4)?);
    let nanos = i32::from(millis).checked_mul(1_000_000)?;
    let civil = civil::DateTime::new(year, month, day, hour, small(5)?, small(6)?, nanos).ok()?;
    let moment = civil.to_zoned(TimeZone::UTC).ok()?.timestamp();
    i64::try_from(moment.as_nanosecond()).ok()
}

/// The link type of an NDIS medium, or the one written in its place.
fn link(medium: u16) -> LinkType {
    LinkType(match medium {
        // IEEE 802.3, token ring, FDDI.
        1 => 1,
        2 => 6,
        3 => 10,
        // Raw IP.
        8 | 9 => 101,
        0xe000..=0xefff => u32::from(medium & 0x0fff),
        // A number that no link type has.
        other => 0x0001_0000 | u32::from(other),
    })
}

#[cfg(test)]
mod tests {
    use super::super::pcap::tests::read;
    use super::HEADER;

    fn capture(magic: &[u8], minor: u8, major: u8, frame: &[u8]) -> Vec<u8> {
        let mut out = magic.to_vec();
        out.extend([minor, major, 1, 0]);
        for field in [2024u16, 2, 0, 29, 1, 2, 3, 500] {
            out.extend(field.to_le_bytes());
        }
        out.extend((HEADER as u32 + frame.len() as u32).to_le_bytes());
        out.resize(HEADER, 0);
        out.extend(frame);
        // The table of frames.
        out.extend((HEADER as u32).to_le_bytes());
        out
    }

    #[test]
    fn frames_are_read_up_to_the_tables() {
        let frame = [9, 0, 0, 0, 7, 0, 3, 0, b'a', b'b', b'c'];
        let expected = ["1 1709168523509000000 link 1 abc of 7"];
        assert_eq!(read(&capture(b"RTSS", 1, 1, &frame), 8), expected);
        let frame = [&[0x28, 0x23, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 3, 0, 0, 0][..], b"abc"].concat();
        assert_eq!(
            read(&capture(b"GMBU", 0, 2, &frame), 8),
            ["1 1709168523509000000 link 1 abc of 7"]
        );
    }

    #[test]
    fn later_versions_name_the_medium_of_each_frame() {
        for (minor, rest) in [(1, 0), (2, 4), (3, 13)] {
            let head = [0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 3, 0, 0, 0];
            let one = [&head[..], b"abc", &[0x69, 0xe0], &vec![0; rest]].concat();
            let lines = read(&capture(b"GMBU", minor, 2, &one.repeat(2)), 8);
            assert_eq!(
                lines,
                [
                    "1 1709168523500000000 link 105 abc of 3",
                    "2 1709168523500000000 link 105 abc of 3"
                ]
            );
        }
    }

    #[test]
    fn the_last_version_tells_the_time_of_each_frame() {
        let head = [0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0];
        let utc = (super::EPOCH + 25).to_le_bytes();
        let frame = [&head[..], b"a", &[1, 0, 0, 0, 0, 0], &utc, &[0]].concat();
        assert_eq!(read(&capture(b"GMBU", 3, 2, &frame), 8), ["1 2500 link 1 a of 1"]);
    }
}
