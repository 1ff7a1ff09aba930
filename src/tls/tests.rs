use std::ops::Range;

use crate::at::At;
use crate::stream::{Chunk, End, Event, Side};

use super::kdf::expand_label;
use super::suite::Digest;
use super::*;

macro_rules! sample {
    ($name:literal) => {
        Sample::new(
            include_bytes!(concat!("../../samples/tls/", $name, ".bin")),
            include_bytes!(concat!("../../samples/tls/", $name, ".keys")),
        )
    };
}

/// A recorded connection: `C` or `S`, a length of two bytes, that many bytes; and again.
struct Sample {
    flights: Vec<(Side, &'static [u8])>,
    keys: &'static [u8],
}

/// What came out: the plaintext of both sides with gaps as `~`, the gaps, and how many directions ended.
#[derive(Debug, Default, PartialEq, Eq)]
struct Plain {
    client: Vec<u8>,
    server: Vec<u8>,
    gaps: Vec<(Side, Range<u64>)>,
    ends: usize,
}

impl Plain {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Data(chunk) => {
                let side = self.side(chunk.side);
                assert_eq!(chunk.offset, side.len() as u64);
                assert!(!chunk.bytes.is_empty());
                side.extend_from_slice(chunk.bytes);
            }
            Event::Gap { side, offset, len, .. } => {
                self.gaps.push((side, offset..offset + len));
                let bytes = self.side(side);
                assert_eq!(offset, bytes.len() as u64);
                bytes.resize(bytes.len() + len as usize, b'~');
            }
            Event::End { .. } => self.ends += 1,
        }
    }

    fn side(&mut self, side: Side) -> &mut Vec<u8> {
        if side == Side::Client { &mut self.client } else { &mut self.server }
    }
}

impl Sample {
    fn new(mut file: &'static [u8], keys: &'static [u8]) -> Self {
        let mut flights = Vec::new();
        while let [side, high, low, rest @ ..] = file {
            let (bytes, rest) = rest.split_at(usize::from(u16::from_be_bytes([*high, *low])));
            flights.push((if *side == b'C' { Side::Client } else { Side::Server }, bytes));
            file = rest;
        }
        Self { flights, keys }
    }

    fn keys(&self) -> KeyLog {
        let mut keys = KeyLog::default();
        keys.add(self.keys);
        keys
    }

    fn run(&self, split: usize, keys: &KeyLog) -> (Plain, Facts) {
        self.run_without(split, keys, Side::Client, 0..0)
    }

    /// Without these bytes of one side.
    fn run_without(&self, split: usize, keys: &KeyLog, side: Side, hole: Range<u64>) -> (Plain, Facts) {
        let (mut decryptor, mut plain) = (Decryptor::new(1 << 20), Plain::default());
        self.feed(&mut decryptor, split, keys, (side, hole), &mut plain);
        end(&mut decryptor, keys, &mut plain);
        (plain, decryptor.facts().clone())
    }

    fn feed(
        &self,
        to: &mut Decryptor,
        split: usize,
        keys: &KeyLog,
        (holed, hole): (Side, Range<u64>),
        plain: &mut Plain,
    ) {
        let (mut client, mut server) = (0, 0);
        for (frame, &(side, flight)) in (1..).zip(&self.flights) {
            let next = if side == Side::Client { &mut client } else { &mut server };
            let at = At { frame, ..At::default() };
            for bytes in flight.chunks(split) {
                let (offset, len) = (*next, bytes.len() as u64);
                *next += len;
                let event = if side == holed && offset < hole.end && hole.start < *next {
                    Event::Gap { at, side, offset, len }
                } else {
                    Event::Data(Chunk { at, side, offset, bytes })
                };
                to.push(event, keys, &mut |event| plain.take(event));
            }
        }
    }
}

fn end(decryptor: &mut Decryptor, keys: &KeyLog, plain: &mut Plain) {
    for side in [Side::Client, Side::Server] {
        let event = Event::End { at: At::default(), side, why: End::Fin };
        decryptor.push(event, keys, &mut |event| plain.take(event));
    }
}

fn all() -> [Sample; 3] {
    [sample!("tls12-ecdhe-gcm"), sample!("tls13-aes256"), sample!("tls13-tunnel")]
}

#[test]
fn plaintext_is_the_same_however_the_stream_is_split() {
    for sample in all() {
        let (whole, facts) = sample.run(usize::MAX, &sample.keys());
        assert!(whole.client.starts_with(b"BITS_POST "));
        assert!(whole.server.starts_with(b"HTTP/1.1 200"));
        assert!(facts.decrypted && facts.opaque.is_none());
        assert_eq!((facts.client.failed, facts.server.failed, whole.ends), (0, 0, 2));
        for split in [1, 2, 5, 7, 1000] {
            assert_eq!(sample.run(split, &sample.keys()), (Plain { ..sample.run(split, &sample.keys()).0 }, facts.clone()));
            assert_eq!(sample.run(split, &sample.keys()).0, whole);
        }
    }
}
