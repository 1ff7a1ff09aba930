//! Heads of messages: to which session they go, and what they change there.

use std::num::NonZeroU64;

use super::open::Number;
use super::{EXCHANGE, Link, Message, Sessions};
use crate::bits::fields::ContentRange;
use crate::bits::{PacketType, decode};
use crate::http::{Head, INTERIM, Start, is_interim};
use crate::model::exchange::{Exchange, Request, Response};
use crate::observe::digest;
use crate::stream::Connection;

impl Sessions {
    pub(super) fn request(&mut self, message: &Message<'_>) {
        let Message { connection, exchange, head, .. } = *message;
        if self.leaves_out() {
            return;
        }
        let after_gap = head.after_gap && may_lack_requests(connection, head);
        let mut value = self.begun(message, after_gap);
        let range = value.range().filter(|_| value.kind == PacketType::Fragment);
        let start = range.and_then(|range| range.start);
        let last = self.connections.get(&connection.id).and_then(|channel| channel.last);
        let early = self.link(connection.id, exchange).copied();
        let early = early.filter(|link| !self.is_of_a_lost(&value, link));
        let session = match early {
            Some(link) => self.assign_early(&value, link),
            None => self.assign_request(&value, last, head.after_gap || connection.midstream),
        };
        if after_gap {
            self.note_hole(connection.id);
        }
        if self.take_hole(session)
            && let Some(request) = &mut value.request
        {
            request.rare.edit().after_gap = true;
        }
        let hashed = self.digest && start.is_some();
        let awaits = value.request.as_ref().and_then(|request| request.awaits);
        let pipelined = hashed && self.has_unanswered_fragment(connection.id, session, awaits);
        let size = head.size() as u64;
        match early {
            Some(_) => {
                self.complete(value, exchange, start);
                self.weigh(session, size);
            }
            None => self.keep(session, (value, size), exchange, start),
        }
        if hashed {
            self.begin_digest(connection.id, exchange, pipelined);
        }
        self.answer_early(connection.id, exchange);
    }

    /// The exchange that a request begins; `after_gap` tells whether others may be missing right before it.
    fn begun(&mut self, message: &Message<'_>, after_gap: bool) -> Exchange {
        let Message { connection, exchange, span, head } = *message;
        let mut request = decode::request(head, span, self.secrets, &mut self.words);
        if head.after_gap && !after_gap {
            request.rare.edit().after_gap = false;
        }
        let is_held = span.last.frame != connection.last.frame;
        let acked = match head.acked {
            0 => Some(connection.server_side.acked).filter(|_| !is_held),
            acked => Some(acked),
        };
        request.awaits = acked.map(|acked| NonZeroU64::MIN.saturating_add(acked));
        let mut value = Exchange::on(connection, exchange, head.carrier);
        value.kind = decode::packet_type(&request);
        value.request = Some(request);
        value.inferred = value.kind != PacketType::CreateSession && value.asked_id().is_none();
        value
    }

    /// Gives a request the answer that came before it, if any.
    fn answer_early(&mut self, connection: u64, exchange: u32) {
        let Some((response, over)) = self.early.take(connection, exchange) else { return };
        self.answered(connection, exchange, response);
        if let Some(link) = self.link(connection, exchange) {
            link.answer_over = over;
            let session = link.session;
            self.let_in(session, connection);
        }
    }

    pub(super) fn ordinary_request(&mut self, message: &Message<'_>) {
        let Message { connection, exchange, span, head } = *message;
        if decode::is_beheaded(head) {
            let (count, mut all) = self.beheaded.unwrap_or((0, span));
            all.cover(span);
            self.beheaded = Some((count + 1, all));
        }
        if self.tunnels.is_of_bits(connection.id, head) {
            let request = decode::request(head, span, self.secrets, &mut self.words);
            self.tunnels.ask(connection, exchange, request);
            if let Some((response, _)) = self.early.take(connection.id, exchange) {
                self.tunnels.answer(connection.id, exchange, response);
            }
        }
        if head.after_gap && may_lack_requests(connection, head) {
            self.note_hole(connection.id);
        }
        self.early.take(connection.id, exchange);
        self.web.asked(message);
        self.notifications.ask(message, self.secrets);
        self.look_for_reply(message);
    }

