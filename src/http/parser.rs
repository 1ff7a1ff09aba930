//! Both directions of one connection, message by message.

use std::collections::VecDeque;

use super::chunked::Chunked;
use super::direction::{Direction, State};
use super::head::{self, Framing, Summary};
use super::line::Begins;
use super::pairing::Early;
use super::pending::Queue;
use super::{Carrier, End, Event, Head, line};
use crate::at::{At, Span};
use crate::layer::Layer;
use crate::limits::Limits;
use crate::stream::{self, Chunk, Side};
use crate::tls::KeyLog;

/// Bytes of a buffer after which its first line is open only for want of its end: longer than any method.
const LONGEST_UNSETTLED: usize = 64;

/// Turns stream events of one connection into HTTP events.
pub struct Parser {
    pub(super) client: Direction,
    pub(super) server: Direction,
    pub(super) carrier: Carrier,
    pub(super) next_exchange: u32,
    pub(super) pending: Queue,
    /// The newest exchange whose final response began, and how far its sender had the requests then.
    pub(super) answered: Option<(u32, u64)>,
    /// What CONNECT or Upgrade made of the connection.
    pub(crate) tunnel: Option<Box<Layer>>,
    pub(super) tunnel_asked: bool,
    /// Final responses whose requests were not there yet.
    pub(super) early: VecDeque<Early>,
}

impl Parser {
    /// A parser for a connection whose exchanges are numbered from `first_exchange`.
    pub fn new(carrier: Carrier, first_exchange: u32) -> Self {
        Self {
            client: Direction::new(Side::Client),
            server: Direction::new(Side::Server),
            carrier,
            next_exchange: first_exchange,
            pending: Queue::new(),
            answered: None,
            tunnel: None,
            tunnel_asked: false,
            early: VecDeque::new(),
        }
    }

