//! Which exchange belongs to which upload ([MC-BUP] ties some by id, others only by order, client and URL).

mod assign;
mod beginning;
mod bodies;
mod early;
mod graves;
mod moves;
mod open;
pub(crate) mod replies;
mod shelf;
#[cfg(test)]
mod tests;
mod tunnels;
mod web;

use std::num::NonZeroU64;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use crate::at::{At, Span};
use crate::bits::secrets::Secrets;
use crate::bits::words::Words;
use crate::bits::{PacketType, decode};
use crate::http::{Event, Head, Start};
use crate::limits::Limits;
use crate::model::Session;
use crate::model::exchange::{Exchange, Response};
use crate::model::rare::Rare;
use crate::observe::Observer;
use crate::observe::digest;
use crate::observe::hashing::Pool;
use crate::rules::around::Brief;
use crate::stream::{Connection, Side};

use beginning::Beginning;
use early::Early;
use open::Number;
use replies::Replies;
use shelf::Shelf;
use tunnels::Tunnels;

pub(crate) use assign::percent_decoded;
pub use tunnels::RefusedTunnel;
pub use web::{Directory, Web};

/// Puts uploads together from HTTP events.
pub struct Sessions {
    open: Shelf,
    connections: HashMap<u64, Channel, RandomState>,
    /// Where the last bytes of a body went: most that follow go there too.
    last: Option<(u64, Link)>,
    replies: Replies,
    web: Web,
    tunnels: Tunnels,
    early: Early,
    late: u64,
    digest: bool,
    hashing: Pool,
    secrets: Secrets,
    words: Words,
    limits: Limits,
    /// Exchanges beyond the cap of their session.
    omitted: u64,
}

/// What is under way on one connection.
#[derive(Default)]
struct Channel {
    exchanges: Vec<Link>,
    /// The sessions that go on it.
    sessions: Vec<Number>,
    /// The session that was last spoken of.
    last: Option<Number>,
    /// The last exchange that was kept: its number, its session and its place there.
    spoken: Option<(u32, Number, usize)>,
    /// How the file under way begins.
    file: Beginning,
    /// How the body of the answer under way begins.
    answer: Beginning,
}

impl Channel {
    fn link(&mut self, exchange: u32) -> Option<&mut Link> {
        self.exchanges.iter_mut().rev().find(|link| link.exchange == exchange)
    }
}

/// Where an HTTP exchange went.
#[derive(Clone, Copy)]
struct Link {
    exchange: u32,
    session: Number,
    index: usize,
    /// Offset of the body in the file, for Fragments.
    start: Option<u64>,
    request_over: bool,
    /// Its response was seen first.
    answered_early: bool,
}

impl Sessions {
    /// None yet. With `digest`, files are hashed as they pass.
    pub fn new(limits: Limits, digest: bool, secrets: Secrets) -> Self {
        Self {
            open: Shelf::new(limits.sessions),
            connections: HashMap::default(),
            last: None,
            replies: Replies::default(),
            web: Web::default(),
            tunnels: Tunnels::default(),
            early: Early::default(),
            late: 0,
            digest,
            hashing: Pool::default(),
            secrets,
            words: Words::default(),
            limits,
            omitted: 0,
        }
    }

    /// Takes one HTTP event.
    #[inline(always)]
    pub fn push(
        &mut self,
        connection: &Connection,
        event: &Event<'_>,
        observer: &mut impl Observer,
    ) {
        match *event {
            Event::Body { exchange, side, at, offset, bytes } => {
                self.body(connection, exchange, side, at, offset, bytes);
            }
            _ => self.push_other(connection, *event, observer),
        }
    }

