//! Which response answers which request, and what that makes of its body.

use super::direction::{Direction, State};
use super::head::{Framing, Summary};
use super::parser::Parser;
use super::pending::{Pending, is_past};
use super::{End, Event, is_interim};
use crate::at::At;
use crate::layer::Layer;
use crate::limits::Limits;
use crate::stream::Side;

/// A final response whose request was not there yet.
#[derive(Clone, Copy)]
pub(super) struct Early {
    exchange: u32,
    /// Where it began.
    at: At,
    /// Where it begins in its stream, as requests acknowledge it.
    start: u64,
    /// How far the server had the requests then; 0 where that is not known.
    acked: u64,
    /// Responses before it may have been lost.
    after_gap: bool,
    /// Whether it is a success.
    success: bool,
}

/// What became of a request, as far as responses tell that came before it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Nothing yet.
    Waits,
    /// This is its exchange, and whether it succeeded.
    Answered(u32, bool),
    /// Its response was lost: the next one is for a later request.
    Passed,
}

impl Early {
    /// Whether it may answer a request that begins in a frame and at an offset, and whose sender had so much of the
    /// responses. One held for want of an earlier segment comes after its response, but in an earlier frame; frames that
    /// were stored out of order still have their times; and where clocks differ, the server had acknowledged what it
    /// answers (RFC 9293 3.10.7.4). Who does not have it asks nothing new: the request is repeated, and came before what
    /// was captured.
    fn answers(&self, request: At, start: u64, had: u64) -> bool {
        if self.acked > 0 {
            return self.acked > start;
        }
        had <= self.start || request.frame < self.at.frame || request.time < self.at.time
    }

    /// Whether its sender had more requests than one that ends at `end`. Without a loss, responses are in the order of
    /// the requests, whatever had arrived.
    fn is_for_later(&self, end: Option<u64>) -> bool {
        self.after_gap && end.is_some_and(|end| is_past(self.acked, end))
    }
}

impl Parser {
    /// What became of a request that begins in a frame and covers these offsets, and whose sender had so much of the
    /// responses, if responses came before it.
    fn answered_early(&mut self, request: At, (start, end): (u64, Option<u64>), had: u64) -> Fate {
        while let Some(early) = self.early.front().copied() {
            if early.is_for_later(end) {
                return Fate::Passed;
            }
            self.early.pop_front();
            if early.answers(request, start, had) {
                return Fate::Answered(early.exchange, early.success);
            }
        }
        Fate::Waits
    }

    /// Whether a response came whose request was not there yet.
    pub(super) fn is_early(&self, exchange: u32) -> bool {
        self.early.back().is_some_and(|early| early.exchange == exchange)
    }

    /// The exchange that a message belongs to, which has a head of `len` bytes, where that is known.
    pub(super) fn number(
        &mut self,
        side: Side,
        seen: &Summary,
        len: Option<usize>,
        limits: &Limits,
    ) -> u32 {
        match seen.request {
            true => self.number_of_request(side, seen, len, limits),
            false => self.number_of_response(side, seen, limits),
        }
    }

    fn number_of_request(
        &mut self,
        side: Side,
        seen: &Summary,
        len: Option<usize>,
        limits: &Limits,
    ) -> u32 {
        let Direction { span, start, acked, after_gap, .. } = *self.direction(side);
        let end = len.and_then(|len| seen.content_end(start.saturating_add(len as u64)));
        let added = |end: u64| self.client.added_to(end.saturating_sub(start));
        let end = end.map(|end| end.saturating_add(added(end)));
        let fate = self.answered_early(span.first, (start, end), acked);
        self.tunnel_asked = false;
        if let Fate::Answered(exchange, success) = fate {
            let first = self.server.exchange == exchange && self.server.body_offset == 0;
            self.tunnel_asked = seen.connect && success && first;
            return exchange;
        }
        let exchange = self.take_number();
        if fate == Fate::Waits {
            let (frame, Summary { head_method, connect, .. }) = (span.first.frame, *seen);
            let request = Pending { exchange, head_method, connect, frame, start, end, after_gap };
            self.pending.push(request, limits.pending_requests);
        }
        exchange
    }

    fn number_of_response(&mut self, side: Side, seen: &Summary, limits: &Limits) -> u32 {
        let Direction { span, start, acked, after_gap, .. } = *self.direction(side);
        let (at, frame) = (span.first, span.first.frame);
        if after_gap {
            self.pending.keep_newest_before(frame, acked);
        }
        // Where messages were lost, or came before what was captured, a response to one of these may be here and its
        // request not.
        let begins = self.answered.is_none();
        let comes_later = |next: &Pending| match after_gap || next.after_gap {
            true => !next.had_come(frame, acked),
            false => begins && (1..=next.start).contains(&acked),
        };
        let asked = self.pending.front().filter(|next| !comes_later(next));
        self.tunnel_asked = asked.is_some_and(|pending| pending.connect);
        if let Some(pending) = asked {
            return pending.exchange;
        }
        let exchange = self.take_number();
        if seen.status >= 200 && self.early.len() < limits.pending_requests {
            let success = seen.succeeds();
            self.early.push_back(Early { exchange, at, start, acked, after_gap, success });
        }
        exchange
    }

    /// The number of a new exchange.
    const fn take_number(&mut self) -> u32 {
        self.next_exchange += 1;
        self.next_exchange - 1
    }

    pub(super) fn framing(&mut self, exchange: u32, seen: &Summary) -> Framing {
        if seen.request {
            return seen.framing.unwrap_or(Framing::Length(0));
        }
        let pending = self.pending.front().filter(|pending| pending.exchange == exchange);
        if !is_interim(seen.status) {
            if pending.is_some() {
                self.pending.pop();
            }
            self.answered = Some((exchange, self.server.acked));
        }
        match pending {
            Some(pending) if pending.head_method || pending.connect && seen.succeeds() => {
                Framing::Length(0)
            }
            _ => seen.framing.unwrap_or(Framing::UntilClose),
        }
    }

    /// A request by HEAD or CONNECT came behind the beginning of its response, which has no body then (RFC 9112 6.3).
    pub(super) fn end_bare_answer(&mut self, exchange: u32, out: &mut impl FnMut(Event<'_>)) {
        let server = &mut self.server;
        let waits =
            matches!(server.state, State::Length(_) | State::Chunked(_) | State::UntilClose);
        if server.exchange == exchange && waits && server.body_offset == 0 {
            server.end(End::Complete, out);
        }
    }

    /// An exchange has its response: the connection may carry something else from now on.
    pub(super) fn after_response(&mut self, seen: &Summary) {
        let connected = self.tunnel_asked && (seen.request || seen.succeeds());
        if connected || seen.status == 101 {
            let layer = Layer::new(self.carrier.tunnel(), self.next_exchange);
            self.tunnel = Some(Box::new(layer));
        }
    }
}