    /// The event of a chunk that is nothing but a part of a body, as most are; all others are for
    /// [`push`](Self::push).
    #[inline(always)]
    pub fn pass<'e>(&mut self, chunk: &Chunk<'e>) -> Option<Event<'e>> {
        let Chunk { at, side, bytes, .. } = *chunk;
        let State::Length(left) = self.direction(side).state else { return None };
        let left = left.checked_sub(bytes.len() as u64).filter(|left| *left > 0)?;
        if self.tunnel.is_some() || self.is_abandoned(side, bytes) {
            return None;
        }
        let direction = self.direction(side);
        direction.state = State::Length(left);
        Some(direction.part(at, bytes))
    }

    /// Takes one stream event.
    pub fn push(
        &mut self,
        event: &stream::Event<'_>,
        keys: &KeyLog,
        limits: &Limits,
        out: &mut impl FnMut(Event<'_>),
    ) {
        if let Some(tunnel) = &mut self.tunnel {
            tunnel.push(event, keys, limits, out);
            return;
        }
        match *event {
            stream::Event::Data(ref chunk) => self.data(chunk, keys, limits, out),
            stream::Event::Gap { at, side, len, .. } => self.gap(at, side, len, limits, out),
            stream::Event::End { at, side, why } => self.end(at, side, why, limits, out),
        }
    }

    #[inline(always)]
    pub(super) fn direction(&mut self, side: Side) -> &mut Direction {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }

    fn data(
        &mut self,
        chunk: &Chunk<'_>,
        keys: &KeyLog,
        limits: &Limits,
        out: &mut impl FnMut(Event<'_>),
    ) {
        let Chunk { side, carriage, .. } = *chunk;
        if carriage.extra > 0 {
            let direction = self.direction(side);
            direction.piece = direction.piece.max(chunk.bytes.len() as u64);
        }
        let mut rest = *chunk;
        while !rest.bytes.is_empty() {
            if let Some(tunnel) = &mut self.tunnel {
                tunnel.push(&stream::Event::Data(rest), keys, limits, out);
                return;
            }
            let direction = self.direction(side);
            if direction.state == State::Head && direction.buffer.is_empty() {
                direction.start = rest.place();
                (direction.acked, direction.extra) = (rest.acked, carriage.extra);
            }
            let within = matches!(direction.state, State::Length(_) | State::Chunked(_));
            let taken = match direction.state {
                State::Head => self.head(&rest, limits, out),
                State::Length(left) => self.counted(&rest, left, out),
                State::Chunked(state) => self.chunked(&rest, state, out),
                State::UntilClose => self.until_close(&rest, out),
                State::Seek => self.seek(&rest, out),
            };
            rest = rest.behind(taken);
            if within && carriage.extra > 0 {
                self.note_end(&rest);
            }
        }
    }

    /// A body may be over, with `rest` behind it. Where a request ends that is carried, its head could not tell.
    fn note_end(&mut self, rest: &Chunk<'_>) {
        if rest.side == Side::Client && self.client.state == State::Head {
            let end = rest.place().saturating_add(rest.carriage.extra);
            self.pending.note_end(self.client.exchange, end);
        }
    }

    fn head(
        &mut self,
        chunk: &Chunk<'_>,
        limits: &Limits,
        out: &mut impl FnMut(Event<'_>),
    ) -> usize {
        let Chunk { at, side, bytes, .. } = *chunk;
        let direction = self.direction(side);
        if direction.buffer.is_empty() {
            let blank = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            if blank > 0 {
                return blank;
            }
            let usual = line::begins_message(bytes).is_certain();
            if !usual && line::begins_exchange(bytes) == Begins::No {
                direction.state = State::Seek;
                return 0;
            }
            direction.span = Span::at(at);
            let simple = if usual { None } else { line::simple_request(bytes) };
            let end = simple.or_else(|| head::end_of_head(bytes, 0));
            if let Some(len) = end {
                self.message(side, bytes.get(..len).unwrap_or_default(), true, limits, out);
                return len;
            }
        }
        self.head_in_parts(chunk, limits, out)
    }

    fn head_in_parts(
        &mut self,
        chunk: &Chunk<'_>,
        limits: &Limits,
        out: &mut impl FnMut(Event<'_>),
    ) -> usize {
        let Chunk { at, side, bytes, .. } = *chunk;
        let direction = self.direction(side);
        direction.span.extend(at);
        let held = direction.buffer.len();
        direction.begun &= held > 0;
        let room = limits.head.saturating_sub(held).min(bytes.len());
        direction.buffer.extend_from_slice(bytes.get(..room).unwrap_or_default());
        // Nothing but a control byte can settle what a long first line left open.
        let settles = |byte: &u8| *byte < b' ' && !matches!(byte, b'\t' | b'\r');
        let fresh = direction.buffer.get(held..).unwrap_or_default();
        let look = !direction.begun && (held < LONGEST_UNSETTLED || fresh.iter().any(settles));
        let begins = if look { line::begins_exchange(&direction.buffer) } else { Begins::TooShort };
        direction.begun |= begins.is_certain();
        if begins == Begins::No {
            direction.buffer.clear();
            direction.state = State::Seek;
            // A head may begin within the bytes that settled it.
            let passed = if held == 0 { room } else { 0 };
            direction.stray(at, held.max(passed), out);
            return passed;
        }
        let simple =
            if begins.is_certain() { line::simple_request(&direction.buffer) } else { None };
        let Some(len) = simple.or_else(|| head::end_of_head(&direction.buffer, held)) else {
            if room < bytes.len() {
                self.partial_head(side, End::Lost, limits, out);
                self.direction(side).pass_over(at, (bytes.len() - room) as u64);
                return bytes.len();
            }
            return room;
        };
        let buffer = std::mem::take(&mut direction.buffer);
        self.message(side, buffer.get(..len).unwrap_or_default(), true, limits, out);
        len.saturating_sub(held)
    }

    /// The rest of a head will not come: what there is of it, if anything, is lent, and the message ends.
    pub(super) fn partial_head(
        &mut self,
        side: Side,
        why: End,
        limits: &Limits,
        out: &mut impl FnMut(Event<'_>),
    ) {
        let buffer = std::mem::take(&mut self.direction(side).buffer);
        if buffer.is_empty() {
            return;
        }
        if self.message(side, &buffer, false, limits, out) {
            let direction = self.direction(side);
            if direction.state != State::Head {
                direction.end(why, out);
            }
        }
        let direction = self.direction(side);
        direction.state = State::Seek;
    }

    /// Emits a head and prepares for its body. Whether it was one.
    fn message(
        &mut self,
        side: Side,
        bytes: &[u8],
        whole: bool,
        limits: &Limits,
        out: &mut impl FnMut(Event<'_>),
    ) -> bool {
        let span = self.direction(side).span;
        self.direction(side).tell_unread(out);
        let Some((exchange, seen)) = self.lend_head(side, bytes, whole, limits, out) else {
            let direction = self.direction(side);
            direction.stray(span.last, bytes.len(), out);
            direction.state = State::Seek;
            return false;
        };
        if seen.head_method || seen.request && self.tunnel_asked {
            self.end_bare_answer(exchange, out);
        }
        let framing = self.framing(exchange, &seen);
        let direction = self.direction(side);
        direction.exchange = exchange;
        direction.body_start = direction.start + bytes.len() as u64;
        direction.body_offset = 0;
        direction.withheld = seen.expects;
        direction.after_gap = false;
        direction.any = true;
        let asks = side == Side::Client && seen.request;
        direction.unread = (asks && !whole).then_some((0, span.last));
        direction.state = match framing {
            Framing::Length(len) => State::Length(len),
            Framing::Chunked => State::Chunked(Chunked::START),
            Framing::UntilClose => State::UntilClose,
        };
        if seen.is_informational() {
            direction.state = State::Head;
            self.client.withheld &= self.client.exchange != exchange;
        } else if framing == Framing::Length(0) {
            direction.end(if whole { End::Complete } else { End::Lost }, out);
        }
        self.after_response(&seen);
        true
    }

    /// Emits a head; the exchange that it belongs to, and what is to be known of it. `None`: it is none.
    fn lend_head(
        &mut self,
        side: Side,
        bytes: &[u8],
        whole: bool,
        limits: &Limits,
        out: &mut impl FnMut(Event<'_>),
    ) -> Option<(u32, Summary)> {
        let carrier = self.carrier;
        let Direction { span, after_gap, acked, .. } = *self.direction(side);
        let cut = if whole { None } else { head::cut_field(bytes) };
        head::parse(bytes, whole, carrier, limits.headers, &mut |head, seen| {
            let next = self.next_exchange;
            let exchange = self.number(side, &seen, whole.then_some(bytes.len()), limits);
            if seen.status >= 200 && exchange == self.client.exchange {
                self.client.tell_unread(out);
            }
            let unasked = side == Side::Server && exchange == next;
            let head = Head { cut, after_gap, unasked, acked, ..head };
            out(Event::Head { exchange, side, span, head });
            (exchange, seen)
        })
    }

    fn end(
        &mut self,
        at: At,
        side: Side,
        why: stream::End,
        limits: &Limits,
        out: &mut impl FnMut(Event<'_>),
    ) {
        let end = match why {
            stream::End::Fin => End::Closed,
            stream::End::Reset => End::Reset,
            stream::End::Reused | stream::End::Forgotten | stream::End::Capture => End::Lost,
        };
        let direction = self.direction(side);
        match direction.state {
            State::Head => self.partial_head(side, end, limits, out),
            State::UntilClose if why == stream::End::Fin => direction.end(End::Complete, out),
            State::Length(_) | State::Chunked(_) | State::UntilClose => {
                if why == stream::End::Fin {
                    direction.span.extend(at);
                }
                direction.end(end, out);
            }
            State::Seek => direction.tell_unread(out),
        }
        self.direction(side).state = State::Seek;
    }
}