    /// A Fragment begins of which the bytes are hashed.
    fn begin_digest(&mut self, connection: u64, exchange: u32, pipelined: bool) {
        let Some(link) = self.link(connection, exchange).copied() else { return };
        let Some(open) = self.open.get_mut(link.session) else { return };
        let Some(value) = open.exchanges.get(link.index) else { return };
        let (key, range) = ((connection, exchange), file_range(value));
        let digest = open.digest.get_or_insert_default();
        let after_gap = value.request.as_ref().is_some_and(|request| request.after_gap);
        digest.begin(&mut self.hashing, key, range, digest::Order { pipelined, after_gap });
        if let Some(response) = &value.response {
            digest.answer(&mut self.hashing, key, range, digest::FragmentAnswer::of(response));
        }
    }

    /// Adds the request to an exchange whose response was seen first.
    fn complete(&mut self, value: Exchange, exchange: u32, start: Option<u64>) {
        let Some(link) = self.link(value.connection, exchange) else { return };
        link.start = start;
        let link = *link;
        if let Some(open) = self.open.get_mut(link.session) {
            open.ask(link.index, value);
        }
    }

    /// Whether a Fragment of the session waits for its answer on this connection, when a request comes that awaits the
    /// byte `awaits` of the server: if the client has had more of it since, the capture lacks the answer.
    fn has_unanswered_fragment(
        &self,
        connection: u64,
        session: Number,
        awaits: Option<NonZeroU64>,
    ) -> bool {
        let Some(channel) = self.connections.get(&connection) else { return false };
        channel.exchanges.iter().any(|link| {
            let value = self.value(session, link.index);
            let asked = value.filter(|exchange| exchange.response.is_none());
            let asked = asked.and_then(|exchange| exchange.request.as_ref());
            let waits = |one: &Request| one.awaits.is_none() || one.awaits >= awaits;
            link.session == session && link.start.is_some() && asked.is_some_and(waits)
        })
    }

    /// Adds an exchange, and the bytes that its heads take, to a session and remembers where it went. One for a
    /// forgotten session is only counted.
    pub(super) fn keep(
        &mut self,
        session: Number,
        (value, size): (Exchange, u64),
        exchange: u32,
        start: Option<u64>,
    ) {
        let channel = self.connections.entry(value.connection).or_default();
        channel.last = Some(session);
        let mut index = usize::MAX;
        match self.open.get_mut(session) {
            None => self.late += 1,
            Some(open) if open.exchanges.len() >= self.limits.exchanges_per_session => {
                open.omitted += 1;
                self.omitted += 1;
                return;
            }
            Some(open) => {
                if !open.live.contains(&value.connection) {
                    open.live.push(value.connection);
                    channel.sessions.push(session);
                }
                open.weight += EXCHANGE + size;
                self.weight += EXCHANGE + size;
                index = open.keep(value);
                channel.spoken = Some((exchange, session, index));
            }
        }
        if channel.exchanges.len() >= self.limits.pending_requests {
            channel.exchanges.remove(0);
        }
        channel.exchanges.push(Link {
            exchange,
            session,
            index,
            start,
            request_over: false,
            answer_over: false,
        });
    }

    pub(super) fn response(&mut self, message: &Message<'_>) {
        let Message { connection, exchange, head, .. } = *message;
        let Start::Response { status, .. } = head.start else { return };
        self.pair_response(message, status);
        if !self.may_answer_a_lost_close(connection.id, exchange)
            && let Some(channel) = self.connections.get_mut(&connection.id)
        {
            channel.acked = head.acked;
        }
    }

