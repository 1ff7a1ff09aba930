//! Takes captures apart into records, changes these, and puts them together again.

use std::ops::Range;

use bitsleuth::capture::{Item, Reader};
use bitsleuth::limits::Limits;

/// Offset of the IP header in an Ethernet frame.
const IP: usize = 14;
const FIN: u8 = 0x01;
const PSH: u8 = 0x08;

/// One frame of Ethernet, IPv4 and TCP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub nanos: i64,
    pub data: Vec<u8>,
    pub wire_len: u32,
}

/// The order of the bytes of a number.
#[derive(Clone, Copy, Debug)]
pub enum Order {
    Little,
    Big,
}

/// The records of a capture that is in good order.
pub fn records(capture: &[u8]) -> Vec<Record> {
    let mut reader = Reader::new(capture, &Limits::default()).unwrap();
    let mut records = Vec::new();
    while let Some(item) = reader.next().unwrap() {
        let Item::Frame(frame) = item else { continue };
        assert_eq!(frame.link.0, 1);
        records.push(Record {
            nanos: frame.at.time.nanos(),
            data: frame.data.to_vec(),
            wire_len: frame.wire_len,
        });
    }
    records
}

impl Order {
    fn u32(self, number: u32) -> [u8; 4] {
        match self {
            Self::Little => number.to_le_bytes(),
            Self::Big => number.to_be_bytes(),
        }
    }

    fn u16(self, number: u16) -> [u8; 2] {
        match self {
            Self::Little => number.to_le_bytes(),
            Self::Big => number.to_be_bytes(),
        }
    }
}

/// A pcap file with times in microseconds.
pub fn pcap(records: &[Record], order: Order) -> Vec<u8> {
    pcap_of(1, records, order)
}

/// A pcap file whose frames are of link type `link`.
pub fn pcap_of(link: u32, records: &[Record], order: Order) -> Vec<u8> {
    let mut out = order.u32(0xa1b2_c3d4).to_vec();
    out.extend([order.u16(2), order.u16(4)].concat());
    out.extend([0, 0, 262_144, link].map(|number| order.u32(number)).concat());
    for record in records {
        let (secs, micros) = (record.nanos / 1_000_000_000, record.nanos % 1_000_000_000 / 1000);
        let numbers = [secs as u32, micros as u32, record.data.len() as u32, record.wire_len];
        out.extend(numbers.map(|number| order.u32(number)).concat());
        out.extend(&record.data);
    }
    out
}

/// A pcapng file of one section and one interface, with times in microseconds.
pub fn pcapng(records: &[Record], order: Order) -> Vec<u8> {
    let magic = [&order.u32(0x1a2b_3c4d)[..], &order.u16(1), &order.u16(0), &[0xff; 8]].concat();
    let mut out = block(0x0a0d_0d0a, &magic, order);
    let interface = [&order.u16(1)[..], &order.u16(0), &order.u32(262_144)].concat();
    out.extend(block(1, &interface, order));
    for record in records {
        let micros = record.nanos / 1000;
        let numbers =
            [0, (micros >> 32) as u32, micros as u32, record.data.len() as u32, record.wire_len];
        let mut body = numbers.map(|number| order.u32(number)).concat();
        body.extend(&record.data);
        body.resize(body.len().next_multiple_of(4), 0);
        out.extend(block(6, &body, order));
    }
    out
}

/// A pcapng block with the secrets of TLS.
pub fn secrets(text: &str, order: Order) -> Vec<u8> {
    let len = order.u32(text.len() as u32);
    let mut body = [&order.u32(0x544c_534b)[..], &len, text.as_bytes()].concat();
    body.resize(body.len().next_multiple_of(4), 0);
    block(10, &body, order)
}

fn block(kind: u32, body: &[u8], order: Order) -> Vec<u8> {
    let len = order.u32(body.len() as u32 + 12);
    [&order.u32(kind)[..], &len, body, &len].concat()
}

impl Record {
    fn tcp(&self) -> usize {
        IP + usize::from(self.data[IP] & 0xf) * 4
    }

