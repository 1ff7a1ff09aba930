//! What a conversation yields, segment by segment.

mod connections;
mod copies;
mod fins;
mod holes;
mod order;
mod random;
mod repeats;
mod resets;
mod windows;

use std::net::SocketAddr;

use super::*;
use crate::at::Timestamp;
use crate::limits::Limits;
use crate::packet::{Flags, Segment};

const SYN: u8 = Flags::SYN;
const ACK: u8 = Flags::ACK;
const FIN: u8 = Flags::FIN | Flags::ACK;
const RST: u8 = Flags::RST;
const NOTHING: [&str; 0] = [];

/// A conversation; the client has sequence numbers from 100, the server from 500.
struct Net {
    table: Table<u32>,
    frame: u64,
    time: i64,
    verdict: fn(&&Event<'_>) -> Verdict,
    port: u16,
    server_port: u16,
}

impl Net {
    fn new() -> Self {
        Self::with(Limits::default())
    }

    fn with(limits: Limits) -> Self {
        let table = Table::new(&limits);
        Self { table, frame: 0, time: 0, verdict: |_| Verdict::Go, port: 4000, server_port: 80 }
    }

    fn open() -> Self {
        let mut net = Self::new();
        net.handshake();
        net
    }

    fn handshake(&mut self) {
        assert_eq!(self.client(99, 0, SYN, b""), NOTHING);
        assert_eq!(self.server(499, 100, SYN | ACK, b""), NOTHING);
        assert_eq!(self.client(100, 500, ACK, b""), NOTHING);
    }

    fn client(&mut self, seq: u32, ack: u32, flags: u8, payload: &[u8]) -> Vec<String> {
        self.send(true, seq, ack, flags, payload, |_| {})
    }

    fn server(&mut self, seq: u32, ack: u32, flags: u8, payload: &[u8]) -> Vec<String> {
        self.send(false, seq, ack, flags, payload, |_| {})
    }

    fn send(
        &mut self,
        from_client: bool,
        seq: u32,
        ack: u32,
        flags: u8,
        payload: &[u8],
        change: impl Fn(&mut Segment<'_>),
    ) -> Vec<String> {
        self.frame += 1;
        self.time += 2_000_000;
        let ends = (
            SocketAddr::from(([10, 0, 0, 1], self.port)),
            SocketAddr::from(([10, 0, 0, 2], self.server_port)),
        );
        let (from, to) = if from_client { ends } else { (ends.1, ends.0) };
        let mut segment = Segment {
            at: self.at(),
            from,
            to,
            seq,
            ack,
            flags: Flags(flags),
            window: 1000,
            options: &[],
            payload,
            wire_len: payload.len() as u32,
            first: payload.first_chunk().copied(),
            ttl: 64,
            ip_id: Some(self.frame as u16),
        };
        change(&mut segment);
        let (mut log, verdict) = (vec![], self.verdict);
        self.table.push(&segment, &mut |_: &mut Connection, _: &mut u32, event: &Event<'_>| {
            log.push(text(event));
            verdict(&event)
        });
        log
    }

    fn at(&self) -> At {
        At {
            frame: self.frame,
            time: Timestamp::from_nanos(self.time),
            input: 0,
            input_frame: self.frame as u32,
        }
    }

    fn finish(&mut self) -> Vec<String> {
        let mut log = vec![];
        let at = self.at();
        let mut out = |_: &mut Connection, _: &mut u32, event: &Event<'_>| {
            log.push(text(event));
            Verdict::Go
        };
        while self.table.finish(at, &mut out) {}
        log
    }

    fn connection(&self) -> &Connection {
        self.table.connection(1).unwrap()
    }

    fn side(&self, side: Side) -> &SideFacts {
        self.connection().side(side)
    }
}

fn text(event: &Event<'_>) -> String {
    match event {
        Event::Data(Chunk { at, side, offset, bytes, .. }) => {
            format!("{side:?} {offset} {} from {}", String::from_utf8_lossy(bytes), at.frame)
        }
        Event::Gap { side, offset, len, .. } => format!("{side:?} {offset} lacks {len}"),
        Event::End { side, why, .. } => format!("{side:?} {why:?}"),
    }
}
