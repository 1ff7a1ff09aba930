//! Answers that do not name BITS and came before their requests: a hole holds those back, or swallowed them. They may
//! be of an upload all the same.

use std::collections::VecDeque;

use super::beginning::Beginning;
use super::bodies::BODY_START;
use super::open::{Number, Open};
use super::{Channel, Message, Sessions};
use crate::at::Span;
use crate::bits::decode;
use crate::http;
use crate::model::exchange::{Exchange, Response};
use crate::model::session::LEAST_REQUEST;
use crate::observe::Observer;
use crate::stream::{Connection, Side};

/// Answers that are kept, the latest ones.
const KEPT: usize = 64;

/// Answers that wait for their requests.
#[derive(Default)]
pub(super) struct EarlyAnswers(VecDeque<EarlyAnswer>);

/// So much of a Fragment's body must have been received before one is refused, unless there is less of it.
const LEAST_BODY: u64 = 1_000;

/// An answer, by its connection and the number of its exchange there.
struct EarlyAnswer {
    connection: u64,
    exchange: u32,
    /// The session that the exchange before it belongs to.
    follows: Option<Number>,
    /// Bytes of the client that its server got since the answer before it, where that is known.
    asked: Option<u64>,
    /// Bytes of the texts of its head.
    size: u64,
    value: Exchange,
    start: Beginning,
    over: bool,
}

impl EarlyAnswer {
    fn is_of(&self, connection: u64, exchange: u32) -> bool {
        (self.connection, self.exchange) == (connection, exchange)
    }

    /// The exchange, with what its body begins with.
    fn whole(mut self) -> Exchange {
        if let Some(response) = &mut self.value.response
            && !self.start.bytes().is_empty()
        {
            response.rare.edit().body_start = decode::text(self.start.bytes());
        }
        self.value
    }
}

impl EarlyAnswers {
    /// A part of the body of one.
    pub fn body(&mut self, (connection, exchange): (u64, u32), offset: u64, bytes: &[u8]) {
        let Some(answer) = self.find(connection, exchange) else { return };
        answer.start.keep(exchange, offset, bytes, BODY_START);
        if let Some(response) = &mut answer.value.response {
            response.body.bytes += bytes.len() as u64;
        }
    }

    /// One ended.
    pub fn end(&mut self, (connection, exchange): (u64, u32), span: Span, why: http::End) {
        let Some(answer) = self.find(connection, exchange) else { return };
        answer.over = true;
        if let Some(response) = &mut answer.value.response {
            response.span.cover(span);
            response.body.end(why);
        }
    }

    /// The answer to a request that is there now, and whether that is all of it.
    pub fn take(&mut self, connection: u64, exchange: u32) -> Option<(Response, bool)> {
        let place = self.0.iter().position(|answer| answer.is_of(connection, exchange))?;
        let answer = self.0.remove(place)?;
        let over = answer.over;
        Some((answer.whole().response?, over))
    }

    /// Takes the answers of a connection that is over.
    fn take_all(&mut self, connection: u64) -> VecDeque<EarlyAnswer> {
        if self.0.is_empty() {
            return VecDeque::new();
        }
        let all = std::mem::take(&mut self.0).into_iter();
        let (own, others) = all.partition(|answer| answer.connection == connection);
        self.0 = others;
        own
    }

    fn find(&mut self, connection: u64, exchange: u32) -> Option<&mut EarlyAnswer> {
        self.0.iter_mut().rev().find(|answer| answer.is_of(connection, exchange))
    }
}

impl Sessions {
    /// Keeps an answer whose request was not seen so far.
    pub(super) fn keep_early(&mut self, message: &Message<'_>) {
        let Message { connection, exchange, span, head } = *message;
        let channel = self.connections.get(&connection.id);
        let before = channel.and_then(|channel| channel.spoken);
        let follows = before.filter(|(number, ..)| number.checked_add(1) == Some(exchange));
        let had = channel.map_or(0, |channel| channel.acked).min(head.acked);
        let asked = (had > 0).then_some(head.acked - had);
        let response = decode::response(head, span, self.secrets, &mut self.words);
        if self.early.0.len() >= KEPT {
            self.early.0.pop_front();
        }
        self.early.0.push_back(EarlyAnswer {
            connection: connection.id,
            exchange,
            follows: follows.map(|(_, session, _)| session),
            asked,
            size: head.size() as u64,
            value: Exchange::answer_only(connection, exchange, head.carrier, response),
            start: Beginning::default(),
            over: false,
        });
    }

    /// The connection is over: refusals that followed an exchange of its only session, and whose requests the capture
    /// lost, are that session's.
    pub(super) fn settle_early(&mut self, connection: &Connection, observer: &mut impl Observer) {
        for answer in self.early.take_all(connection.id) {
            let EarlyAnswer { exchange, follows, size, .. } = answer;
            let lost = connection.side(Side::Client).lost_by_capture;
            let lost = answer.asked.map_or(lost, |asked| asked.min(lost));
            let value = answer.whole();
            let session = follows.filter(|to| self.is_of_session(&value, *to, lost));
            if let Some(session) = session
                && !self.leaves_out()
            {
                observer.exchange(&value);
                self.keep(session, (value, size), exchange, None);
            }
        }
    }

    /// Whether what a refusal answers was a request of the session, as far as anything tells: nothing else went on its
    /// connection, the session was not over, nor was there a reply to fetch, and what was `lost` has room for what was
    /// to come. Who refuses for want of credentials, or of any request, says nothing of the upload.
    fn is_of_session(&self, value: &Exchange, session: Number, lost: u64) -> bool {
        let status = value.response.as_ref().map_or(0, |response| response.http_status);
        let alone = |channel: &Channel| channel.sessions == [session];
        let goes_on = |open: &Open| {
            let body = open.unconfirmed().min(LEAST_BODY);
            !open.is_finished() && !open.may_be_closed() && lost >= LEAST_REQUEST + body
        };
        status >= 400
            && !matches!(status, 400 | 401 | 407 | 408)
            && self.connections.get(&value.connection).is_some_and(alone)
            && self.open.get(session).is_some_and(goes_on)
            && !self.replies.is_awaited(session)
    }
}
