//! Captures that are made to exhaust whoever reads them, each in a process of its own: how long it takes, and how much
//! memory. It fails where a bound is passed. `cargo bench --bench hostile`

#![allow(clippy::unwrap_used)]

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use bitsleuth::at::{At, Timestamp};
use bitsleuth::capture::{Frame, Input, LinkType};
use bitsleuth::model::Report;
use bitsleuth::{Analysis, Options, transcript};

/// What each may take at most, on a small machine.
const TIME: Duration = Duration::from_secs(60);
const MEMORY_KB: u64 = 400 << 10;

const SYN: u8 = 2;
const RST: u8 = 4;
const ACK: u8 = 16;

type Monster = (&'static str, fn(&mut Wire));

const MONSTERS: [Monster; 14] = [
    ("nothing", |_| {}),
    ("100,000 half-open connections", |wire| half_open(wire, 100_000)),
    ("1,000,000 half-open connections", |wire| half_open(wire, 1_000_000)),
    ("a gap of a billion bytes", gap),
    ("a chunk of 4 GB", chunk),
    ("10,000,000 segments of one byte", |wire| single_bytes(wire, 10_000_000)),
    ("1,000,000 segments that leave a hole each", holes),
    ("1,000,000 requests without an answer", requests),
    ("20,000 connections of one upload that are reset", resets),
    ("one upload that is refused 20,000 times", refusals),
    ("20,000 uploads on one connection, half of each lost", halves),
    ("500,000 first fragments of datagrams", fragments),
    ("100 MB that begin like a response at each word", versions),
    ("5,000,000 link types", link_types),
];

fn main() -> ExitCode {
    if let Ok(name) = std::env::var("BITSLEUTH_MONSTER") {
        return play(&name);
    }
    let Ok(program) = std::env::current_exe() else { return ExitCode::FAILURE };
    let mut whole = true;
    for (name, _) in MONSTERS {
        let status = Command::new(&program).env("BITSLEUTH_MONSTER", name).status();
        whole &= status.is_ok_and(|status| status.success());
    }
    if whole { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn play(name: &str) -> ExitCode {
    let Some((_, act)) = MONSTERS.iter().find(|(known, _)| *known == name) else {
        return ExitCode::FAILURE;
    };
    let begin = Instant::now();
    let mut wire = Wire::new();
    act(&mut wire);
    let frames = wire.frames;
    let report = wire.finish();
    let (took, memory) = (begin.elapsed(), peak_kb());
    let dropped = serde_json::to_string(&report.quality).unwrap_or_default();
    println!(
        "{name}: {frames} frames, {:.2} s, {} MB\n    {dropped}",
        took.as_secs_f64(),
        memory >> 10
    );
    if took < TIME && memory < MEMORY_KB { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The most memory that was in use, where the system tells.
fn peak_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok()).unwrap_or(0)
}

/// Frames of raw IPv4, made one by one.
struct Wire {
    analysis: Analysis,
    frames: u64,
    packet: Vec<u8>,
}

impl Wire {
    fn new() -> Self {
        let options = Options { digest: true, ..Options::default() };
        Self { analysis: Analysis::new(options), frames: 0, packet: Vec::new() }
    }

    fn finish(self) -> Report {
        self.analysis.finish(vec![Input::default()], &mut ())
    }

    fn ip(&mut self, client: u32, fragment: u16, id: u16, protocol: u8, payload: &[u8]) {
        self.packet.clear();
        let total = (20 + payload.len()) as u16;
        self.packet.extend([0x45, 0]);
        self.packet.extend(total.to_be_bytes());
        self.packet.extend(id.to_be_bytes());
        self.packet.extend(fragment.to_be_bytes());
        self.packet.extend([64, protocol, 0, 0]);
        self.packet.extend(client.to_be_bytes());
        self.packet.extend([192, 0, 2, 1]);
        self.packet.extend(payload);
        self.push(LinkType(228));
    }

    /// Hands on the packet.
    fn push(&mut self, link: LinkType) {
        self.frames += 1;
        let time = Timestamp::from_nanos(self.frames as i64 * 1000);
        let at = At { frame: self.frames, time, input: 0, input_frame: self.frames as u32 };
        let (data, wire_len) = (self.packet.as_slice(), self.packet.len() as u32);
        self.analysis.push(&Frame { at, link, data, wire_len, comment: None }, &mut ());
    }

    /// Hands on the frames of a transcript.
    fn play(&mut self, text: &str) {
        for record in transcript::play(text).unwrap() {
            self.frames += 1;
            self.analysis.push(&record.frame(), &mut ());
        }
    }

    fn tcp(&mut self, client: u32, port: u16, seq: u32, flags: u8, payload: &[u8]) {
        let mut segment = Vec::with_capacity(20 + payload.len());
        segment.extend(port.to_be_bytes());
        segment.extend([0, 80]);
        segment.extend(seq.to_be_bytes());
        segment.extend([0; 4]);
        segment.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
        segment.extend(payload);
        self.ip(client, 0, self.frames as u16, 6, &segment);
    }
}

fn half_open(wire: &mut Wire, count: u32) {
    (0..count).for_each(|client| wire.tcp(client | 1 << 24, 4000, client, SYN, b""));
}

fn gap(wire: &mut Wire) {
    let head = b"BITS_POST /f HTTP/1.1\r\nBITS-Packet-Type: Fragment\r\nContent-Range: bytes 0-1999999999/2000000000\r\nContent-Length: 2000000000\r\n\r\n";
    wire.tcp(1, 4000, 0, SYN, b"");
    wire.tcp(1, 4000, 1, ACK, head);
    let mut seq = 1 + head.len() as u32;
    for _ in 0..2 {
        seq += 1_000_000_000;
        wire.tcp(1, 4000, seq, ACK, &[0; 1400]);
        seq += 1400;
        // The hole is given up once too much is held behind it.
        for _ in 0..4000 {
            wire.tcp(1, 4000, seq, ACK, &[0; 1400]);
            seq += 1400;
        }
    }
}

fn chunk(wire: &mut Wire) {
    let head = b"POST /f HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n";
    wire.tcp(1, 4000, 0, SYN, b"");
    wire.tcp(1, 4000, 1, ACK, head);
    let mut seq = 1 + head.len() as u32;
    for _ in 0..1_000_000 {
        wire.tcp(1, 4000, seq, ACK, &[0; 1400]);
        seq = seq.wrapping_add(1400);
    }
}

fn single_bytes(wire: &mut Wire, count: u32) {
    let head = b"BITS_POST /f HTTP/1.1\r\nBITS-Packet-Type: Fragment\r\nContent-Range: bytes 0-99999999/100000000\r\nContent-Length: 100000000\r\n\r\n";
    wire.tcp(1, 4000, 0, SYN, b"");
    wire.tcp(1, 4000, 1, ACK, head);
    let start = 1 + head.len() as u32;
    (0..count).for_each(|at| wire.tcp(1, 4000, start + at, ACK, b"x"));
}

fn holes(wire: &mut Wire) {
    wire.tcp(1, 4000, 0, SYN, b"");
    wire.tcp(1, 4000, 1, ACK, b"BITS_POST /f HTTP/1.1\r\n");
    (0..1_000_000).for_each(|at| wire.tcp(1, 4000, 100 + at * 2, ACK, b"x"));
}

fn requests(wire: &mut Wire) {
    let request = b"BITS_POST /f HTTP/1.1\r\nBITS-Packet-Type: Ping\r\nContent-Length: 0\r\n\r\n";
    wire.tcp(1, 4000, 0, SYN, b"");
    (0..1_000_000).for_each(|at| wire.tcp(1, 4000, 1 + at * request.len() as u32, ACK, request));
}

fn resets(wire: &mut Wire) {
    let head = b"BITS_POST /f HTTP/1.1\r\nUser-Agent: Microsoft BITS/7.8\r\nBITS-Packet-Type: Fragment\r\nBITS-Session-Id: {1}\r\nContent-Range: bytes 0-9/20\r\nContent-Length: 10\r\n\r\n0123456789";
    for port in 1..=20_000 {
        wire.tcp(1, port, 0, SYN, b"");
        wire.tcp(1, port, 1, ACK, head);
        wire.tcp(1, port, 1 + head.len() as u32, RST, b"");
    }
}

fn refusals(wire: &mut Wire) {
    wire.play(&"> CREATE-SESSION\n< 403 error=0x80070005 context=0x5\n".repeat(20_000));
}

fn halves(wire: &mut Wire) {
    let upload = |number| {
        format!(
            "> CREATE-SESSION\n< 200 session={number}\n> FRAGMENT 0-0/10 lost\n< 200 received=1\n"
        )
    };
    wire.play(&(0..20_000).map(upload).collect::<String>());
}

fn fragments(wire: &mut Wire) {
    (0..500_000_u32).for_each(|id| wire.ip(id >> 16, 0x2000, id as u16, 6, &[0; 1400]));
}

fn versions(wire: &mut Wire) {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    wire.tcp(1, 4000, 0, SYN | ACK, b"");
    wire.tcp(1, 4000, 1, ACK, head);
    let words = b"HTTP/1.".repeat(9_000);
    let start = 1 + head.len() as u32;
    (0..1_600).for_each(|at| wire.tcp(1, 4000, start + at * words.len() as u32, ACK, &words));
}

/// By headers of Apple's, each of which names one.
fn link_types(wire: &mut Wire) {
    for number in 0..5_000_000_u32 {
        wire.packet.clear();
        wire.packet.extend([12, 1, 1_000 + number].iter().flat_map(|word| word.to_le_bytes()));
        wire.push(LinkType(149));
    }
}
