//! Refusals that were seen ahead of what they answer: a hole holds the request back, or swallowed it.

use std::collections::VecDeque;

use super::open::Number;
use super::{Link, Sessions};
use crate::at::{At, Span};
use crate::bits::decode;
use crate::http::{self, Head, Start};
use crate::model::exchange::{Exchange, Response};
use crate::observe::Observer;
use crate::stream::{Connection, Side};

/// Refusals kept, the latest ones.
const KEPT: usize = 64;

/// Bytes of a body kept as evidence of who answered.
const BODY_START: usize = 512;

/// Refusals that wait for their requests.
#[derive(Default)]
pub(super) struct Early(VecDeque<Refusal>);

/// A refusal that is not from BITS, by its connection and the number of its exchange there.
struct Refusal {
    connection: u64,
    exchange: u32,
    /// The session that the exchange before it belongs to.
    follows: Option<Number>,
    value: Exchange,
}

impl Early {
    fn find(&mut self, connection: u64, exchange: u32) -> Option<&mut Response> {
        let fits = |one: &&mut Refusal| one.connection == connection && one.exchange == exchange;
        self.0.iter_mut().rev().find(fits)?.value.response.as_mut()
    }

    /// The refusal of a request that is here now.
    pub fn take(&mut self, connection: u64, exchange: u32) -> Option<Response> {
        let fits = |one: &Refusal| one.connection == connection && one.exchange == exchange;
        self.0.iter().rposition(fits).and_then(|at| self.0.remove(at))?.value.response
    }

    /// Takes in a part of the body of one.
    pub fn body(&mut self, connection: u64, exchange: u32, at: At, offset: u64, bytes: &[u8]) {
        let Some(response) = self.find(connection, exchange) else { return };
        response.body.started.get_or_insert(at.time);
        response.body.bytes += bytes.len() as u64;
        if offset == 0 {
            let start = bytes.get(..BODY_START).unwrap_or(bytes);
            response.rare.edit().body_start = decode::text(start);
        }
    }

    /// Takes note of the end of one.
    pub fn end(&mut self, connection: u64, exchange: u32, span: Span, why: http::End) {
        let Some(response) = self.find(connection, exchange) else { return };
        response.span.cover(span);
        response.body.complete = why == http::End::Complete;
        response.body.reset = why == http::End::Reset;
    }
}

impl Sessions {
    /// Keeps a refusal whose request was not seen so far.
    pub(super) fn keep_early(
        &mut self,
        connection: &Connection,
        exchange: u32,
        span: Span,
        head: &Head<'_>,
    ) {
        if !matches!(head.start, Start::Response { status: 400.., .. }) {
            return;
        }
        let channel = self.connections.get(&connection.id);
        let before = channel.and_then(|channel| channel.spoken);
        let follows = before.filter(|(number, ..)| number.checked_add(1) == Some(exchange));
        let response = decode::response(head, span, self.secrets, &mut self.words);
        if self.early.0.len() >= KEPT {
            self.early.0.pop_front();
        }
        self.early.0.push_back(Refusal {
            connection: connection.id,
            exchange,
            follows: follows.map(|(_, session, _)| session),
            value: Exchange::answer_only(connection, head.carrier, response),
        });
    }

    /// The request of a refusal that was seen before it.
    pub(super) fn answer_early(&mut self, connection: u64, exchange: u32) {
        let Some(response) = self.early.take(connection, exchange) else { return };
        let Some(link) = self.link(connection, exchange) else { return };
        link.answered_early = true;
        let Link { session, index, .. } = *link;
        if let Some(open) = self.open.get_mut(session) {
            open.touch(response.span.last);
            open.answer(index, response);
        }
        self.open.settle(session);
    }

    /// The connection is over: refusals that followed an exchange of its only session, and whose requests the capture
    /// lost, are that session's.
    pub(super) fn settle_early(&mut self, connection: &Connection, observer: &mut impl Observer) {
        if self.early.0.is_empty() {
            return;
        }
        let all = std::mem::take(&mut self.early.0).into_iter();
        let (own, others): (VecDeque<_>, _) = all.partition(|one| one.connection == connection.id);
        self.early.0 = others;
        for Refusal { exchange, follows, value, .. } in own {
            if let Some(session) = follows.filter(|to| self.is_of_session(&value, *to, connection))
            {
                observer.exchange(&value);
                self.keep(session, value, exchange, None);
            }
        }
    }

    /// Whether what a refusal answers was a request of the session, as far as anything tells: nothing else went on its
    /// connection, the session was not over, nor was there a reply to fetch. Who refuses for want of credentials, or of
    /// any request, says nothing of the upload.
    fn is_of_session(&self, value: &Exchange, session: Number, connection: &Connection) -> bool {
        let status = value.response.as_ref().map_or(0, |response| response.http_status);
        let alone = |channel: &super::Channel| channel.sessions == [session];
        connection.side(Side::Client).lost_by_capture > 0
            && !matches!(status, 400 | 401 | 407 | 408)
            && self.connections.get(&connection.id).is_some_and(alone)
            && self.open.get(session).is_some_and(|open| !open.is_finished())
            && !self.replies.is_awaited(session)
    }
}
