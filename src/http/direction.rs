//! One direction of a connection: the message under way.

use super::chunked::Chunked;
use super::{End, Event};
use crate::at::{At, Span};
use crate::stream::Side;

/// A piece as long as this tells how long pieces are; a shorter one may be all there was.
const TELLING: u64 = 1 << 10;
/// How long pieces are otherwise.
const USUAL: u64 = 1 << 12;

/// One direction of a connection, as far as its current message goes.
#[derive(Debug)]
pub(super) struct Direction {
    pub side: Side,
    pub state: State,
    /// A head that spans segments.
    pub buffer: Vec<u8>,
    /// The buffer is known to begin with a message.
    pub begun: bool,
    /// The number of the exchange that the message belongs to.
    pub exchange: u32,
    /// The frames of the message so far.
    pub span: Span,
    /// Where the head begins in the stream, as `acked` counts.
    pub start: u64,
    /// Bytes that carrying adds to each piece.
    pub extra: u64,
    /// The longest piece so far, of what is carried.
    pub piece: u64,
    /// How far its sender had the other stream when the head began; 0 where that is not known.
    pub acked: u64,
    /// Where the body begins, as `start`.
    pub body_start: u64,
    /// Bytes of the body so far, those that the capture lacks included.
    pub body_offset: u64,
    /// The body may be left out, as nothing asked for it yet.
    pub withheld: bool,
    /// A hole swallowed the start of a message.
    pub after_gap: bool,
    /// A message was seen.
    pub any: bool,
    /// Bytes behind what there is of a head whose end the capture lacks, and the frame of the last.
    pub unread: Option<(u64, At)>,
}

/// What a direction is in the middle of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// A head, or nothing.
    Head,
    /// A body with so many bytes left.
    Length(u64),
    /// A body in chunks.
    Chunked(Chunked),
    /// A body that ends with the connection.
    UntilClose,
    /// Looking for the next plausible head.
    Seek,
}

impl Direction {
    pub fn new(side: Side) -> Self {
        Self {
            side,
            state: State::Head,
            buffer: Vec::new(),
            begun: false,
            exchange: 0,
            span: Span::default(),
            start: 0,
            extra: 0,
            piece: 0,
            acked: 0,
            body_start: 0,
            body_offset: 0,
            withheld: false,
            after_gap: false,
            any: false,
            unread: None,
        }
    }

    /// Bytes that carrying adds to so many, about.
    pub fn added_to(&self, bytes: u64) -> u64 {
        let piece = if self.piece >= TELLING { self.piece } else { USUAL };
        (1 + bytes.div_ceil(piece)).saturating_mul(self.extra)
    }

    pub fn end(&mut self, why: End, out: &mut impl FnMut(Event<'_>)) {
        out(Event::End { exchange: self.exchange, side: self.side, span: self.span, why });
        self.state = State::Head;
    }

    /// A hole swallowed the start of a message: the next one is to be sought.
    pub const fn lose_head(&mut self) {
        self.state = State::Seek;
        self.after_gap = true;
    }

    /// More of a body.
    #[inline(always)]
    pub fn part<'e>(&mut self, at: At, bytes: &'e [u8]) -> Event<'e> {
        let Self { side, exchange, body_offset: offset, .. } = *self;
        self.span.extend(at);
        self.body_offset += bytes.len() as u64;
        Event::Body { exchange, side, at, offset, bytes }
    }

    pub fn body_gap(&mut self, at: At, len: u64, out: &mut impl FnMut(Event<'_>)) {
        if len > 0 {
            out(Event::Gap {
                exchange: self.exchange,
                side: self.side,
                at,
                offset: self.body_offset,
                len,
            });
            self.body_offset = self.body_offset.saturating_add(len);
        }
    }

    /// So many bytes more behind a head whose end the capture lacks.
    pub fn pass_over(&mut self, at: At, len: u64) {
        if let Some((unread, last)) = &mut self.unread {
            *unread = unread.saturating_add(len);
            *last = at;
        }
    }

    /// Nothing more of them comes.
    pub fn tell_unread(&mut self, out: &mut impl FnMut(Event<'_>)) {
        if let Some((len, at)) = self.unread.take().filter(|(len, _)| *len > 0) {
            out(Event::Unread { exchange: self.exchange, side: self.side, at, len });
        }
    }

    pub fn stray(&self, at: At, len: usize, out: &mut impl FnMut(Event<'_>)) {
        if len > 0 && self.any && !self.after_gap {
            out(Event::Stray { side: self.side, at, len: len as u64, after: Some(self.exchange) });
        }
    }
}
