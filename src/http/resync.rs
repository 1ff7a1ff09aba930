//! Finding the next message behind a hole, junk, or a body that ends before its length.

use memchr::memmem;

use super::chunked::Chunked;
use super::direction::State;
use super::parser::Parser;
use super::{End, Event, line};
use crate::at::At;
use crate::limits::Limits;
use crate::stream::{Chunk, Side};

impl Parser {
    /// Whether a body under way goes no further: the other side has moved on, or none of it was sent, and a segment
    /// begins with a message.
    #[inline(always)]
    pub(super) fn is_abandoned(&self, side: Side, bytes: &[u8]) -> bool {
        let moved_on = match side {
            // After a refusal, what was announced need not be sent (RFC 9110 10.1.1); what the server had by then was.
            Side::Client => {
                let refused = self.answered.is_some_and(|(exchange, had)| {
                    let at = self.client.body_start.saturating_add(self.client.body_offset);
                    exchange >= self.client.exchange && had <= at
                });
                refused || self.is_left_out(bytes)
            }
            // Who asks again without having all of it takes it for whole: its length was wrong. Whether there is a body
            // at all, only the request tells.
            Side::Server => {
                let last = self.server.span.last.frame;
                self.is_monologue()
                    || self.pending.front().is_some_and(|next| next.frame > last)
                    || self.is_early(self.server.exchange)
            }
        };
        moved_on && line::begins_message(bytes).is_certain()
    }

    /// Whether the body of a request was left out, as its refusal would tell: where that is not seen, the next packet
    /// in its place does (RFC 9110 10.1.1).
    fn is_left_out(&self, bytes: &[u8]) -> bool {
        self.client.withheld && self.client.body_offset == 0 && bytes.starts_with(b"BITS_POST ")
    }

    /// Whether only responses were seen, so that nothing tells which of them have a body.
    pub(super) const fn is_monologue(&self) -> bool {
        !self.client.any
    }

    /// What the capture has of one side begins behind a hole.
    pub fn begin_behind_hole(&mut self, side: Side) {
        self.direction(side).lose_head();
    }

    pub(super) fn seek(&mut self, chunk: &Chunk<'_>, out: &mut impl FnMut(Event<'_>)) -> usize {
        let Chunk { at, side, bytes, .. } = *chunk;
        let direction = self.direction(side);
        if line::begins_message(bytes).is_possible() {
            direction.state = State::Head;
            return 0;
        }
        let start = next_head(bytes, side);
        direction.stray(at, start, out);
        direction.pass_over(at, start as u64);
        if start < bytes.len() {
            direction.state = State::Head;
        }
        start
    }

    pub(super) fn gap(
        &mut self,
        at: At,
        side: Side,
        len: u64,
        limits: &Limits,
        out: &mut impl FnMut(Event<'_>),
    ) {
        let direction = self.direction(side);
        match direction.state {
            State::Head | State::Seek => {
                self.partial_head(side, End::Lost, limits, out);
                let direction = self.direction(side);
                direction.lose_head();
                direction.pass_over(at, len);
            }
            State::Length(left) => {
                direction.body_gap(at, len.min(left), out);
                direction.state = State::Length(left.saturating_sub(len));
                if len >= left {
                    direction.end(End::Complete, out);
                }
                if len > left {
                    direction.lose_head();
                }
            }
            State::Chunked(Chunked::Data(left)) if len < left => {
                direction.body_gap(at, len, out);
                direction.state = State::Chunked(Chunked::Data(left - len));
            }
            State::Chunked(_) => {
                direction.body_gap(at, len, out);
                direction.end(End::Lost, out);
                direction.lose_head();
            }
            State::UntilClose => direction.body_gap(at, len, out),
        }
    }
}

/// Where in `bytes`, behind its first byte, a message may begin; its length if nowhere.
fn next_head(bytes: &[u8], side: Side) -> usize {
    let tail = bytes.get(1..).unwrap_or_default();
    let plausible =
        |at: &usize| line::begins_message(tail.get(*at..).unwrap_or_default()).is_certain();
    let found = match side {
        Side::Server => memmem::find_iter(tail, b"HTTP/1.").find(plausible),
        Side::Client => next_request(tail),
    };
    found.map_or(bytes.len(), |at| at + 1)
}

/// Where a request line begins, be it right behind the end of a body.
fn next_request(bytes: &[u8]) -> Option<usize> {
    const METHODS: [&[u8]; 8] =
        [b"BITS_POST ", b"GET ", b"POST ", b"HEAD ", b"PUT ", b"OPTIONS ", b"DELETE ", b"CONNECT "];
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', bytes) {
        let line = bytes.get(start..=end).unwrap_or_default();
        if line::begins_message(line).is_certain() {
            return Some(start);
        }
        // One line is looked at once for each method, however often it names them.
        let begins =
            |at: &usize| line::begins_message(line.get(*at..).unwrap_or_default()).is_certain();
        let found = METHODS.iter().filter_map(|m| memmem::find(line, m)).filter(begins).min();
        if let Some(at) = found {
            return Some(start + at);
        }
        start = end + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_lines_without_end_are_passed_over_in_no_time() {
        let bytes = b"HTTP/1.".repeat(150_000);
        assert_eq!(next_head(&bytes, Side::Server), bytes.len());
    }

    #[test]
    fn a_status_line_within_a_segment_is_found() {
        assert_eq!(next_head(b"junk HTTP/1. HTTP/1.1 200 OK", Side::Server), 13);
    }
}
