//! Each function takes whatever bytes it is given and panics where something does not hold.

use std::collections::HashMap;
use std::io::Cursor;
use std::net::SocketAddr;

use bitsleuth::at::{At, Timestamp};
use bitsleuth::bits::secrets::Secrets;
use bitsleuth::bits::words::Words;
use bitsleuth::capture::{Frame, Input, Item, LinkType, Merge, Reader};
use bitsleuth::export::{Style, table, timeline};
use bitsleuth::http::{self, Carrier, Parser, Start};
use bitsleuth::limits::Limits;
use bitsleuth::model::Report;
use bitsleuth::packet::{Decoder, Flags, Packet, Segment, plain};
use bitsleuth::stream::{Carriage, Chunk, End, Event, Side, Table, Verdict};
use bitsleuth::tls::{Decryptor, KeyLog};
use bitsleuth::{Analysis, Options};

/// Caps so low that inputs meet them.
fn tight() -> Limits {
    Limits {
        held_per_side: 4 << 10,
        held_in_all: 16 << 10,
        connections: 8,
        closed_connections: 4,
        head: 2 << 10,
        headers: 16,
        fragmented_datagrams: 4,
        fragment_bytes: 8 << 10,
        nesting: 6,
        pending_requests: 4,
        sessions: 4,
        exchanges_per_session: 8,
        findings_per_rule: 4,
        attempts: 4,
        record: 64 << 10,
        tls_waiting: 8 << 10,
        tls_waiting_in_all: 16 << 10,
        tls_waiting_closed: 4,
        ..Limits::default()
    }
}

fn at(frame: u64) -> At {
    let time =
        Timestamp::from_nanos(i64::try_from(frame).unwrap_or(i64::MAX).saturating_mul(9_000_000));
    At { frame, time, input: 0, input_frame: u32::try_from(frame).unwrap_or(u32::MAX) }
}

/// A capture file: frames are counted without a gap, none is longer than on the wire, and in batches all is the same.
pub fn capture(data: &[u8]) {
    let Ok(mut reader) = Reader::new(data, &tight()) else { return };
    let mut merge = Merge::new(tight());
    merge.add("capture", None, Box::new(Cursor::new(data.to_vec())));
    let (mut frames, mut bytes) = (0, 0);
    while let Ok(Some(item)) = reader.next() {
        assert_same(&item, &merge.next().expect("in batches there is as much"));
        if let Item::Frame(frame) = item {
            frames += 1;
            assert_eq!(frame.at.frame, frames, "frames are counted without a gap");
            assert!(
                frame.data.len() as u64 <= u64::from(frame.wire_len),
                "longer than on the wire"
            );
        }
        assert!(reader.bytes() >= bytes, "the place in the file goes back");
        bytes = reader.bytes();
    }
    assert!(bytes <= data.len() as u64, "more was read than there is");
    assert!(merge.next().is_none(), "in batches there is more");
    assert_eq!(merge.inputs()[0].bytes, reader.bytes(), "in batches as much is used");
}

fn assert_same(one: &Item<'_>, other: &Item<'_>) {
    match (one, other) {
        (Item::Frame(one), Item::Frame(other)) => {
            assert_eq!((one.at, one.link, one.data), (other.at, other.link, other.data));
            assert_eq!((one.wire_len, one.comment), (other.wire_len, other.comment));
        }
        (Item::Secrets(one), Item::Secrets(other)) => assert_eq!(one, other),
        _ => panic!("a frame or secrets"),
    }
}

