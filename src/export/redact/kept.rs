//! What stays of TCP streams: runs of bytes by their offset, found again by sequence numbers.

use std::net::SocketAddr;

use hashbrown::HashMap;

use crate::packet::{Flags, Segment};
use crate::stream::{Chunk, Connection, Side};

/// One direction of a connection, by its id and who sends.
pub(super) type Key = (u64, SocketAddr);

/// What stays of all streams.
#[derive(Default)]
pub(super) struct Kept {
    streams: HashMap<Key, Stream>,
    /// Connections with TLS.
    pub tls: u64,
}

/// What stays of one direction.
#[derive(Default)]
struct Stream {
    /// The sequence number of its first byte.
    base: Option<u32>,
    /// The frame of its first segment with data, and the sequence number behind that, until its first byte is known.
    first: Option<(u64, u32)>,
    /// Runs of bytes by their offset, in order once all are there.
    runs: Vec<(u64, Vec<u8>)>,
    /// Where the direction is, for the unwrapping of sequence numbers.
    near: u64,
}

/// What `side` of a connection sends.
pub(super) fn key(connection: &Connection, side: Side) -> Key {
    (connection.id, connection.address(side))
}

impl Kept {
    /// The payload of a segment as it may leave: zeros but for what stays.
    pub fn payload(&mut self, connection: u64, segment: &Segment<'_>) -> Vec<u8> {
        let mut out = vec![0; segment.payload.len()];
        let Some(stream) = self.streams.get_mut(&(connection, segment.from)) else { return out };
        let Some(start) = stream.place(segment.seq) else { return out };
        stream.near = start;
        let end = start + out.len() as u64;
        let first = stream.runs.partition_point(|(at, run)| at + run.len() as u64 <= start);
        let runs = stream.runs.get(first..).unwrap_or_default();
        for (at, run) in runs.iter().take_while(|(at, _)| *at < end) {
            for (place, byte) in (*at..).zip(run).filter(|(place, _)| *place >= start) {
                let slot = usize::try_from(place - start).ok().and_then(|place| out.get_mut(place));
                slot.into_iter().for_each(|slot| *slot = *byte);
            }
        }
        out
    }

    /// Notes the first segment of a direction, which may be held for want of an earlier one.
    pub fn note(&mut self, connection: u64, segment: &Segment<'_>) {
        let stream = self.streams.entry((connection, segment.from)).or_default();
        if stream.base.is_none() {
            stream.first.get_or_insert((segment.at.frame, behind(segment)));
        }
    }

    /// Ties sequence numbers to offsets, once: by the segment that a chunk came in, or by the one that was noted.
    pub fn anchor(
        &mut self,
        connection: &Connection,
        chunk: &Chunk<'_>,
        segment: Option<&Segment<'_>>,
    ) {
        let key = key(connection, chunk.side);
        let stream = self.streams.entry(key).or_default();
        if stream.base.is_some() {
            return;
        }
        let last = match segment.filter(|segment| segment.at.frame == chunk.at.frame) {
            Some(segment) => (segment.from == key.1 && segment.payload.ends_with(chunk.bytes))
                .then(|| behind(segment)),
            None => {
                stream.first.filter(|(frame, _)| *frame == chunk.at.frame).map(|(_, last)| last)
            }
        };
        let end = chunk.offset + chunk.bytes.len() as u64;
        stream.base = last.map(|last| last.wrapping_sub(end as u32));
    }

    /// Keeps bytes of a direction.
    pub fn keep(&mut self, key: Key, start: u64, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            self.streams.entry(key).or_default().runs.push((start, bytes));
        }
    }

    /// Puts all in order; nothing is kept any more.
    pub fn finish(&mut self) {
        for stream in self.streams.values_mut() {
            stream.runs.sort_by_key(|(start, _)| *start);
        }
    }
}

impl Stream {
    /// The offset of a sequence number, the one closest to where the direction is.
    fn place(&self, seq: u32) -> Option<u64> {
        let here = self.base?.wrapping_add(self.near as u32);
        self.near.checked_add_signed(i64::from(seq.wrapping_sub(here).cast_signed()))
    }
}

/// The sequence number behind the data of a segment; it is a remainder by 2^32.
fn behind(segment: &Segment<'_>) -> u32 {
    let syn = u32::from(segment.flags.has(Flags::SYN));
    segment.seq.wrapping_add(syn).wrapping_add(segment.payload.len() as u32)
}
