//! Which bytes of a TCP stream may stay, and as what: the heads of messages, chunk framing, the start of error pages.
//!
//! Bodies are lent out of the chunk that a parser is given, which tells where they are; the rest is heads and framing.

use std::net::SocketAddr;
use std::ops::Range;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::head;
use super::pseudonym::{Pseudonyms, Stay};
use crate::http::{self, Carrier, Parser, Start};
use crate::layer::Layer;
use crate::limits::Limits;
use crate::packet::Segment;
use crate::stream::{Chunk, Connection, Event, Side, Table, Verdict};
use crate::tls::KeyLog;

/// Bytes of an error page that may name who answered.
const PAGE: u64 = 512;

/// Bytes of chunk framing between two pieces of a body.
const FRAMING: usize = 256;

/// Bytes without a message after which they are forgotten.
const STRAY: usize = 256 << 10;

/// What stays of all streams.
#[derive(Default)]
pub(super) struct Kept {
    streams: HashMap<(u64, SocketAddr), Stream, RandomState>,
    /// Connections with TLS.
    pub tls: u64,
}

/// What stays of one direction.
#[derive(Default)]
pub(super) struct Stream {
    /// The sequence number of its first byte.
    base: Option<u32>,
    /// The frame of its first segment with data, and the sequence number behind that, until its first byte is known.
    first: Option<(u64, u32)>,
    /// Runs of bytes by their offset, in order.
    runs: Vec<(u64, Vec<u8>)>,
    /// Where the direction is, for the unwrapping of sequence numbers.
    near: u64,
}

impl Kept {
    /// The payload of a segment as it may leave: zeros but for what stays.
    pub fn payload(&mut self, connection: u64, segment: &Segment<'_>) -> Vec<u8> {
        let mut out = vec![0; segment.payload.len()];
        let Some(stream) = self.streams.get_mut(&(connection, segment.from)) else { return out };
        let Some(base) = stream.base else { return out };
        let here = base.wrapping_add(stream.near as u32);
        let step = i64::from(segment.seq.wrapping_sub(here).cast_signed());
        let Some(start) = stream.near.checked_add_signed(step) else { return out };
        stream.near = start;
        let end = start + out.len() as u64;
        let first = stream.runs.partition_point(|(at, run)| at + run.len() as u64 <= start);
        for (at, run) in
            stream.runs.get(first..).unwrap_or_default().iter().take_while(|(at, _)| *at < end)
        {
            for (place, byte) in (*at..).zip(run).filter(|(place, _)| *place >= start) {
                if let Some(slot) =
                    usize::try_from(place - start).ok().and_then(|place| out.get_mut(place))
                {
                    *slot = *byte;
                }
            }
        }
        out
    }
}

/// Follows all connections.
pub(super) struct Follower<'p> {
    table: Table<Talk>,
    limits: Limits,
    keys: KeyLog,
    pseudonyms: &'p Pseudonyms,
    pub kept: Kept,
}

/// One connection.
#[derive(Default)]
struct Talk {
    layer: Layer,
    client: Half,
    server: Half,
}

/// One direction of a connection.
#[derive(Default)]
struct Half {
    /// Bytes not known yet as part of anything, and where they begin.
    pending: Vec<u8>,
    start: u64,
    /// The body under way is in chunks.
    chunked: bool,
    /// It is that of an error.
    wants_page: bool,
    /// Its start: where it is, and the bytes.
    page: (u64, Vec<u8>),
}

impl<'p> Follower<'p> {
    pub fn new(pseudonyms: &'p Pseudonyms, limits: &Limits) -> Self {
        Self {
            table: Table::new(limits),
            limits: limits.clone(),
            keys: KeyLog::default(),
            pseudonyms,
            kept: Kept::default(),
        }
    }

