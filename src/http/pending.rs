//! Requests of one connection that wait for their response.

use std::collections::VecDeque;
use std::ops::Range;

/// Bytes that a head has at least; what is less behind a body is no request.
const LEAST_HEAD: u64 = 32;

/// Whether who had a stream up to `acked` had another request behind one that ends at `end`.
pub(super) const fn is_past(acked: u64, end: u64) -> bool {
    acked.saturating_sub(LEAST_HEAD) > end
}

/// What is remembered of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pending {
    pub exchange: u32,
    pub head_method: bool,
    pub connect: bool,
    /// The frame that it began in.
    pub frame: u64,
    /// Where it begins in its stream, or in the one that carries that.
    pub start: u64,
    /// Where it ends there, as far as its head tells or its end was seen.
    pub end: Option<u64>,
    /// Requests before it may have been lost.
    pub after_gap: bool,
}

impl Pending {
    /// Whether who began to respond in `frame`, and had the requests up to `acked`, had this one. Frames tell only where
    /// `acked` is 0, not known: two taps may be out of step, and what is answered was acknowledged before (RFC 9293
    /// 3.10.7.4).
    pub const fn had_come(&self, frame: u64, acked: u64) -> bool {
        if acked > 0 { is_past(acked, self.start) } else { self.frame < frame }
    }
}

/// The oldest first. Beyond the cap only the numbers are kept, which follow each other: responses still find their
/// request, whatever its method was.
#[derive(Debug)]
pub(super) struct Queue {
    known: VecDeque<Pending>,
    beyond: Range<u32>,
}

impl Queue {
    pub const fn new() -> Self {
        Self { known: VecDeque::new(), beyond: 0..0 }
    }

    pub fn push(&mut self, request: Pending, cap: usize) {
        if self.known.len() < cap && self.beyond.is_empty() {
            self.known.push_back(request);
        } else if self.beyond.is_empty() {
            self.beyond = request.exchange..request.exchange.saturating_add(1);
        } else {
            self.beyond.end = request.exchange.saturating_add(1);
        }
    }

    pub fn front(&self) -> Option<Pending> {
        let exchange = self.beyond.start;
        let beyond = Pending {
            exchange,
            head_method: false,
            connect: false,
            frame: 0,
            start: 0,
            end: None,
            after_gap: false,
        };
        self.known.front().copied().or_else(|| (!self.beyond.is_empty()).then_some(beyond))
    }

    pub fn pop(&mut self) {
        if self.known.pop_front().is_none() && !self.beyond.is_empty() {
            self.beyond.start += 1;
        }
    }

    /// Forgets those that cannot be meant by a response that begins in `frame`, whose predecessors may have been lost,
    /// and whose sender had the requests up to `acked`: with one request outstanding at a time, all but the newest
    /// before it, and that too where more had arrived behind it.
    pub fn keep_newest_before(&mut self, frame: u64, acked: u64) {
        if !self.beyond.is_empty() {
            self.known.clear();
            self.beyond.start = self.beyond.end - 1;
            return;
        }
        while self.known.get(1).is_some_and(|next| next.had_come(frame, acked)) {
            self.known.pop_front();
        }
        let ends = self.known.front().and_then(|front| front.end);
        if ends.is_some_and(|end| is_past(acked, end)) {
            self.known.pop_front();
        }
    }

    /// Where the newest request ends, if it is this one.
    pub fn note_end(&mut self, exchange: u32, end: u64) {
        if let Some(newest) = self.known.back_mut().filter(|newest| newest.exchange == exchange) {
            newest.end = Some(end);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.known.is_empty() && self.beyond.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(exchange: u32, frame: u64) -> Pending {
        let (start, end) = (100 * u64::from(exchange), Some(100 * u64::from(exchange) + 100));
        Pending { exchange, head_method: true, connect: false, frame, start, end, after_gap: false }
    }

    #[test]
    fn after_a_loss_the_newest_request_before_the_response_is_meant() {
        let mut queue = Queue::new();
        for (exchange, frame) in [(0, 4), (1, 7), (2, 14)] {
            queue.push(request(exchange, frame), 8);
        }
        queue.keep_newest_before(13, 200 + LEAST_HEAD);
        assert_eq!(queue.front().unwrap().exchange, 1);
        queue.keep_newest_before(13, 201 + LEAST_HEAD);
        assert_eq!(queue.front().unwrap().exchange, 2);
    }

    #[test]
    fn requests_beyond_the_cap_are_answered_in_order_too() {
        let mut queue = Queue::new();
        for exchange in 0..5 {
            queue.push(request(exchange, 1), 2);
        }
        for exchange in 0..5 {
            let front = queue.front().unwrap();
            assert_eq!((front.exchange, front.head_method), (exchange, exchange < 2));
            queue.pop();
        }
        assert!(queue.is_empty());
    }
}