/// Frames of one link type: a payload lies within its segment, and the short way finds what the long one does.
pub fn packet(data: &[u8]) {
    let mut decoder = Decoder::new(&tight());
    let Some((&link, rest)) = data.split_first() else { return };
    // Two bytes tell the length of each frame.
    let mut rest = rest;
    for number in 1.. {
        let Some((len, tail)) = rest.split_first_chunk() else { return };
        let (frame, tail) = tail.split_at(usize::from(u16::from_be_bytes(*len)).min(tail.len()));
        rest = tail;
        let wire_len = (frame.len() + usize::from(len[0] >> 7) * 60) as u32;
        let link = LinkType(if link == 255 { 276 } else { u32::from(link) });
        let frame = Frame { at: at(number), link, data: frame, wire_len, comment: None };
        let found = decoder.push(&frame).ok();
        if let Some(packet) = plain(&frame) {
            assert_eq!(format!("{:?}", Some(packet)), format!("{found:?}"), "the short way");
        }
        if let Some(Packet::Tcp(segment)) = found {
            assert!(segment.payload.len() as u64 <= u64::from(segment.wire_len));
        }
    }
}

/// Offsets reached by each direction of each connection.
#[derive(Default)]
struct Offsets(HashMap<(u64, Side), (u64, bool)>);

impl Offsets {
    fn take(&mut self, connection: u64, event: &Event<'_>) {
        let (side, from, len) = match *event {
            Event::Data(chunk) => (chunk.side, chunk.offset, chunk.bytes.len() as u64),
            Event::Gap { side, offset, len, .. } => (side, offset, len),
            Event::End { side, .. } => {
                let known = self.0.entry((connection, side)).or_default();
                assert!(!known.1, "a direction ends twice");
                known.1 = true;
                return;
            }
        };
        let known = self.0.entry((connection, side)).or_default();
        assert!(!known.1, "something follows the end");
        assert!(len > 0, "an empty event");
        assert_eq!(known.0, from, "bytes and gaps leave no room and never go back");
        known.0 += len;
    }
}

/// Segments of a few connections: bytes and gaps follow each other, and what is held stays under its cap.
pub fn stream(data: &[u8]) {
    let limits = tight();
    let mut table: Table<()> = Table::new(&limits);
    let (mut offsets, mut rest, mut frame) = (Offsets::default(), data, 0);
    while let Some((head, tail)) = rest.split_first_chunk::<8>() {
        let (payload, tail) = tail.split_at(usize::from(head[1]).min(tail.len()));
        rest = tail;
        frame += 1 + u64::from(head[7] >> 4);
        let segment = segment(*head, payload, frame);
        let mut seen =
            |connection: &mut bitsleuth::stream::Connection, (): &mut (), event: &Event<'_>| {
                offsets.take(connection.id, event);
                Verdict::Go
            };
        table.push(&segment, &mut seen);
        assert!(table.held() <= limits.held_in_all, "more is held than the cap allows");
        while table.closed().is_some() {}
    }
    let mut seen =
        |connection: &mut bitsleuth::stream::Connection, (): &mut (), event: &Event<'_>| {
            offsets.take(connection.id, event);
            Verdict::Go
        };
    while table.finish(at(frame), &mut seen) {}
    assert!(offsets.0.values().all(|(_, ended)| *ended), "a direction does not end");
    assert_eq!(table.held(), 0, "something is held after the end");
}

fn segment(head: [u8; 8], payload: &[u8], frame: u64) -> Segment<'_> {
    let [what, len, seq, seq_high, ack, ack_high, flags, more] = head;
    let client = SocketAddr::from(([10, 0, 0, 1], 4000 + u16::from(what & 3)));
    let server = SocketAddr::from(([10, 0, 0, 2], 80));
    let (from, to) = if what & 0x80 == 0 { (client, server) } else { (server, client) };
    let wide = |low: u8, high: u8| {
        u32::from(low) | (u32::from(high) << if what & 0x40 == 0 { 8 } else { 24 })
    };
    Segment {
        at: at(frame),
        from,
        to,
        seq: wide(seq, seq_high),
        ack: wide(ack, ack_high),
        flags: Flags(flags),
        window: u16::from(what & 0x30) << 4,
        options: &[],
        payload,
        wire_len: payload.len() as u32
            + if payload.len() < usize::from(len) { u32::from(more & 7) } else { 0 },
        first: payload.first_chunk().copied(),
        ttl: 64,
        ip_id: (what & 8 == 0).then_some(frame as u16),
    }
}