    fn payload_range(&self) -> Range<usize> {
        let tcp = self.tcp();
        let end = IP + usize::from(u16::from_be_bytes([self.data[IP + 2], self.data[IP + 3]]));
        tcp + usize::from(self.data[tcp + 12] >> 4) * 4..end
    }

    /// The TCP payload.
    pub fn payload(&self) -> &[u8] {
        &self.data[self.payload_range()]
    }

    /// The TCP flags.
    pub fn flags(&self) -> u8 {
        self.data[self.tcp() + 13]
    }

    /// What names the connection whichever way it goes, and whether the higher port is the receiver's.
    pub fn flow(&self) -> (Vec<u8>, bool) {
        let (addresses, ports) = self.direction();
        let one = [&addresses[..4], &ports[..2]].concat();
        let two = [&addresses[4..], &ports[2..]].concat();
        let from_server = ports[..2] < ports[2..];
        (if from_server { [two, one] } else { [one, two] }.concat(), from_server)
    }

    /// Sequence and acknowledgement number.
    pub fn numbers(&self) -> (u32, u32) {
        let number = |at: usize| u32::from_be_bytes(self.data[at..at + 4].try_into().unwrap());
        (number(self.tcp() + 4), number(self.tcp() + 8))
    }

    /// With these instead.
    pub fn with_numbers(mut self, seq: u32, ack: u32) -> Self {
        let tcp = self.tcp();
        self.data[tcp + 4..tcp + 8].copy_from_slice(&seq.to_be_bytes());
        self.data[tcp + 8..tcp + 12].copy_from_slice(&ack.to_be_bytes());
        self
    }

    /// With another payload.
    pub fn with_payload(mut self, payload: &[u8]) -> Self {
        let start = self.payload_range().start;
        self.data.truncate(start);
        self.data.extend(payload);
        let ip_len = (self.data.len() - IP) as u16;
        self.data[IP + 2..IP + 4].copy_from_slice(&ip_len.to_be_bytes());
        self.wire_len = self.data.len() as u32;
        self
    }

    /// With another IP identification: no copy of the frame before it.
    pub fn renamed(mut self) -> Self {
        self.data[IP + 4] ^= 0x40;
        self
    }

    /// A segment without data from the other side, as if to acknowledge this one.
    pub fn reply(&self) -> Self {
        let (tcp, (seq, ack)) = (self.tcp(), self.numbers());
        let mut back = self.clone().with_payload(&[]).with_numbers(ack, seq);
        back.data[IP + 12..IP + 20].rotate_left(4);
        back.data[tcp..tcp + 4].rotate_left(2);
        back
    }

    /// Addresses and ports of both sides, sender first.
    fn direction(&self) -> (&[u8], &[u8]) {
        let tcp = self.tcp();
        (&self.data[IP + 12..IP + 20], &self.data[tcp..tcp + 4])
    }

    fn seq(&self) -> u32 {
        let tcp = self.tcp();
        u32::from_be_bytes(self.data[tcp + 4..tcp + 8].try_into().unwrap())
    }

    /// The same segment in a packet of its own.
    fn again(&self) -> Self {
        let mut again = self.clone();
        again.data[IP + 4] ^= 0x80;
        again
    }

    /// Whether `next` goes the same way and its data follow at once.
    fn continues_in(&self, next: &Self) -> bool {
        self.direction() == next.direction()
            && !self.payload().is_empty()
            && self.seq().wrapping_add(self.payload().len() as u32) == next.seq()
    }

    /// A segment with the second half of this one's data and all of `next`.
    fn joined(&self, next: &Self) -> Self {
        let half = self.payload().len() / 2;
        let mut joined = self.part(half..self.payload().len()).again();
        joined.data.truncate(joined.payload_range().end);
        joined.data.extend(next.payload());
        let ip_len = (joined.data.len() - IP) as u16;
        joined.data[IP + 2..IP + 4].copy_from_slice(&ip_len.to_be_bytes());
        let (flags, tcp) = (next.data[next.tcp() + 13], joined.tcp());
        joined.data[tcp + 13] = flags & !FIN;
        Self { wire_len: joined.data.len() as u32, ..joined }
    }

