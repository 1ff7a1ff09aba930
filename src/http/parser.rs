//! Both directions of one connection: messages, and which response answers which request.

use std::collections::VecDeque;

use super::chunked::{Chunked, Step};
use super::direction::{Direction, State};
use super::head::{self, Framing, Summary};
use super::pending::{Pending, Queue, is_past};
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
    carrier: Carrier,
    next_exchange: u32,
    pub(super) pending: Queue,
    /// The newest exchange whose final response began.
    pub(super) answered: Option<u32>,
    /// What CONNECT or Upgrade made of the connection.
    tunnel: Option<Box<Layer>>,
    tunnel_asked: bool,
    /// Final responses whose requests were not there yet.
    early: VecDeque<Early>,
}

/// A final response whose request was not there yet.
#[derive(Clone, Copy)]
struct Early {
    exchange: u32,
    /// Where it began.
    at: At,
    /// How far the server had the requests then; 0 where that is not known.
    acked: u64,
    /// Responses before it may have been lost.
    after_gap: bool,
}

/// What became of a request, as far as responses tell that came before it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Nothing yet.
    Waits,
    /// This is its exchange.
    Answered(u32),
    /// Its response was lost: the next one is for a later request.
    Passed,
}

impl Early {
    /// Whether it may answer a request that begins in a frame and at an offset. One held for want of an earlier segment
    /// comes after its response, but in an earlier frame; frames that were stored out of order still have their times;
    /// and where clocks differ, the server had acknowledged what it answers (RFC 9293 3.10.7.4).
    fn answers(&self, request: At, start: u64) -> bool {
        if self.acked > 0 {
            return self.acked > start;
        }
        request.frame < self.at.frame || request.time < self.at.time
    }

    /// Whether its sender had more requests than one that ends at `end`. Without a loss, responses are in the order of
    /// the requests, whatever had arrived.
    fn is_for_later(&self, end: Option<u64>) -> bool {
        self.after_gap && end.is_some_and(|end| is_past(self.acked, end))
    }
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

    /// What the connection carries after CONNECT, if anything.
    #[inline(always)]
    pub fn tunnel(&self) -> Option<&Layer> {
        self.tunnel.as_deref()
    }

    /// As [`Self::tunnel`], when nothing follows.
    pub fn into_tunnel(self) -> Option<Layer> {
        self.tunnel.map(|layer| *layer)
    }

    /// As [`tunnel`](Self::tunnel).
    pub fn tunnel_mut(&mut self) -> Option<&mut Layer> {
        self.tunnel.as_deref_mut()
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
        let Chunk { at, side, carriage, .. } = *chunk;
        if carriage.extra > 0 {
            let direction = self.direction(side);
            direction.piece = direction.piece.max(chunk.bytes.len() as u64);
        }
        let mut rest = chunk.bytes;
        while !rest.is_empty() {
            if let Some(tunnel) = &mut self.tunnel {
                let offset = chunk.offset + (chunk.bytes.len() - rest.len()) as u64;
                tunnel.push(
                    &stream::Event::Data(Chunk { offset, bytes: rest, ..*chunk }),
                    keys,
                    limits,
                    out,
                );
                return;
            }
            let direction = self.direction(side);
            if direction.state == State::Head && direction.buffer.is_empty() {
                direction.start = chunk.place() + (chunk.bytes.len() - rest.len()) as u64;
                (direction.acked, direction.extra) = (chunk.acked, chunk.carriage.extra);
            }
            let within = matches!(direction.state, State::Length(_) | State::Chunked(_));
            let taken = match direction.state {
                State::Head => self.head(at, side, rest, limits, out),
                State::Length(left) => self.counted(at, side, rest, left, out),
                State::Chunked(state) => self.chunked(at, side, rest, state, out),
                State::UntilClose => self.until_close(at, side, rest, out),
                State::Seek => self.seek(at, side, rest, out),
            };
            rest = rest.get(taken..).unwrap_or_default();
            if within && carriage.extra > 0 {
                self.note_end(chunk, rest.len());
            }
        }
    }

    /// A body with `rest` bytes of the chunk behind it may be over. Where a request ends that is carried, its head could not
    /// tell.
    fn note_end(&mut self, chunk: &Chunk<'_>, rest: usize) {
        if chunk.side == Side::Client && self.client.state == State::Head {
            let end = chunk.place() + (chunk.bytes.len() - rest) as u64;
            self.pending.note_end(self.client.exchange, end.saturating_add(chunk.carriage.extra));
        }
    }