/// Bytes of both sides in turn: two bytes tell the side, whether it is a gap, and the length of each piece.
fn dialogue(data: &[u8], mut push: impl FnMut(Event<'_>)) {
    let (mut rest, mut frame, mut reached) = (data, 0, [0_u64; 2]);
    while let Some((head, tail)) = rest.split_first_chunk::<2>() {
        frame += 1;
        let side = if head[0] & 0x80 == 0 { Side::Client } else { Side::Server };
        let offset = &mut reached[usize::from(head[0] >> 7)];
        let len = usize::from(head[0] & 0x1f) << 8 | usize::from(head[1]);
        rest = tail;
        if head[0] & 0x60 == 0x60 && len > 0 {
            push(Event::Gap { at: at(frame), side, offset: *offset, len: len as u64 });
            *offset += len as u64;
            continue;
        }
        let (bytes, tail) = rest.split_at(len.min(rest.len()));
        rest = tail;
        if !bytes.is_empty() {
            push(Event::Data(Chunk {
                at: at(frame),
                side,
                offset: *offset,
                acked: 0,
                carriage: Carriage::default(),
                bytes,
            }));
            *offset += bytes.len() as u64;
        }
    }
    for side in [Side::Client, Side::Server] {
        push(Event::End { at: at(frame + 1), side, why: End::Fin });
    }
}

/// A key log of 200 bytes at most up to an empty line, then records: plaintext follows plaintext.
pub fn tls(data: &[u8]) {
    let limits = tight();
    let split = data.windows(2).take(4096).position(|pair| pair == b"\n\n").map_or(0, |at| at + 2);
    let (log, records) = data.split_at(split);
    let mut keys = KeyLog::default();
    keys.add(log);
    let (mut decryptor, mut offsets) = (Decryptor::new(limits.tls_waiting), Offsets::default());
    dialogue(records, |event| {
        decryptor.push(event, &keys, &mut |event| offsets.take(1, &event));
        assert!(
            decryptor.waiting_bytes() <= limits.tls_waiting + (32 << 10),
            "too much waits for keys"
        );
    });
}

/// Messages of both sides: body offsets follow each other, and nothing follows the end of a message.
pub fn http(data: &[u8]) {
    let (limits, keys) = (tight(), KeyLog::default());
    let mut parser = Parser::new(Carrier::default(), 0);
    let mut bodies: HashMap<(u32, Side), Option<u64>> = HashMap::new();
    dialogue(data, |event| {
        parser.push(&event, &keys, &limits, &mut |event| match event {
            http::Event::Head { exchange, side, head, .. } => {
                assert!(
                    head.headers.len() <= limits.headers.max(48),
                    "more fields than the cap allows"
                );
                bodies.insert((exchange, side), Some(0));
            }
            http::Event::Body { exchange, side, offset, bytes, .. } => {
                assert!(!bytes.is_empty(), "an empty piece of a body");
                reach(&mut bodies, (exchange, side), offset, bytes.len() as u64);
            }
            http::Event::Gap { exchange, side, offset, len, .. } => {
                assert!(len > 0, "an empty gap");
                reach(&mut bodies, (exchange, side), offset, len);
            }
            http::Event::End { exchange, side, .. } => {
                let body = bodies.insert((exchange, side), None);
                assert!(matches!(body, Some(Some(_))), "an end without a beginning");
            }
            http::Event::Unread { exchange, side, len, .. } => {
                assert!(len > 0, "nothing is unread");
                let body = bodies.get(&(exchange, side));
                assert!(matches!(body, Some(None)), "unread before the end of its message");
            }
            http::Event::Stray { len, .. } => assert!(len > 0, "nothing is stray"),
        });
    });
}

fn reach(bodies: &mut HashMap<(u32, Side), Option<u64>>, key: (u32, Side), offset: u64, len: u64) {
    let Some(Some(reached)) = bodies.get_mut(&key) else { panic!("a body without a head") };
    assert_eq!(*reached, offset, "a body leaves no room and never goes back");
    *reached = reached.saturating_add(len);
}

/// A head of the upload protocol: what is decoded can be written.
pub fn bits(data: &[u8]) {
    let (limits, keys) = (Limits::default(), KeyLog::default());
    for side in [Side::Client, Side::Server] {
        let mut parser = Parser::new(Carrier::default(), 0);
        let chunk = Chunk {
            at: at(1),
            side,
            offset: 0,
            acked: 0,
            carriage: Carriage::default(),
            bytes: data,
        };
        let mut decode = |event: http::Event<'_>| {
            let http::Event::Head { span, head, .. } = event else { return };
            let words = &mut Words::default();
            let value =
                match head.start {
                    Start::Request { .. } => {
                        let request =
                            bitsleuth::bits::decode::request(&head, span, Secrets::Mask, words);
                        bitsleuth::bits::decode::packet_type(&request);
                        serde_json::to_value(request)
                    }
                    Start::Response { .. } => serde_json::to_value(
                        bitsleuth::bits::decode::response(&head, span, Secrets::Mask, words),
                    ),
                };
            value.expect("what is decoded can be written");
        };
        for event in [Event::Data(chunk), Event::End { at: at(2), side, why: End::Fin }] {
            if !data.is_empty() {
                parser.push(&event, &keys, &limits, &mut decode);
            }
        }
    }
}

