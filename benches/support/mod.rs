//! Captures to measure with, made here: the same arguments give the same bytes.

mod seal;
mod talk;

use std::collections::VecDeque;
use std::io::{self, Write};

pub use seal::LIBRARIES;
use seal::{Seal, hellos};
use talk::{Message, Talk};

/// What a capture holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 16 uploads side by side in Fragments of 2 MiB.
    Bulk,
    /// As bulk, inside TLS 1.3 with AES-128-GCM.
    Sealed,
    /// Uploads of 3,000 bytes, one Fragment each.
    Small,
    /// Ordinary traffic of an office; one byte in a hundred belongs to an upload.
    Haystack,
    /// As bulk, with segments out of order, sent twice, and missing.
    Rough,
}

/// The format of the capture file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Pcap,
    Pcapng,
}

/// Large uploads in a capture.
const UPLOADS: u64 = 16;

/// The key log of [`Kind::Sealed`].
pub fn key_log() -> String {
    seal::key_log(UPLOADS)
}

/// Writes a capture of about `bytes`.
pub fn write(kind: Kind, bytes: u64, format: Format, out: &mut dyn Write) -> io::Result<()> {
    let mut tape = Tape::new(kind, format, out)?;
    let mut open: Vec<Talk> = Vec::new();
    let (side_by_side, each) = match kind {
        Kind::Bulk | Kind::Sealed | Kind::Rough => (UPLOADS, bytes / UPLOADS),
        Kind::Small => (256, 3_000),
        Kind::Haystack => (64, 1 << 20),
    };
    let mut begun = 0;
    while tape.bytes < bytes || !open.is_empty() {
        let more = match kind {
            Kind::Bulk | Kind::Sealed | Kind::Rough => begun < UPLOADS,
            Kind::Small | Kind::Haystack => tape.bytes < bytes,
        };
        if more && (open.len() as u64) < side_by_side {
            open.push(tape.begin(kind, begun, each));
            begun += 1;
            continue;
        }
        if open.is_empty() {
            break;
        }
        let turn = tape.dice.below(open.len() as u64) as usize;
        if !open[turn].step(&mut tape)? {
            open.swap_remove(turn);
        }
    }
    tape.finish()
}

/// SplitMix64: quick, and the same everywhere.
pub struct Dice(u64);

impl Dice {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

/// Bytes that all bodies are taken from.
const POOL: usize = 4 << 20;

/// The file being written.
pub struct Tape<'w> {
    out: &'w mut dyn Write,
    format: Format,
    rough: bool,
    micros: u64,
    bytes: u64,
    pool: Vec<u8>,
    held: VecDeque<(u64, Vec<u8>)>,
    frames: u64,
    pub dice: Dice,
}

impl<'w> Tape<'w> {
    fn new(kind: Kind, format: Format, out: &'w mut dyn Write) -> io::Result<Self> {
        let mut dice = Dice(kind as u64);
        let pool = (0..POOL / 8).flat_map(|_| dice.next().to_le_bytes()).collect();
        let words: &[u32] = match format {
            Format::Pcap => &[0xa1b2_c3d4, 0x0004_0002, 0, 0, 262_144, 1],
            Format::Pcapng => &[0x0a0d_0d0a, 28, 0x1a2b_3c4d, 1, !0, !0, 28, 1, 20, 1, 262_144, 20],
        };
        for word in words {
            out.write_all(&word.to_le_bytes())?;
        }
        let micros = 1_182_200_400_000_000;
        let (rough, held) = (kind == Kind::Rough, VecDeque::new());
        Ok(Self { out, format, rough, micros, bytes: 0, pool, held, frames: 0, dice })
    }

    /// Bytes of a body.
    pub fn body(&self, from: usize, len: usize) -> impl Iterator<Item = &[u8]> {
        let from = from % POOL;
        let first = len.min(POOL - from);
        [&self.pool[from..from + first], &self.pool[..len - first]].into_iter()
    }

    /// Takes a frame; one that carries part of a body may have an accident.
    pub fn frame(&mut self, frame: Vec<u8>, of_body: bool) -> io::Result<()> {
        self.frames += 1;
        let luck = if self.rough && of_body { self.dice.below(1_000) } else { 999 };
        match luck {
            0 => {}
            1..=10 => self.held.push_back((self.frames + 2 + luck, frame)),
            11..=15 => {
                self.record(&frame)?;
                self.held.push_back((self.frames + 40, frame));
            }
            _ => self.record(&frame)?,
        }
        while self.held.front().is_some_and(|(due, _)| *due <= self.frames) {
            let (_, frame) = self.held.pop_front().unwrap_or_default();
            self.record(&frame)?;
        }
        Ok(())
    }

    fn record(&mut self, frame: &[u8]) -> io::Result<()> {
        // About 1 Gbit/s.
        self.micros += 1 + frame.len() as u64 / 125;
        let len = frame.len() as u32;
        match self.format {
            Format::Pcap => {
                let (secs, micros) = (self.micros / 1_000_000, self.micros % 1_000_000);
                self.words(&[secs as u32, micros as u32, len, len])?;
                self.out.write_all(frame)?;
            }
            Format::Pcapng => {
                let padding = frame.len().next_multiple_of(4) - frame.len();
                let size = 32 + len + padding as u32;
                let (high, low) = ((self.micros >> 32) as u32, self.micros as u32);
                self.words(&[6, size, 0, high, low, len, len])?;
                self.out.write_all(frame)?;
                self.out.write_all(&[0; 3][..padding])?;
                self.words(&[size])?;
            }
        }
        self.bytes += 16 + frame.len() as u64;
        Ok(())
    }