    /// Whether the capture lacks what was answered, and no more is known of it than that it was no Fragment.
    fn may_answer_a_lost_close(&mut self, connection: u64, exchange: u32) -> bool {
        let Some(link) = self.link(connection, exchange).copied() else { return false };
        let value = self.value(link.session, link.index);
        let ranged = |value: &Exchange| value.confirms_bytes() || value.is_out_of_range();
        value.is_some_and(|value| value.request.is_none() && !ranged(value))
    }

    fn pair_response(&mut self, message: &Message<'_>, status: u16) {
        let Message { connection, exchange, span, head } = *message;
        if self.is_anothers(connection.id, exchange, head) {
            self.orphan(message);
        } else if self.link(connection.id, exchange).is_none() {
            if !decode::is_bits(head) {
                return self.ordinary_response(message, status);
            }
            self.orphan(message);
        }
        let Some(link) = self.link(connection.id, exchange).copied() else { return };
        let Some(open) = self.open.get_mut(link.session) else { return };
        let Some(value) = open.exchanges.get_mut(link.index) else { return };
        if is_interim(status) {
            let rare = value.rare.edit();
            if rare.interim.len() < INTERIM {
                rare.interim.push(status);
            }
            rare.interim_at.get_or_insert(span.first.time);
            return;
        }
        let response = decode::response(head, span, self.secrets, &mut self.words);
        self.weigh(link.session, head.size() as u64);
        self.answered(connection.id, exchange, response);
    }

    fn ordinary_response(&mut self, message: &Message<'_>, status: u16) {
        let Message { connection, exchange, span, head } = *message;
        if self.tunnels.is_asked(connection.id, exchange) {
            let response = decode::response(head, span, self.secrets, &mut self.words);
            self.tunnels.answer(connection.id, exchange, response);
        }
        self.web.answered(message, status);
        self.notifications.answer(message, status, self.secrets);
        self.answer_fetch(message, status);
        if head.unasked && status >= 200 {
            self.keep_early(message);
        }
    }

    /// A request got its final response.
    fn answered(&mut self, connection: u64, exchange: u32, response: Response) {
        let Some(link) = self.link(connection, exchange).copied() else { return };
        let Some(open) = self.open.get_mut(link.session) else { return };
        let Some(value) = open.exchanges.get(link.index) else { return };
        let last = response.span.last;
        if link.start.is_some()
            && let Some(digest) = &mut open.digest
        {
            let (key, range) = ((connection, exchange), file_range(value));
            digest.answer(&mut self.hashing, key, range, digest::FragmentAnswer::of(&response));
        }
        let id = response.session_id.clone().filter(|id| !id.is_empty());
        let reply_url = response.reply_url.clone();
        let began = (connection, value.span().first.frame);
        if response.is_success()
            && let Some(id) = &id
        {
            self.part(link, id);
        }
        let Some(link) = self.link(connection, exchange).copied() else { return };
        let Some(open) = self.open.get_mut(link.session) else { return };
        open.touch(last);
        let asked = open.exchanges.get(link.index).map(|exchange| &exchange.kind);
        let closes = response.is_success() && asked == Some(&PacketType::CloseSession);
        open.answer(link.index, response);
        self.learn(link.session, id.as_deref());
        if closes {
            self.claim(link);
        }
        self.take_refused(connection, link);
        self.open.settle(link.session);
        if let Some(url) = reply_url {
            self.await_reply(&url, link.session, began);
        }
    }
}

/// The bytes of the file that a Fragment brings.
fn file_range(fragment: &Exchange) -> digest::Range {
    let range = fragment.range();
    (range.and_then(|range| range.start).unwrap_or(0), range.and_then(ContentRange::behind))
}

/// Whether requests may be missing in a hole before one. The snap length cuts frames and leaves none out, and in one
/// frame with the end of another request no client sends one: it waits for the answer ([MC-BUP] 3.1.5.1.4). Of TLS, a
/// record that is cut is lost.
fn may_lack_requests(connection: &Connection, head: &Head<'_>) -> bool {
    let sent = &connection.client_side;
    head.carrier.tls || sent.cut == 0 || sent.lost_by_capture + sent.missing > 0
}
