//! Answers that do not name BITS and came before their requests: those may be of an upload all the same.

use std::collections::VecDeque;

use super::beginning::Beginning;
use crate::at::Span;
use crate::bits::decode;
use crate::http;
use crate::model::exchange::Response;

/// Answers that are kept, the latest ones.
const KEPT: usize = 64;

/// Answers whose requests are held for want of an earlier segment, or are not in the capture.
#[derive(Default)]
pub(super) struct Early(VecDeque<Answer>);

struct Answer {
    connection: u64,
    exchange: u32,
    response: Response,
    start: Beginning,
    over: bool,
}

impl Early {
    /// Keeps the head of an answer.
    pub fn keep(&mut self, connection: u64, exchange: u32, response: Response) {
        if self.0.len() >= KEPT {
            self.0.pop_front();
        }
        let start = Beginning::default();
        self.0.push_back(Answer { connection, exchange, response, start, over: false });
    }

    /// A part of its body.
    pub fn body(&mut self, (connection, exchange): (u64, u32), offset: u64, bytes: &[u8]) {
        if let Some(answer) = self.find(connection, exchange) {
            answer.response.body.bytes += bytes.len() as u64;
            answer.start.keep(exchange, offset, bytes, super::bodies::BODY_START);
        }
    }

    /// It ended.
    pub fn end(&mut self, (connection, exchange): (u64, u32), span: Span, why: http::End) {
        if let Some(answer) = self.find(connection, exchange) {
            answer.over = true;
            answer.response.span.cover(span);
            answer.response.body.complete = why == http::End::Complete;
            answer.response.body.reset = why == http::End::Reset;
        }
    }

    /// The answer to a request that is there now, and whether that is all of it.
    pub fn take(&mut self, connection: u64, exchange: u32) -> Option<(Response, bool)> {
        let own = |answer: &Answer| (answer.connection, answer.exchange) == (connection, exchange);
        let place = self.0.iter().position(own)?;
        let Answer { mut response, start, over, .. } = self.0.remove(place)?;
        if !start.bytes().is_empty() {
            response.rare.edit().body_start = decode::text(start.bytes());
        }
        Some((response, over))
    }

    /// A connection is over.
    pub fn forget(&mut self, connection: u64) {
        self.0.retain(|answer| answer.connection != connection);
    }

    fn find(&mut self, connection: u64, exchange: u32) -> Option<&mut Answer> {
        let own =
            |answer: &&mut Answer| (answer.connection, answer.exchange) == (connection, exchange);
        self.0.iter_mut().rev().find(own)
    }
}