    #[inline(never)]
    fn push_other(
        &mut self,
        connection: &Connection,
        event: Event<'_>,
        observer: &mut impl Observer,
    ) {
        self.last = None;
        match event {
            Event::Head { exchange, side: Side::Client, span, ref head } => {
                if decode::is_bits(head) {
                    self.request(connection, exchange, span, head);
                } else {
                    self.ordinary_request(connection, exchange, span, head);
                }
            }
            Event::Head { exchange, side: Side::Server, span, ref head } => {
                self.response(connection, exchange, span, head);
            }
            Event::Body { .. } => {}
            Event::Gap { exchange, side, offset, len, .. } => {
                self.gap(connection, exchange, side, offset, len)
            }
            Event::End { exchange, side, span, why } => {
                self.end(connection, exchange, side, span, why, observer);
            }
            Event::Stray { side, at, len, after } => self.stray(connection, side, at, len, after),
        }
    }

    /// A connection is over: nothing more can be answered on it.
    pub fn closed(&mut self, connection: &Connection, observer: &mut impl Observer) {
        self.last = None;
        self.settle_early(connection, observer);
        let Some(channel) = self.connections.remove(&connection.id) else { return };
        for session in channel.sessions {
            if let Some(open) = self.open.get_mut(session) {
                open.live.retain(|id| *id != connection.id);
                if open.connections.is_empty() {
                    // Most sessions have but one.
                    open.connections.reserve_exact(1);
                }
                open.connections.push(connection.clone());
            }
            self.open.settle(session);
        }
    }

    /// Exchanges left out to stay under the cap on those of one session.
    pub const fn omitted(&self) -> u64 {
        self.omitted
    }

    /// Whether [`due`](Self::due) may yield a session at `now`; cheap enough to ask for every frame.
    pub fn may_be_due(&self, now: At) -> bool {
        self.open.may_be_due(now)
    }