    /// Takes a segment and tells its connection.
    pub fn push(&mut self, segment: &Segment<'_>) -> u64 {
        let Self { table, limits, keys, pseudonyms, kept } = self;
        let mut hand = |connection: &mut Connection, talk: &mut Talk, event: &Event<'_>| {
            follow(connection, talk, *event, Some(segment), (keys, limits, pseudonyms), kept)
        };
        let id = table.push(segment, &mut hand);
        if !segment.payload.is_empty() {
            self.kept.note(id, segment);
        }
        self.forget();
        id
    }

    /// Ends all connections: heads cut off by the end of the capture count too.
    pub fn finish(mut self, last: crate::at::At) -> Kept {
        let Self { table, limits, keys, pseudonyms, kept } = &mut self;
        let mut hand = |connection: &mut Connection, talk: &mut Talk, event: &Event<'_>| {
            follow(connection, talk, *event, None, (keys, limits, pseudonyms), kept)
        };
        while table.finish(last, &mut hand) {}
        self.forget();
        for stream in self.kept.streams.values_mut() {
            stream.runs.sort_by_key(|(start, _)| *start);
        }
        self.kept
    }

    fn forget(&mut self) {
        while let Some((_, talk)) = self.table.closed() {
            self.kept.tls += u64::from(talk.layer.tls().is_some());
        }
    }
}

type Tools<'t> = (&'t KeyLog, &'t Limits, &'t Pseudonyms);

fn follow(
    connection: &mut Connection,
    talk: &mut Talk,
    event: Event<'_>,
    segment: Option<&Segment<'_>>,
    tools: Tools<'_>,
    kept: &mut Kept,
) -> Verdict {
    if connection.midstream && talk.layer.is_backwards(&event) {
        return Verdict::Swap;
    }
    let (keys, limits, pseudonyms) = tools;
    let chunk = match event {
        Event::Data(chunk) => chunk,
        Event::Gap { side, .. } | Event::End { side, .. } => {
            let key = (connection.id, connection.address(side));
            let mut found = Vec::new();
            talk.layer.push(&event, keys, limits, &mut |event| found.push(Found::of(&event, &[])));
            talk.half(side).sort(&found, side, (0, &[]), &mut Keeper { key, pseudonyms, kept });
            // What follows is not what the bytes before were waiting for.
            talk.half(side).pending.clear();
            return Verdict::Go;
        }
    };
    match segment.filter(|segment| segment.at.frame == chunk.at.frame) {
        Some(segment) => kept.anchor(connection, &chunk, segment),
        None => kept.anchor_held(connection, &chunk),
    }
    if matches!(talk.layer, Layer::Detect(_)) && !talk.detect(&chunk, keys, limits) {
        return Verdict::Go;
    }
    if !matches!(talk.layer, Layer::Http(_)) {
        return if talk.layer.is_opaque() { Verdict::Ignore } else { Verdict::Go };
    }
    let key = (connection.id, connection.address(chunk.side));
    let mut found = Vec::new();
    talk.layer.push(&event, keys, limits, &mut |event| found.push(Found::of(&event, chunk.bytes)));
    let place = (chunk.offset, chunk.bytes);
    talk.half(chunk.side).sort(&found, chunk.side, place, &mut Keeper { key, pseudonyms, kept });
    Verdict::Go
}

impl Kept {
    /// Ties sequence numbers to offsets, once.
    fn anchor(&mut self, connection: &Connection, chunk: &Chunk<'_>, segment: &Segment<'_>) {
        let key = (connection.id, connection.address(chunk.side));
        let stream = self.streams.entry(key).or_default();
        if stream.base.is_some() || segment.from != key.1 || !segment.payload.ends_with(chunk.bytes)
        {
            return;
        }
        let end = chunk.offset + chunk.bytes.len() as u64;
        stream.base = Some(behind(segment).wrapping_sub(end as u32));
    }

