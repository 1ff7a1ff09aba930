//! A parser fed in pieces says the same as one fed at once, wherever it is split.

use std::io::{Cursor, Read};

use bitsleuth::at::At;
use bitsleuth::capture::{Item, Reader};
use bitsleuth::http::{Carrier, End, Event, Parser, Start};
use bitsleuth::limits::Limits;
use bitsleuth::stream::{self, Carriage, Chunk, Side};
use bitsleuth::tls::KeyLog;

use crate::support::{SAMPLES, sample};

const MESSAGES: [(Side, &str); 8] = [
    (
        Side::Client,
        "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhelloGET /b HTTP/1.1\r\nHost: h\r\n\r\n",
    ),
    (Side::Client, "BITS_POST /c HTTP/1.1\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n"),
    (
        Side::Client,
        "PUT /d HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;x=\"y\"\r\nabc\r\n10\r\n0123456789abcdef\r\n0\r\nT: v\r\n\r\nGET /e HTTP/1.1\r\n\r\n",
    ),
    (Side::Client, "\r\nGET http://h/f HTTP/1.0\nHost: h\n\n"),
    (Side::Server, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 204 No Content\r\n\r\n"),
    (
        Side::Server,
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nabc",
    ),
    (
        Side::Server,
        "HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\nHTTP/1.0 200 OK\r\n\r\nto the end",
    ),
    (Side::Server, "HTTP/1.1  500  Odd\nA: b\n\nbody"),
];

/// What comes of the pieces, with neighbouring bytes of a body joined.
fn events(side: Side, pieces: &[&[u8]]) -> Vec<String> {
    let (limits, keys) = (Limits::default(), KeyLog::default());
    let (mut parser, mut log, mut offset) = (Parser::new(Carrier::default(), 0), Vec::new(), 0);
    let mut say = |event: Event<'_>| match event {
        Event::Head { exchange, head, .. } => {
            let start = match head.start {
                Start::Request { method, target } => format!("{method} {target}"),
                Start::Response { status, reason } => format!("{status} {reason}"),
            };
            let fields: Vec<_> =
                head.headers.iter().map(|h| (h.name.to_owned(), h.value.to_vec())).collect();
            log.push(format!("{exchange} {start} {fields:?} {:?}", head.odd));
        }
        Event::Body { exchange, bytes, .. } => match log.last_mut() {
            Some(last) if last.starts_with("body") => {
                last.push_str(&bytes.escape_ascii().to_string())
            }
            _ => log.push(format!("body {exchange} {}", bytes.escape_ascii())),
        },
        Event::Gap { .. } | Event::Unread { .. } | Event::Stray { .. } => {
            log.push(format!("{event:?}"));
        }
        Event::End { exchange, why, .. } => log.push(format!("{exchange} {why:?}")),
    };
    for bytes in pieces.iter().filter(|bytes| !bytes.is_empty()) {
        let chunk = Chunk {
            at: At::default(),
            side,
            offset,
            acked: 0,
            carriage: Carriage::default(),
            bytes,
        };
        offset += bytes.len() as u64;
        parser.push(&stream::Event::Data(chunk), &keys, &limits, &mut say);
    }
    let end = stream::Event::End { at: At::default(), side, why: stream::End::Fin };
    parser.push(&end, &keys, &limits, &mut say);
    log
}

#[test]
fn messages_are_the_same_wherever_they_are_split() {
    for (side, text) in MESSAGES {
        let text = text.as_bytes();
        let whole = events(side, &[text]);
        assert!(
            whole.iter().any(|line| line.ends_with(&format!("{:?}", End::Complete))),
            "{whole:?}"
        );
        for at in 1..text.len() {
            let (one, two) = text.split_at(at);
            assert_eq!(events(side, &[one, two]), whole, "split at {at}");
        }
        let bytes: Vec<&[u8]> = text.chunks(1).collect();
        assert_eq!(events(side, &bytes), whole, "byte by byte");
    }
}

/// Hands out at most `piece` bytes at a time.
struct Dripping<R> {
    reader: R,
    piece: usize,
}

impl<R: Read> Read for Dripping<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let len = buffer.len().min(self.piece);
        self.reader.read(&mut buffer[..len])
    }
}

fn items(reader: impl Read) -> Vec<String> {
    let mut reader = Reader::new(reader, &Limits::default()).unwrap();
    let mut log = Vec::new();
    while let Some(item) = reader.next().unwrap() {
        log.push(match item {
            Item::Frame(frame) => format!("{frame:?}"),
            Item::Secrets(text) => format!("{text:?}"),
        });
    }
    log
}

#[test]
fn captures_are_the_same_in_whatever_pieces_they_arrive() {
    for name in SAMPLES {
        let bytes = sample(name);
        let whole = items(Cursor::new(&bytes));
        assert!(!whole.is_empty());
        for piece in [1, 3, 17, 4096] {
            assert_eq!(
                items(Dripping { reader: Cursor::new(&bytes), piece }),
                whole,
                "{name} by {piece}"
            );
        }
    }
}
