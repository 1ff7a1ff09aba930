//! Bodies, up to where they end (RFC 9112 6).

use super::chunked::{Chunked, Step};
use super::direction::State;
use super::parser::Parser;
use super::pending::is_past;
use super::{End, Event, line};
use crate::stream::{Chunk, Side};

impl Parser {
    pub(super) fn counted(
        &mut self,
        chunk: &Chunk<'_>,
        left: u64,
        out: &mut impl FnMut(Event<'_>),
    ) -> usize {
        let Chunk { at, side, bytes, .. } = *chunk;
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

    pub(super) fn chunked(
        &mut self,
        chunk: &Chunk<'_>,
        mut state: Chunked,
        out: &mut impl FnMut(Event<'_>),
    ) -> usize {
        let Chunk { at, side, bytes, .. } = *chunk;
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

    pub(super) fn until_close(
        &mut self,
        chunk: &Chunk<'_>,
        out: &mut impl FnMut(Event<'_>),
    ) -> usize {
        let Chunk { at, side, bytes, acked, .. } = *chunk;
        // A request may be held for want of an earlier segment, or lost.
        let had = self.direction(side).acked;
        let had_more = had > 0 && is_past(acked, had);
        let another = had_more || self.is_monologue() || !self.pending.is_empty();
        // Some servers leave the length out and keep the connection all the same.
        let kept = side == Side::Server
            && another
            && bytes.starts_with(b"HTTP/1.")
            && line::begins_message(bytes).is_possible();
        let direction = self.direction(side);
        if kept {
            direction.end(End::Complete, out);
            return 0;
        }
        out(direction.part(at, bytes));
        bytes.len()
    }
}