    fn words(&mut self, words: &[u32]) -> io::Result<()> {
        words.iter().try_for_each(|word| self.out.write_all(&word.to_le_bytes()))
    }

    fn finish(mut self) -> io::Result<()> {
        while let Some((_, frame)) = self.held.pop_front() {
            self.record(&frame)?;
        }
        self.out.flush()
    }

    fn begin(&mut self, kind: Kind, number: u64, bytes: u64) -> Talk {
        let messages = match kind {
            Kind::Bulk | Kind::Sealed | Kind::Rough | Kind::Small => {
                self.upload(number, bytes, 2 << 20)
            }
            Kind::Haystack => match self.dice.below(400) {
                0 => self.upload(number, bytes, 256 << 10),
                1..=160 => self.download(number),
                161..=280 => self.sealed(),
                _ => self.share(),
            },
        };
        let port = match messages.first() {
            Some(first) if first.head.first() == Some(&22) => 443,
            Some(first) if first.head.first() == Some(&0) => 445,
            _ => 80,
        };
        match kind {
            Kind::Sealed => Talk::sealed(number, hellos(number), messages, Seal::both(number)),
            _ => Talk::new(number, port, messages),
        }
    }

    /// [MC-BUP] 4.1.
    fn upload(&mut self, number: u64, bytes: u64, fragment: u64) -> Vec<Message> {
        const GUID: &str = "{7df0354d-249b-430f-820d-3d2a9bef4931}";
        let id = format!("{{{:08X}-0000-4000-8000-{number:012X}}}", self.dice.next() as u32);
        let ask = |kind: &str, fields: &str, len: u64| {
            format!(
                "BITS_POST /upload/{number}.bin HTTP/1.1\r\nAccept: */*\r\nBITS-Packet-Type: {kind}\r\n{fields}\
                 Content-Name: {number}.bin\r\nUser-Agent: Microsoft BITS/7.8\r\nHost: bits.example\r\n\
                 Content-Length: {len}\r\nConnection: Keep-Alive\r\n\r\n"
            )
        };
        let ack = |fields: &str| {
            Message::answer(format!(
                "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nServer: Microsoft-IIS/10.0\r\nBITS-Packet-Type: Ack\r\n\
                 {fields}Date: Mon, 18 Jun 2007 21:01:56 GMT\r\n\r\n"
            ))
        };
        let named = format!("BITS-Session-Id: {id}\r\n");
        let mut messages = vec![
            Message::ask(ask(
                "Create-Session",
                &format!("BITS-Supported-Protocols: {GUID}\r\n"),
                0,
            )),
            ack(&format!("BITS-Protocol: {GUID}\r\n{named}")),
        ];
        for start in (0..bytes).step_by(fragment as usize) {
            let end = bytes.min(start + fragment);
            let fields = format!("{named}Content-Range: bytes {start}-{}/{bytes}\r\n", end - 1);
            let head = ask("Fragment", &fields, end - start);
            messages.push(Message::ask(head).with_body((end - start) as usize, start as usize));
            messages.push(ack(&format!("{named}BITS-Received-Content-Range: {end}\r\n")));
        }
        messages.push(Message::ask(ask("Close-Session", &named, 0)));
        messages.push(ack(&named));
        messages
    }

    fn download(&mut self, number: u64) -> Vec<Message> {
        let mut messages = Vec::new();
        for file in 0..=self.dice.below(6) {
            let len = 512 << self.dice.below(12);
            messages.push(Message::ask(format!(
                "GET /{number}/{file} HTTP/1.1\r\nHost: www.example\r\nUser-Agent: Mozilla/5.0\r\nAccept: */*\r\n\r\n"
            )));
            let head = format!("HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Length: {len}\r\n\r\n");
            messages.push(Message::answer(head).with_body(len, number as usize));
        }
        messages
    }

    /// TLS of which only the first record can be read.
    fn sealed(&mut self) -> Vec<Message> {
        let hello =
            [&[22, 3, 1, 0, 47, 1, 0, 0, 43, 3, 3][..], &[7; 32], &[0, 0, 2, 0x13, 1, 1, 0, 0, 0]];
        let mut messages = vec![Message::raw(true, hello.concat())];
        for turn in 0..2 + self.dice.below(60) {
            let len = 500 + self.dice.below(15_000) as usize;
            let head = [&[23, 3, 3][..], &(len as u16).to_be_bytes()].concat();
            messages.push(Message::raw(turn % 2 == 0, head).with_body(len, turn as usize));
        }
        messages
    }

    /// Something like a file server.
    fn share(&mut self) -> Vec<Message> {
        let message = |client: bool, len: usize| {
            let head = [&(len as u32 + 64).to_be_bytes()[..], b"\xfeSMB", &[64; 60]].concat();
            Message::raw(client, head).with_body(len, len)
        };
        (0..2 + self.dice.below(28))
            .flat_map(|_| [message(true, 65_536), message(false, 16)])
            .collect()
    }
}