    /// A session of which nothing more is expected at `now`; to be called until `None`. `facts` lends those of
    /// connections that are not over.
    pub fn due<'c>(
        &mut self,
        now: At,
        facts: impl Fn(u64) -> Option<&'c Connection>,
    ) -> Option<Session> {
        while self.open.may_be_due(now) {
            let (number, open) = self.open.take_due(now)?;
            for id in &open.live {
                if let Some(channel) = self.connections.get_mut(id) {
                    channel.sessions.retain(|session| *session != number);
                }
            }
            if let Some(session) = open.into_session(&facts, &mut self.hashing) {
                return Some(session);
            }
        }
        None
    }

    /// The capture is over: makes every session [`due`](Self::due), those first that ended first.
    pub fn finish(&mut self) {
        self.open.end();
    }

    /// The sessions with the same client and URL that may still go on and ended before `session`.
    pub fn open_before(&mut self, session: &Session) -> Vec<Brief> {
        session.url.as_ref().map_or_else(Vec::new, |url| {
            self.open.before(session.client.address, url, session.ended)
        })
    }

    /// The sessions that a session's server has, as a client, with the same URL, may still go on with, and were last seen
    /// before its end.
    pub fn open_behind(&mut self, session: &Session) -> Vec<Brief> {
        session.url.as_ref().map_or_else(Vec::new, |url| {
            self.open.before(session.server.address, url, session.ended)
        })
    }

    /// Tunnels for BITS that proxies refused to the end.
    pub fn refused_tunnels(&self) -> &[RefusedTunnel] {
        self.tunnels.refused()
    }

    /// What servers answered to requests that are not BITS.
    pub const fn web(&self) -> &Web {
        &self.web
    }

    /// Sessions given up early to stay under the cap.
    pub const fn forgotten(&self) -> u64 {
        self.open.forgotten()
    }

    /// Messages for sessions that were over and forgotten.
    pub const fn late(&self) -> u64 {
        self.late
    }

    fn request(&mut self, connection: &Connection, exchange: u32, span: Span, head: &Head<'_>) {
        let mut request = decode::request(head, span, self.secrets, &mut self.words);
        let next = NonZeroU64::MIN.saturating_add(connection.server_side.acked);
        request.awaits = (span.last.frame == connection.last.frame).then_some(next);
        let kind = decode::packet_type(&request);
        let start = request
            .content_range
            .as_ref()
            .filter(|_| kind == PacketType::Fragment)
            .and_then(|r| r.start);
        let inferred = kind != PacketType::CreateSession
            && request.session_id.as_deref().is_none_or(str::is_empty);
        let value = Exchange {
            kind,
            connection: connection.id,
            client: connection.client,
            server: connection.server,
            tls: head.carrier.tls,
            tunnel: head.carrier.tunnel,
            request: Some(request),
            response: None,
            rare: Rare::default(),
            inferred,
        };
        let last = self.connections.get(&connection.id).and_then(|channel| channel.last);
        let early = self.link(connection.id, exchange).copied();
        let early = early.filter(|link| !self.is_of_a_lost(&value, link)).map(|link| link.session);
        let session = match early {
            Some(session) => self.assign_early(&value, session),
            None => self.assign_request(&value, last),
        };
        let hashed = self.digest && start.is_some();
        let pipelined = hashed && self.has_unanswered_fragment(connection.id, session);
        match early {
            Some(_) => self.complete(value, exchange, start),
            None => {
                self.keep(session, value, exchange, start);
                self.answer_early(connection.id, exchange);
            }
        }
        if hashed {
            self.begin_digest(connection.id, exchange, pipelined);
        }
    }

    fn ordinary_request(
        &mut self,
        connection: &Connection,
        exchange: u32,
        span: Span,
        head: &Head<'_>,
    ) {
        if tunnels::is_asked(head) {
            let request = decode::request(head, span, self.secrets, &mut self.words);
            self.tunnels.ask(connection, exchange, request);
        }
        self.early.take(connection.id, exchange);
        self.web.asked(connection.id, exchange, head);
        self.look_for_reply(connection, exchange, span, head);
    }

    /// A Fragment begins of which the bytes are hashed.
    fn begin_digest(&mut self, connection: u64, exchange: u32, pipelined: bool) {
        let Some(link) = self.link(connection, exchange).copied() else { return };
        let Some(open) = self.open.get_mut(link.session) else { return };
        let Some(value) = open.exchanges.get(link.index) else { return };
        let (key, range) = ((connection, exchange), file_range(value));
        let digest = open.digest.get_or_insert_default();
        digest.begin(&mut self.hashing, key, range, pipelined);
        if let Some(response) = &value.response {
            digest.answer(&mut self.hashing, key, range, answer(response));
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

    /// Whether a Fragment of the session waits for its answer on this connection.
    fn has_unanswered_fragment(&self, connection: u64, session: Number) -> bool {
        let Some(channel) = self.connections.get(&connection) else { return false };
        channel.exchanges.iter().any(|link| {
            let value = self.open.get(session).and_then(|open| open.exchanges.get(link.index));
            link.session == session
                && link.start.is_some()
                && value.is_some_and(|exchange| exchange.response.is_none())
        })
    }

    /// Adds an exchange to a session and remembers where it went. One for a forgotten session is only counted.
    fn keep(&mut self, session: Number, value: Exchange, exchange: u32, start: Option<u64>) {
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
            answered_early: false,
        });
    }

    fn response(&mut self, connection: &Connection, exchange: u32, span: Span, head: &Head<'_>) {
        let Start::Response { status, .. } = head.start else { return };
        if self.is_anothers(connection.id, exchange, head) {
            self.orphan(connection, exchange, span, head);
        } else if self.link(connection.id, exchange).is_none() {
            if !decode::is_bits(head) {
                if self.tunnels.is_asked(connection.id, exchange) {
                    let response = decode::response(head, span, self.secrets, &mut self.words);
                    self.tunnels.answer(connection.id, exchange, response);
                }
                self.web.answered(connection, exchange, status, head, span.first);
                self.answer_fetch(connection, exchange, status);
                if head.unasked {
                    self.keep_early(connection, exchange, span, head);
                }
                return;
            }
            self.orphan(connection, exchange, span, head);
        }
        let Some(link) = self.link(connection.id, exchange).copied() else { return };
        let Some(open) = self.open.get_mut(link.session) else { return };
        let Some(value) = open.exchanges.get_mut(link.index) else { return };
        if (100..200).contains(&status) && status != 101 {
            let rare = value.rare.edit();
            rare.interim.push(status);
            rare.interim_at.get_or_insert(span.first.time);
            return;
        }
        let response = decode::response(head, span, self.secrets, &mut self.words);
        if link.start.is_some()
            && let Some(digest) = &mut open.digest
        {
            let (key, range) = ((connection.id, exchange), file_range(value));
            digest.answer(&mut self.hashing, key, range, answer(&response));
        }
        let id = response.session_id.clone().filter(|id| !id.is_empty());
        let reply_url = response.reply_url.clone();
        if response.is_success()
            && let Some(id) = &id
        {
            self.part(link, id);
        }
        let Some(link) = self.link(connection.id, exchange).copied() else { return };
        let Some(open) = self.open.get_mut(link.session) else { return };
        open.touch(span.last);
        open.answer(link.index, response);
        self.learn(link.session, id.as_deref());
        self.open.settle(link.session);
        if let Some(url) = reply_url {
            self.await_reply(&url, link.session);
        }
    }

    /// Whether a response behind a hole cannot answer the request that is the next: it is an Ack that opens no session,
    /// and that is a Create ([MC-BUP] 2.2.3.2). What it answers was lost.
    fn is_anothers(&mut self, connection: u64, exchange: u32, head: &Head<'_>) -> bool {
        let succeeds = matches!(head.start, Start::Response { status: 200 | 201, .. });
        let has = |name| head.field(name).is_some();
        let opens = has("BITS-Protocol") || has("BITS-Session-Id");
        if !head.after_gap || !succeeds || !has("BITS-Packet-Type") || opens {
            return false;
        }
        let Some(link) = self.link(connection, exchange).copied() else { return false };
        let asked = self.open.get(link.session).and_then(|open| open.exchanges.get(link.index));
        asked.is_some_and(|asked| asked.kind == PacketType::CreateSession)
    }

    /// Whether the response that was seen before a Create is an Ack of bytes: it answers a later request.
    fn is_of_a_lost(&self, request: &Exchange, link: &Link) -> bool {
        let seen = self.open.get(link.session).and_then(|open| open.exchanges.get(link.index));
        request.kind == PacketType::CreateSession && seen.is_some_and(Exchange::confirms_bytes)
    }

    /// A response whose request the capture lacks.
    fn orphan(&mut self, connection: &Connection, exchange: u32, span: Span, head: &Head<'_>) {
        let response = decode::response(head, span, self.secrets, &mut self.words);
        let value = Exchange::answer_only(connection, head.carrier, response);
        let last = self.connections.get(&connection.id).and_then(|channel| channel.last);
        let session = self.assign_orphan(&value, last);
        self.keep(session, value, exchange, None);
    }

    fn link(&mut self, connection: u64, exchange: u32) -> Option<&mut Link> {
        self.connections.get_mut(&connection)?.link(exchange)
    }
}

/// The bytes of the file that a Fragment brings.
fn file_range(fragment: &Exchange) -> digest::Range {
    let range = fragment.request.as_ref().and_then(|request| request.content_range.as_ref());
    let start = range.and_then(|range| range.start).unwrap_or(0);
    (start, range.and_then(|range| range.end).map(|end| end.saturating_add(1)))
}

fn answer(response: &Response) -> digest::Answer {
    let accepted = response.is_success();
    let counts = accepted || response.http_status == 416;
    digest::Answer { accepted, next: response.next_offset.filter(|_| counts) }
}