    fn head(
        &mut self,
        at: At,
        side: Side,
        bytes: &[u8],
        limits: &Limits,
        out: &mut impl FnMut(Event<'_>),
    ) -> usize {
        let direction = self.direction(side);
        if direction.buffer.is_empty() {
            let blank = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            if blank > 0 {
                return blank;
            }
            if line::begins_exchange(bytes) == Some(false) {
                direction.state = State::Seek;
                return 0;
            }
            direction.span = Span::at(at);
            let end = line::simple_request(bytes).or_else(|| head::end_of_head(bytes, 0));
            if let Some(len) = end {
                self.message(side, bytes.get(..len).unwrap_or_default(), true, limits, out);
                return len;
            }
        }
        self.head_in_parts(at, side, bytes, limits, out)
    }

    fn head_in_parts(
        &mut self,
        at: At,
        side: Side,
        bytes: &[u8],
        limits: &Limits,
        out: &mut impl FnMut(Event<'_>),
    ) -> usize {
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
        let begins = if look { line::begins_exchange(&direction.buffer) } else { None };
        direction.begun |= begins == Some(true);
        if begins == Some(false) {
            direction.buffer.clear();
            direction.state = State::Seek;
            // A head may begin within the bytes that settled it.
            let passed = if held == 0 { room } else { 0 };
            direction.stray(at, held.max(passed), out);
            return passed;
        }
        let simple =
            if begins == Some(true) { line::simple_request(&direction.buffer) } else { None };
        let Some(len) = simple.or_else(|| head::end_of_head(&direction.buffer, held)) else {
            if room < bytes.len() {
                self.partial_head(side, End::Lost, limits, out);
                return bytes.len();
            }
            return room;
        };
        let buffer = std::mem::take(&mut direction.buffer);
        self.message(side, buffer.get(..len).unwrap_or_default(), true, limits, out);
        len.saturating_sub(held)
    }

    /// The rest of a head will not come: what there is of it is lent, and the message ends.
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
        let (carrier, span) = (self.carrier, self.direction(side).span);
        let Direction { head_lost: after_gap, acked, .. } = *self.direction(side);
        let cut = if whole { None } else { head::cut_field(bytes) };
        let mut summary = None;
        head::parse(bytes, whole, carrier, limits.headers, &mut |head, seen| {
            let next = self.next_exchange;
            let exchange = self.number(side, &seen, whole.then_some(bytes.len()), limits);
            let unasked = side == Side::Server && exchange == next;
            summary = Some((exchange, seen));
            let head = Head { cut, after_gap, unasked, acked, ..head };
            out(Event::Head { exchange, side, span, head });
        });
        let Some((exchange, seen)) = summary else {
            let direction = self.direction(side);
            direction.stray(span.last, bytes.len(), out);
            direction.state = State::Seek;
            return false;
        };
        let framing = self.framing(exchange, &seen);
        let direction = self.direction(side);
        direction.exchange = exchange;
        direction.body_offset = 0;
        direction.head_lost = false;
        direction.any = true;
        direction.state = match framing {
            Framing::Length(len) => State::Length(len),
            Framing::Chunked => State::Chunked(Chunked::START),
            Framing::UntilClose => State::UntilClose,
        };
        if framing == Framing::Length(0) && !(100..200).contains(&seen.status) {
            direction.end(if whole { End::Complete } else { End::Lost }, out);
        } else if (100..200).contains(&seen.status) {
            direction.state = State::Head;
        }
        self.after_response(&seen);
        true
    }

    /// What became of a request that begins in a frame and covers these offsets, if responses came before it.
    fn answered_early(&mut self, request: At, (start, end): (u64, Option<u64>)) -> Fate {
        while let Some(early) = self.early.front().copied() {
            if early.is_for_later(end) {
                return Fate::Passed;
            }
            self.early.pop_front();
            if early.answers(request, start) {
                return Fate::Answered(early.exchange);
            }
        }
        Fate::Waits
    }

    /// The exchange that a message belongs to, which has a head of `len` bytes, where that is known.
    fn number(&mut self, side: Side, seen: &Summary, len: Option<usize>, limits: &Limits) -> u32 {
        let Direction { span: Span { first, .. }, start, acked, .. } = *self.direction(side);
        let frame = first.frame;
        if seen.request {
            let end = len.and_then(|len| seen.content_end(start.saturating_add(len as u64)));
            let added = |end: u64| self.client.added_to(end.saturating_sub(start));
            let end = end.map(|end| end.saturating_add(added(end)));
            let fate = self.answered_early(first, (start, end));
            if let Fate::Answered(exchange) = fate {
                return exchange;
            }
            let exchange = self.next_exchange;
            self.next_exchange += 1;
            if fate == Fate::Passed {
                return exchange;
            }
            let (head_method, connect) = (seen.head_method, seen.connect);
            let after_gap = self.direction(side).head_lost;
            let request = Pending { exchange, head_method, connect, frame, start, end, after_gap };
            self.pending.push(request, limits.pending_requests);
            return exchange;
        }
        let lost = self.direction(side).head_lost;
        if lost {
            self.pending.keep_newest_before(frame, acked);
        }
        // Where messages were lost, a response to one of these may be here and its request not.
        let comes_later = |next: &Pending| {
            let unread = (1..=next.start).contains(&acked);
            (lost || next.after_gap) && (frame < next.frame || unread)
        };
        let asked = self.pending.front().filter(|next| !comes_later(next));
        self.tunnel_asked = asked.is_some_and(|pending| pending.connect);
        match asked {
            Some(pending) => pending.exchange,
            None => {
                if seen.status >= 200 && self.early.len() < limits.pending_requests {
                    let exchange = self.next_exchange;
                    self.early.push_back(Early { exchange, at: first, acked, after_gap: lost });
                }
                self.next_exchange += 1;
                self.next_exchange - 1
            }
        }
    }

    fn framing(&mut self, exchange: u32, seen: &Summary) -> Framing {
        if seen.request {
            return seen.framing.unwrap_or(Framing::Length(0));
        }
        let pending = self.pending.front().filter(|pending| pending.exchange == exchange);
        let interim = (100..200).contains(&seen.status) && !seen.upgrade;
        if !interim {
            if pending.is_some() {
                self.pending.pop();
            }
            self.answered = Some(exchange);
        }
        match pending {
            Some(pending) if pending.head_method || pending.connect && seen.status / 100 == 2 => {
                Framing::Length(0)
            }
            _ => seen.framing.unwrap_or(Framing::UntilClose),
        }
    }

    fn after_response(&mut self, seen: &Summary) {
        let connected = self.tunnel_asked && seen.status / 100 == 2;
        if !seen.request && (connected || seen.status == 101) {
            let layer = Layer::new(self.carrier.tunnel(), self.next_exchange);
            self.tunnel = Some(Box::new(layer));
        }
    }

    fn counted(
        &mut self,
        at: At,
        side: Side,
        bytes: &[u8],
        left: u64,
        out: &mut impl FnMut(Event<'_>),
    ) -> usize {
        let abandoned = self.is_abandoned(side, bytes);
        let direction = self.direction(side);
        if abandoned {
            direction.end(End::Closed, out);
            return 0;
        }
        let take = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        out(direction.part(at, bytes.get(..take).unwrap_or_default()));
        let left = left - take as u64;
        direction.state = State::Length(left);
        if left == 0 {
            direction.end(End::Complete, out);
        }
        take
    }

    fn chunked(
        &mut self,
        at: At,
        side: Side,
        bytes: &[u8],
        mut state: Chunked,
        out: &mut impl FnMut(Event<'_>),
    ) -> usize {
        // The empty line behind the last chunk may be forgotten.
        let over = matches!(state, Chunked::Trailer { used: false });
        let may_stop = over || matches!(state, Chunked::Data(_));
        let abandoned = may_stop && self.is_abandoned(side, bytes);
        let direction = self.direction(side);
        if abandoned {
            direction.end(if over { End::Complete } else { End::Closed }, out);
            return 0;
        }
        let step = state.step(bytes);
        direction.state = State::Chunked(state);
        direction.span.extend(at);
        match step {
            Step::Framing(len) => {
                if state == Chunked::Over {
                    direction.end(End::Complete, out);
                }
                len
            }
            Step::Data(len) => {
                out(direction.part(at, bytes.get(..len).unwrap_or_default()));
                len
            }
            Step::Broken => {
                direction.end(End::Lost, out);
                direction.state = State::Seek;
                0
            }
        }
    }

    fn until_close(
        &mut self,
        at: At,
        side: Side,
        bytes: &[u8],
        out: &mut impl FnMut(Event<'_>),
    ) -> usize {
        let another = self.is_monologue() || !self.pending.is_empty();
        // Some servers leave the length out and keep the connection all the same.
        let kept = side == Side::Server
            && another
            && bytes.starts_with(b"HTTP/1.")
            && line::begins_message(bytes) != Some(false);
        let direction = self.direction(side);
        if kept {
            direction.end(End::Complete, out);
            return 0;
        }
        out(direction.part(at, bytes));
        bytes.len()
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
            State::Head if direction.buffer.is_empty() => {}
            State::Head => self.partial_head(side, end, limits, out),
            State::UntilClose if why == stream::End::Fin => direction.end(End::Complete, out),
            State::Length(_) | State::Chunked(_) | State::UntilClose => {
                if why == stream::End::Fin {
                    direction.span.extend(at);
                }
                direction.end(end, out);
            }
            State::Seek => {}
        }
        self.direction(side).state = State::Seek;
    }
}