/// A transcript: what it plays as can be analysed.
pub fn transcript(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // Long bodies say nothing that short ones do not.
    let long = |word: &str| word.bytes().filter(u8::is_ascii_digit).count() > 5;
    if text.split_whitespace().any(long) {
        return;
    }
    let Ok(records) = bitsleuth::transcript::play(text) else { return };
    let mut analysis =
        Analysis::new(Options { limits: tight(), digest: true, ..Options::default() });
    for record in &records {
        analysis.push(&record.frame(), &mut ());
    }
    hold(&analysis.finish(vec![Input::default()], &mut ()));
}

/// A capture file through everything: its report is valid, and safe to show.
pub fn engine(data: &[u8]) {
    let limits = tight();
    let Ok(mut reader) = Reader::new(data, &limits) else { return };
    let mut analysis = Analysis::new(Options { limits, digest: true, ..Options::default() });
    while let Ok(Some(item)) = reader.next() {
        match item {
            Item::Frame(frame) => analysis.push(&frame, &mut ()),
            Item::Secrets(text) => analysis.keys().add(text),
        }
    }
    hold(&analysis.finish(vec![Input::default()], &mut ()));
}

/// What must hold for every report.
fn hold(report: &Report) {
    let json = serde_json::to_value(report).expect("a report can be written");
    validate(&json);
    let again: Report = serde_json::from_value(json.clone()).expect("a report can be read back");
    assert_eq!(serde_json::to_value(again).ok(), Some(json), "a report is read back as written");
    let mut text = Vec::new();
    for ascii in [false, true] {
        let style = Style { ascii, ..Style::default() };
        timeline::write(&mut text, report, &style).expect("a timeline can be written");
        table::write(&mut text, report, &style).expect("a table can be written");
    }
    let text = String::from_utf8(text).expect("what is shown is UTF-8");
    let steers = |c: char| {
        c.is_control() && c != '\n'
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    assert!(!text.contains(steers), "what is shown steers the terminal");
}

fn validate(json: &serde_json::Value) {
    thread_local! {
        static SCHEMA: jsonschema::Validator = {
            let mut schema = Vec::new();
            bitsleuth::export::json::schema(&mut schema).expect("the schema can be written");
            let schema = serde_json::from_slice(&schema).expect("the schema is JSON");
            jsonschema::validator_for(&schema).expect("the schema is one")
        };
    }
    SCHEMA.with(|schema| {
        if let Some(error) = schema.iter_errors(json).next() {
            panic!("the report does not fit its schema: {error} at {}", error.instance_path());
        }
    });
}
