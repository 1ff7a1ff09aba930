//! Which bytes of one direction stay, and as what: the heads of messages, chunk framing, the start of error pages.
//!
//! Bodies are lent out of the chunk that a parser is given, which tells where they are; the rest is heads and framing.

use std::ops::Range;

use super::head;
use super::kept::{Kept, Key};
use super::pseudonym::{Pseudonyms, Stay};
use crate::http::{self, Start};
use crate::stream::Side;

/// Bytes of an error page that may name who answered.
const PAGE: u64 = 512;

/// Bytes of chunk framing between two pieces of a body.
const FRAMING: usize = 256;

/// Bytes without a message after which they are forgotten.
const STRAY: usize = 256 << 10;

/// One direction of a connection.
#[derive(Default)]
pub(super) struct Half {
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

/// What matters of an HTTP event.
pub(super) enum Found {
    /// How it begins, whether its body is in chunks, and whether that is an error page.
    Head {
        start: Vec<u8>,
        chunked: bool,
        page: bool,
    },
    /// Where it is within the chunk, and within the body.
    Body {
        range: Range<usize>,
        offset: u64,
    },
    End,
}

impl Found {
    /// What an event tells of the direction that `chunk` came from.
    pub fn of(event: &http::Event<'_>, fed: Side, chunk: &[u8]) -> Option<Self> {
        match event {
            http::Event::Head { side, head, .. } if *side == fed && !head.carrier.tls => {
                let coding = head.field("Transfer-Encoding").unwrap_or_default();
                let (start, page) = match head.start {
                    Start::Request { method, .. } => (method.as_bytes().to_vec(), false),
                    Start::Response { status, .. } => (b"HTTP/1.".to_vec(), status >= 400),
                };
                let chunked = coding.to_ascii_lowercase().ends_with(b"chunked");
                Some(Self::Head { start, chunked, page })
            }
            http::Event::Body { side, offset, bytes, .. } if *side == fed => {
                // Where the lent bytes are is told by their address.
                let first = (bytes.as_ptr() as usize).checked_sub(chunk.as_ptr() as usize)?;
                let range = first..first + bytes.len();
                (range.end <= chunk.len()).then_some(Self::Body { range, offset: *offset })
            }
            http::Event::End { side, .. } if *side == fed => Some(Self::End),
            _ => None,
        }
    }
}

/// Where what stays goes.
pub(super) struct Keeper<'k> {
    pub key: Key,
    pub pseudonyms: &'k Pseudonyms,
    pub kept: &'k mut Kept,
}

impl Keeper<'_> {
    fn keep(&mut self, start: u64, bytes: Vec<u8>) {
        self.kept.keep(self.key, start, bytes);
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

impl Half {
    /// Sorts the bytes just seen, which are at `offset`, by what they led to.
    pub fn sort(&mut self, found: &[Found], offset: u64, bytes: &[u8], keeper: &mut Keeper<'_>) {
        let mut at = 0;
        if self.pending.is_empty() {
            self.start = offset;
        }
        // Heads are told before the body that follows them, but after all their bytes.
        let mut heads = Vec::new();
        for event in found {
            let Found::Body { range, offset: place } = event else {
                heads.push(event);
                continue;
            };
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
        self.pending.extend(bytes.get(at..).unwrap_or_default());
        self.heads(&mut heads, keeper);
        if self.pending.len() > STRAY {
            self.pass(self.pending.len() - FRAMING);
        }
    }

    /// Forgets the bytes that wait: what follows is not what they were waiting for.
    pub fn interrupt(&mut self) {
        self.pending.clear();
    }

    /// Takes heads, and what ends a body in chunks, off the bytes that wait.
    fn heads(&mut self, heads: &mut Vec<&Found>, keeper: &mut Keeper<'_>) {
        for event in heads.drain(..) {
            match event {
                Found::Head { start, chunked, page } => {
                    (self.chunked, self.wants_page) = (*chunked, *page);
                    self.head(start, keeper);
                }
                Found::Body { .. } | Found::End => self.end(keeper),
            }
        }
    }

    fn head(&mut self, start: &[u8], keeper: &mut Keeper<'_>) {
        let Some(from) = memchr::memmem::find(&self.pending, start) else { return };
        self.pass(from);
        let len = http::end_of_head(&self.pending, 0).unwrap_or(self.pending.len());
        let head = head::raw(keeper.pseudonyms, self.pending.get(..len).unwrap_or_default());
        keeper.keep(self.start, head);
        self.pass(len);
    }

    fn end(&mut self, keeper: &mut Keeper<'_>) {
        keeper.page(std::mem::take(&mut self.page));
        if std::mem::take(&mut self.chunked) {
            let end = memchr::memmem::find(&self.pending, b"\r\n\r\n");
            let len = end.map_or(self.pending.len(), |end| end + 4);
            keeper.frame(self.start, self.pending.get(..len).unwrap_or_default().to_vec());
            self.pass(len);
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