    /// Notes the first segment of a direction, which may be held for want of an earlier one.
    fn note(&mut self, connection: u64, segment: &Segment<'_>) {
        let stream = self.streams.entry((connection, segment.from)).or_default();
        if stream.base.is_none() {
            stream.first.get_or_insert((segment.at.frame, behind(segment)));
        }
    }

    /// The same as [`anchor`](Self::anchor) for a chunk of the segment that was noted.
    fn anchor_held(&mut self, connection: &Connection, chunk: &Chunk<'_>) {
        let key = (connection.id, connection.address(chunk.side));
        let Some(stream) = self.streams.get_mut(&key).filter(|stream| stream.base.is_none()) else {
            return;
        };
        if let Some((_, last)) = stream.first.filter(|(frame, _)| *frame == chunk.at.frame) {
            let end = chunk.offset + chunk.bytes.len() as u64;
            stream.base = Some(last.wrapping_sub(end as u32));
        }
    }
}

/// The sequence number behind the data of a segment; it is a remainder by 2^32.
fn behind(segment: &Segment<'_>) -> u32 {
    let syn = u32::from(segment.flags.has(crate::packet::Flags::SYN));
    segment.seq.wrapping_add(syn).wrapping_add(segment.payload.len() as u32)
}

/// What matters of an HTTP event.
enum Found {
    Head {
        side: Side,
        start: Vec<u8>,
        chunked: bool,
        page: bool,
    },
    /// Where it is within the chunk, and within the body.
    Body {
        side: Side,
        range: Option<Range<usize>>,
        offset: u64,
    },
    End {
        side: Side,
    },
    Other,
}

impl Found {
    fn of(event: &http::Event<'_>, chunk: &[u8]) -> Self {
        match event {
            http::Event::Head { side, head, .. } if !head.carrier.tls => {
                let coding = head.field("Transfer-Encoding").unwrap_or_default();
                let (start, page) = match head.start {
                    Start::Request { method, .. } => (method.as_bytes().to_vec(), false),
                    Start::Response { status, .. } => (b"HTTP/1.".to_vec(), status >= 400),
                };
                let chunked = coding.to_ascii_lowercase().ends_with(b"chunked");
                Self::Head { side: *side, start, chunked, page }
            }
            http::Event::Body { side, offset, bytes, .. } => {
                // Where the lent bytes are is told by their address.
                let first = (bytes.as_ptr() as usize).checked_sub(chunk.as_ptr() as usize);
                let range = first.map(|first| first..first + bytes.len());
                let range = range.filter(|range| range.end <= chunk.len());
                Self::Body { side: *side, range, offset: *offset }
            }
            http::Event::End { side, .. } => Self::End { side: *side },
            _ => Self::Other,
        }
    }
}

/// Where what is kept goes.
struct Keeper<'k> {
    key: (u64, SocketAddr),
    pseudonyms: &'k Pseudonyms,
    kept: &'k mut Kept,
}

impl Keeper<'_> {
    fn keep(&mut self, start: u64, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            self.kept.streams.entry(self.key).or_default().runs.push((start, bytes));
        }
    }

    /// Keeps chunk framing: sizes and line ends, no extensions (RFC 9112 7.1).
    fn frame(&mut self, start: u64, mut bytes: Vec<u8>) {
        // Longer ones are something else.
        if bytes.len() > FRAMING {
            return;
        }
        let mut size = true;
        for byte in &mut bytes {
            match *byte {
                b'\n' => size = true,
                b'\r' => {}
                _ if size && byte.is_ascii_hexdigit() => {}
                _ => {
                    size = false;
                    *byte = b' ';
                }
            }
        }
        self.keep(start, bytes);
    }

    /// Keeps the words of an error page that products are known by; what is no text goes.
    fn page(&mut self, (start, page): (u64, Vec<u8>)) {
        let plain = |byte: &u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
        if page.iter().all(plain)
            && let Ok(text) = String::from_utf8(page)
        {
            self.keep(start, self.pseudonyms.map(&text, Stay::Products).into_bytes());
        }
    }
}