    /// The part of the segment that holds `part` of its payload.
    fn part(&self, part: Range<usize>) -> Self {
        let (tcp, payload) = (self.tcp(), self.payload_range());
        let mut data = self.data[..payload.start].to_vec();
        data.extend(&self.payload()[part.clone()]);
        let ip_len = (data.len() - IP) as u16;
        data[IP + 2..IP + 4].copy_from_slice(&ip_len.to_be_bytes());
        let seq = u32::from_be_bytes(self.data[tcp + 4..tcp + 8].try_into().unwrap());
        let seq = seq.wrapping_add(part.start as u32);
        data[tcp + 4..tcp + 8].copy_from_slice(&seq.to_be_bytes());
        if part.end < payload.len() {
            data[tcp + 13] &= !(FIN | PSH);
        }
        Self { nanos: self.nanos, wire_len: data.len() as u32, data }
    }
}

/// The same streams in segments of at most `size` bytes.
pub fn resegmented(records: &[Record], size: usize) -> Vec<Record> {
    let split = |record: &Record| -> Vec<Record> {
        let len = record.payload().len();
        if len <= size {
            return vec![record.clone()];
        }
        (0..len).step_by(size).map(|at| record.part(at..len.min(at + size))).collect()
    };
    records.iter().flat_map(split).collect()
}

/// The same packets behind `header` instead of that of Ethernet.
pub fn behind(header: &[u8], records: &[Record]) -> Vec<Record> {
    let change = |record: &Record| {
        let data = [header, &record.data[IP..]].concat();
        Record { wire_len: data.len() as u32, data, ..*record }
    };
    records.iter().map(change).collect()
}

/// The conversation of another client, `nanos` later.
pub fn of_client(address: [u8; 4], nanos: i64, records: &[Record]) -> Vec<Record> {
    let server =
        |record: &Record| record.data[record.tcp()..][..2] < record.data[record.tcp() + 2..][..2];
    let change = |record: &Record| {
        let mut changed = record.clone();
        let place = IP + if server(record) { 16 } else { 12 };
        changed.data[place..place + 4].copy_from_slice(&address);
        changed.nanos += nanos;
        changed
    };
    records.iter().map(change).collect()
}

/// What a network may do to segments, by a sequence of random numbers: repeat them, alone or with the end of the one
/// before, and bring them late.
pub fn mistreated(records: &[Record], mut random: impl FnMut(usize) -> usize) -> Vec<Record> {
    let mut out: Vec<Record> = Vec::new();
    for record in records {
        out.push(record.clone());
        let last = out.len() - 1;
        if record.payload().is_empty() {
            continue;
        }
        match random(6) {
            0 => out.push(record.again()),
            1 if last > 0 && out[last - 1].continues_in(record) => {
                let joined = out[last - 1].joined(record);
                out.push(joined);
            }
            2 if last > 0 && out[last - 1].continues_in(record) => out.swap(last - 1, last),
            _ => {}
        }
    }
    let mut times: Vec<i64> = out.iter().map(|record| record.nanos).collect();
    times.sort_unstable();
    out.iter_mut().zip(times).for_each(|(record, nanos)| record.nanos = nanos);
    out
}

/// Every frame twice.
pub fn doubled(records: &[Record]) -> Vec<Record> {
    records.iter().flat_map(|record| [record.clone(), record.clone()]).collect()
}

/// Neighbours that carry data the same way change places; the times stay where they are.
pub fn swapped(records: &[Record]) -> Vec<Record> {
    let mut out = records.to_vec();
    let mut at = 0;
    while at + 1 < out.len() {
        let (one, two) = (&out[at], &out[at + 1]);
        let data = !one.payload().is_empty() && !two.payload().is_empty();
        if data && one.direction() == two.direction() {
            out.swap(at, at + 1);
            (out[at].nanos, out[at + 1].nanos) = (records[at].nanos, records[at + 1].nanos);
            at += 1;
        }
        at += 1;
    }
    out
}

/// Every frame cut to `len` bytes.
pub fn snapped(records: &[Record], len: usize) -> Vec<Record> {
    let mut out = records.to_vec();
    out.iter_mut().for_each(|record| record.data.truncate(len));
    out
}
