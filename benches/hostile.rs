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

const SERVER: u32 = u32::from_be_bytes([192, 0, 2, 1]);

type Monster = (&'static str, fn(&mut Wire));

const MONSTERS: [Monster; 19] = [
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
    ("20,000 refused Creates, each for a URL of its own", strangers),
    ("20,000 Creates that wait, then an id for each", partings),
    ("an upload of 10,000 Fragments that goes on while 4,000 others end", onlooker),
    ("6,000 Closes that look for their Ack among 200,000", closes),
    ("50,000 requests behind holes on a connection of 20,000 uploads", hollow),
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
        self.send((client, SERVER), fragment, id, protocol, payload);
    }

    fn send(
        &mut self,
        (from, to): (u32, u32),
        fragment: u16,
        id: u16,
        protocol: u8,
        payload: &[u8],
    ) {
        self.packet.clear();
        let total = (20 + payload.len()) as u16;
        self.packet.extend([0x45, 0]);
        self.packet.extend(total.to_be_bytes());
        self.packet.extend(id.to_be_bytes());
        self.packet.extend(fragment.to_be_bytes());
        self.packet.extend([64, protocol, 0, 0]);
        self.packet.extend(from.to_be_bytes());
        self.packet.extend(to.to_be_bytes());
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
        let segment = segment((port, 80), (seq, 0), flags, payload);
        self.ip(client, 0, self.frames as u16, 6, &segment);
    }

    /// A segment of the client, or of the server, on a connection of which both are seen.
    fn say(&mut self, talk: &mut Talk, of_client: bool, payload: &str) {
        let Talk { client, port, sent, got } = talk;
        let (ends, ports, seqs) = match of_client {
            true => ((*client, SERVER), (*port, 80), (*sent, *got)),
            false => ((SERVER, *client), (80, *port), (*got, *sent)),
        };
        let segment = segment(ports, seqs, ACK, payload.as_bytes());
        self.send(ends, 0, self.frames as u16, 6, &segment);
        *(if of_client { sent } else { got }) += payload.len() as u32;
    }

    /// A request and its answer.
    fn exchange(&mut self, talk: &mut Talk, request: &str, answer: &str) {
        self.say(talk, true, request);
        self.say(talk, false, answer);
    }
}

/// A connection, and how far it got.
struct Talk {
    client: u32,
    port: u16,
    sent: u32,
    got: u32,
}

impl Talk {
    fn of(client: u32, port: u16) -> Self {
        Self { client, port, sent: 1, got: 1 }
    }
}

fn segment((from, to): (u16, u16), (seq, acked): (u32, u32), flags: u8, payload: &[u8]) -> Vec<u8> {
    let mut segment = Vec::with_capacity(20 + payload.len());
    segment.extend([from, to].iter().flat_map(|port| port.to_be_bytes()));
    segment.extend([seq, acked].iter().flat_map(|number| number.to_be_bytes()));
    segment.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    segment.extend(payload);
    segment
}

/// A request of BITS with some fields and a body.
fn ask(kind: &str, fields: &str, body: &str) -> String {
    format!(
        "BITS_POST /f HTTP/1.1\r\nHost: h\r\nBITS-Packet-Type: {kind}\r\n{fields}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// A Fragment of one byte of a file that is longer.
fn fragment(id: u32, at: u32) -> String {
    ask(
        "Fragment",
        &format!("BITS-Session-Id: {id}\r\nContent-Range: bytes {at}-{at}/99999\r\n"),
        "x",
    )
}

/// An Ack with some fields.
fn ack(fields: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nBITS-Packet-Type: Ack\r\n{fields}Content-Length: 0\r\n\r\n")
}

fn opened(id: u32) -> String {
    ack(&format!(
        "BITS-Protocol: {{7df0354d-249b-430f-820d-3d2a9bef4931}}\r\nBITS-Session-Id: {id}\r\n"
    ))
}

fn received(next: u32) -> String {
    ack(&format!("BITS-Received-Content-Range: {next}\r\n"))
}

fn partings(wire: &mut Wire) {
    let mut talks: Vec<_> = (1..=20_000).map(|port| Talk::of(1, port)).collect();
    let create = ask("Create-Session", "Authorization: Basic YTpi\r\n", "");
    talks.iter_mut().for_each(|talk| wire.say(talk, true, &create));
    (1..).zip(&mut talks).for_each(|(id, talk)| wire.say(talk, false, &opened(id)));
}

fn onlooker(wire: &mut Wire) {
    let create = ask("Create-Session", "", "");
    let mut others: Vec<_> = (1..=4_000).map(|port| Talk::of(1, port)).collect();
    (1..).zip(&mut others).for_each(|(id, talk)| wire.exchange(talk, &create, &opened(id)));
    let talk = &mut Talk::of(1, 5_000);
    wire.exchange(talk, &create, &opened(5_000));
    (0..10_000).for_each(|at| wire.exchange(talk, &fragment(5_000, at), &received(at + 1)));
    let last = fragment(5_000, 10_000).replace("10000-10000", "10000-99998");
    wire.say(talk, true, &last.replace("Content-Length: 1\r", "Content-Length: 89999\r"));
    for (id, other) in (1..).zip(&mut others) {
        let cancel = ask("Cancel-Session", &format!("BITS-Session-Id: {id}\r\n"), "");
        wire.say(talk, true, "x");
        wire.exchange(other, &cancel, &ack(""));
        wire.tcp(1, other.port, other.sent, RST, b"");
    }
}

fn closes(wire: &mut Wire) {
    for client in 2..66 {
        let talk = &mut Talk::of(client, 4_000);
        (0..3_000).for_each(|_| wire.say(talk, false, &received(1)));
    }
    for id in 1..=6_000 {
        let talk = &mut Talk::of(1, id as u16);
        wire.exchange(talk, &fragment(id, 0), &received(1));
        let close = ask("Close-Session", &format!("BITS-Session-Id: {id}\r\n"), "");
        wire.exchange(talk, &close, &ack(""));
    }
}

fn hollow(wire: &mut Wire) {
    let talk = &mut Talk::of(1, 4_000);
    (0..20_000).for_each(|id| wire.exchange(talk, &fragment(id, 0), &received(1)));
    for _ in 0..50_000 {
        talk.sent += 1;
        wire.exchange(talk, &ask("Ping", "", ""), &ack(""));
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

fn strangers(wire: &mut Wire) {
    for port in 1..=50 {
        let talk = &mut Talk::of(1, port);
        for number in 0..400 {
            let own = format!("BITS_POST /{port}/{number} ");
            let create = ask("Create-Session", "", "").replace("BITS_POST /f ", &own);
            wire.exchange(talk, &create, "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n");
        }
    }
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