impl Talk {
    fn half(&mut self, side: Side) -> &mut Half {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }

    /// Looks for HTTP, whose parser is then given the chunk anew.
    fn detect(&mut self, chunk: &Chunk<'_>, keys: &KeyLog, limits: &Limits) -> bool {
        self.layer.push(&Event::Data(*chunk), keys, limits, &mut |_| {});
        if matches!(self.layer, Layer::Http(_)) {
            self.layer = Layer::Http(Box::new(Parser::new(Carrier::default(), 0)));
            return true;
        }
        false
    }
}

impl Half {
    /// Sorts the bytes just seen, which are at `offset`, by what they led to.
    fn sort(
        &mut self,
        found: &[Found],
        fed: Side,
        (offset, bytes): (u64, &[u8]),
        keeper: &mut Keeper<'_>,
    ) {
        let mut at = 0;
        if self.pending.is_empty() {
            self.start = offset;
        }
        // Heads are told before the body that follows them, but after all their bytes.
        let mut heads = Vec::new();
        for event in found {
            match event {
                Found::Head { side, .. } if *side == fed => heads.push(event),
                Found::Body { side, range: Some(range), offset: place } if *side == fed => {
                    self.pending.extend(bytes.get(at..range.start).unwrap_or_default());
                    self.heads(&mut heads, keeper);
                    keeper.frame(self.start, std::mem::take(&mut self.pending));
                    if self.wants_page && *place < PAGE {
                        let body = bytes.get(range.clone()).unwrap_or_default();
                        self.page(offset + range.start as u64, body, keeper);
                    }
                    at = range.end;
                    self.start = offset + at as u64;
                }
                Found::End { side } if *side == fed => {
                    heads.push(event);
                }
                _ => {}
            }
        }
        self.pending.extend(bytes.get(at..).unwrap_or_default());
        self.heads(&mut heads, keeper);
        if self.pending.len() > STRAY {
            self.start += (self.pending.len() - FRAMING) as u64;
            self.pending.drain(..self.pending.len() - FRAMING);
        }
    }

    /// Takes heads, and what ends a body in chunks, off the bytes that wait.
    fn heads(&mut self, heads: &mut Vec<&Found>, keeper: &mut Keeper<'_>) {
        for event in heads.drain(..) {
            match event {
                Found::Head { start, chunked, page, .. } => {
                    (self.chunked, self.wants_page) = (*chunked, *page);
                    let Some(from) = memchr::memmem::find(&self.pending, start) else { continue };
                    self.pass(from);
                    let len = http::end_of_head(&self.pending, 0).unwrap_or(self.pending.len());
                    let head =
                        head::raw(keeper.pseudonyms, self.pending.get(..len).unwrap_or_default());
                    keeper.keep(self.start, head);
                    self.pass(len);
                }
                _ => {
                    keeper.page(std::mem::take(&mut self.page));
                    if std::mem::take(&mut self.chunked) {
                        let end = memchr::memmem::find(&self.pending, b"\r\n\r\n");
                        let len = end.map_or(self.pending.len(), |end| end + 4);
                        keeper.frame(
                            self.start,
                            self.pending.get(..len).unwrap_or_default().to_vec(),
                        );
                        self.pass(len);
                    }
                }
            }
        }
    }

    fn pass(&mut self, len: usize) {
        self.pending.drain(..len.min(self.pending.len()));
        self.start += len as u64;
    }

    fn page(&mut self, offset: u64, bytes: &[u8], keeper: &mut Keeper<'_>) {
        if self.page.0 + self.page.1.len() as u64 != offset {
            keeper.page(std::mem::take(&mut self.page));
            self.page.0 = offset;
        }
        let room = usize::try_from(PAGE).unwrap_or(0).saturating_sub(self.page.1.len());
        self.page.1.extend(bytes.iter().take(room));
    }
}
