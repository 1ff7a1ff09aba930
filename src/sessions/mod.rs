//! Which exchange belongs to which upload ([MC-BUP] ties some by id, others only by order, client and URL).

mod assign;
pub(crate) mod replies;
mod web;

use std::collections::HashMap;
use std::net::IpAddr;

use foldhash::fast::RandomState;

use crate::at::{At, Span};
use crate::bits::{PacketType, decode};
use crate::http::{self, Event, Head, Start};
use crate::limits::Limits;
use crate::model::Session;
use crate::model::exchange::{Body, Exchange, Hole, Stray};
use crate::model::fold::fold;
use crate::observe::Observer;
use crate::observe::digest::FileDigest;
use crate::rules::origin::Origin;
use crate::stream::{Connection, Side};

use assign::Open;
use replies::Replies;

pub use web::Web;

/// Bytes of a response body kept as evidence of who answered.
const BODY_START: usize = 512;

/// Holes kept per body; further ones are joined to the last.
const HOLES: usize = 64;

/// Runs of stray bytes kept per exchange.
const STRAYS: usize = 4;

/// Puts uploads together from HTTP events.
pub struct Sessions {
    open: Vec<Open>,
    by_id: HashMap<String, Vec<usize>, RandomState>,
    by_client: HashMap<IpAddr, Vec<usize>, RandomState>,
    connections: HashMap<u64, Channel, RandomState>,
    facts: HashMap<u64, Connection, RandomState>,
    replies: Replies,
    web: Web,
    digest: bool,
    limits: Limits,
    /// Exchanges of sessions beyond the cap.
    omitted: u64,
}

/// What is under way on one connection.
#[derive(Default)]
struct Channel {
    exchanges: Vec<Link>,
    /// The session that was last spoken of.
    last: Option<usize>,
    /// The last exchange that was kept: its number, its session and its place there.
    spoken: Option<(u32, usize, usize)>,
}

/// Where an HTTP exchange went.
#[derive(Clone, Copy)]
struct Link {
    exchange: u32,
    session: usize,
    index: usize,
    /// Offset of the body in the file, for Fragments.
    start: Option<u64>,
    request_over: bool,
}

impl Sessions {
    /// None yet. With `digest`, files are hashed as they pass.
    pub fn new(limits: Limits, digest: bool) -> Self {
        Self {
            open: Vec::new(),
            by_id: HashMap::default(),
            by_client: HashMap::default(),
            connections: HashMap::default(),
            facts: HashMap::default(),
            replies: Replies::default(),
            web: Web::default(),
            digest,
            limits,
            omitted: 0,
        }
    }

    /// Takes one HTTP event.
    pub fn push(
        &mut self,
        connection: &Connection,
        event: &Event<'_>,
        observer: &mut impl Observer,
    ) {
        match *event {
            Event::Head { exchange, side: Side::Client, span, ref head } => {
                if decode::is_bits(head) {
                    self.request(connection, exchange, span, head);
                } else {
                    self.look_for_reply(connection, exchange, span, head);
                }
            }
            Event::Head { exchange, side: Side::Server, span, ref head } => {
                self.response(connection, exchange, span, head);
            }
            Event::Body { exchange, side, at, offset, bytes } => {
                self.body(connection, exchange, side, at, offset, bytes);
            }
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
    pub fn closed(&mut self, connection: Connection) {
        if self.connections.remove(&connection.id).is_some() {
            self.facts.insert(connection.id, connection);
        }
    }

    /// Exchanges left out to stay under the caps on sessions and on exchanges of one.
    pub fn omitted(&self) -> u64 {
        self.omitted + self.open.iter().map(|open| open.omitted).sum::<u64>()
    }

    /// All sessions, in the order in which they began, and what servers answered to other requests.
    pub fn finish(self) -> (Vec<Session>, Web) {
        let Self { open, facts, web, .. } = self;
        let mut sessions: Vec<Session> = open.into_iter().filter_map(Open::into_session).collect();
        sessions.sort_by_key(|session| session.started);
        supersede(&mut sessions);
        sessions.iter_mut().for_each(|session| attach(session, &facts));
        (sessions, web)
    }

    fn request(&mut self, connection: &Connection, exchange: u32, span: Span, head: &Head<'_>) {
        let request = decode::request(head, span);
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
            request: Some(request),
            response: None,
            interim: Vec::new(),
            interim_at: None,
            stray: Vec::new(),
            inferred,
        };
        let last = self.connections.get(&connection.id).and_then(|channel| channel.last);
        let early = self.link(connection.id, exchange).map(|link| link.session);
        let session = match early {
            Some(session) => self.assign_early(&value, session),
            None => self.assign_request(&value, last),
        };
        let pipelined = self.has_unanswered_fragment(connection.id, session);
        if self.digest
            && start.is_some()
            && let Some(open) = self.open.get_mut(session)
        {
            open.digest.get_or_insert_default().begin(pipelined);
        }
        match early {
            Some(_) => self.complete(value, exchange, start),
            None => self.keep(session, value, exchange, start),
        }
    }

    /// Adds the request to an exchange whose response was seen first.
    fn complete(&mut self, value: Exchange, exchange: u32, start: Option<u64>) {
        let Some(link) = self.link(value.connection, exchange) else { return };
        link.start = start;
        let link = *link;
        let open = self.open.get_mut(link.session);
        let Some(known) = open.and_then(|open| open.exchanges.get_mut(link.index)) else { return };
        (known.kind, known.request, known.inferred) = (value.kind, value.request, value.inferred);
    }

    /// Whether a Fragment of the session waits for its answer on this connection.
    fn has_unanswered_fragment(&self, connection: u64, session: usize) -> bool {
        let Some(channel) = self.connections.get(&connection) else { return false };
        channel.exchanges.iter().any(|link| {
            let value = self.open.get(session).and_then(|open| open.exchanges.get(link.index));
            link.session == session
                && link.start.is_some()
                && value.is_some_and(|exchange| exchange.response.is_none())
        })
    }

    /// Adds an exchange to a session and remembers where it went.
    fn keep(&mut self, session: usize, value: Exchange, exchange: u32, start: Option<u64>) {
        let Some(open) = self.open.get_mut(session) else { return };
        let channel = self.connections.entry(value.connection).or_default();
        channel.last = Some(session);
        if open.exchanges.len() >= self.limits.exchanges_per_session {
            open.omitted += 1;
            return;
        }
        let index = open.exchanges.len();
        open.exchanges.push(value);
        channel.spoken = Some((exchange, session, index));
        if channel.exchanges.len() >= self.limits.pending_requests {
            channel.exchanges.remove(0);
        }
        channel.exchanges.push(Link { exchange, session, index, start, request_over: false });
    }

    fn response(&mut self, connection: &Connection, exchange: u32, span: Span, head: &Head<'_>) {
        let Start::Response { status, .. } = head.start else { return };
        if self.link(connection.id, exchange).is_none() {
            if !decode::is_bits(head) {
                self.web.answered(connection.server, status, span.first);
                self.answer_fetch(connection, exchange, status);
                return;
            }
            self.orphan(connection, exchange, span, head);
        }
        let Some(link) = self.link(connection.id, exchange).copied() else { return };
        let Some(open) = self.open.get_mut(link.session) else { return };
        let Some(value) = open.exchanges.get_mut(link.index) else { return };
        if (100..200).contains(&status) && status != 101 {
            value.interim.push(status);
            value.interim_at.get_or_insert(span.first.time);
            return;
        }
        let response = decode::response(head, span);
        if !response.is_success()
            && link.start.is_some()
            && let Some(digest) = &mut open.digest
        {
            digest.refuse();
        }
        let id = response.session_id.clone().filter(|id| !id.is_empty());
        let reply_url = response.reply_url.clone();
        value.response = Some(response);
        self.learn(link.session, id);
        if let Some(url) = reply_url {
            self.await_reply(&url, link.session);
        }
    }

    /// A response whose request the capture lacks.
    fn orphan(&mut self, connection: &Connection, exchange: u32, span: Span, head: &Head<'_>) {
        let response = decode::response(head, span);
        let value = Exchange {
            kind: PacketType::Unknown,
            connection: connection.id,
            client: connection.client,
            server: connection.server,
            tls: head.carrier.tls,
            request: None,
            response: Some(response),
            interim: Vec::new(),
            interim_at: None,
            stray: Vec::new(),
            inferred: true,
        };
        let last = self.connections.get(&connection.id).and_then(|channel| channel.last);
        let session = self.assign_orphan(&value, last);
        self.keep(session, value, exchange, None);
    }

    fn link(&mut self, connection: u64, exchange: u32) -> Option<&mut Link> {
        self.connections
            .get_mut(&connection)?
            .exchanges
            .iter_mut()
            .rev()
            .find(|link| link.exchange == exchange)
    }

    fn body(
        &mut self,
        connection: &Connection,
        exchange: u32,
        side: Side,
        at: At,
        offset: u64,
        bytes: &[u8],
    ) {
        let Some(link) = self.link(connection.id, exchange).copied() else { return };
        let Some(open) = self.open.get_mut(link.session) else { return };
        let Some(value) = open.exchanges.get_mut(link.index) else { return };
        match side {
            Side::Client => {
                let refused =
                    value.response.as_ref().is_some_and(|response| !response.is_success());
                let Some(request) = &mut value.request else { return };
                request.body.started.get_or_insert(at.time);
                if offset == 0 && link.start == Some(0) {
                    request.file_type = magic(bytes);
                }
                request.body.bytes += bytes.len() as u64;
                request.span.extend(at);
                if let (Some(start), Some(digest), false) = (link.start, &mut open.digest, refused)
                {
                    digest.data(start.saturating_add(offset), bytes);
                }
            }
            Side::Server => {
                let Some(response) = &mut value.response else { return };
                response.body.started.get_or_insert(at.time);
                response.body.bytes += bytes.len() as u64;
                let room = BODY_START.saturating_sub(response.body_start.len()).min(bytes.len());
                response.body_start.push_str(&decode::text(bytes.get(..room).unwrap_or_default()));
            }
        }
    }

    fn gap(&mut self, connection: &Connection, exchange: u32, side: Side, offset: u64, len: u64) {
        if let Some(body) = self.body_of(connection, exchange, side) {
            add_hole(body, offset, len);
        }
    }

    fn stray(&mut self, connection: &Connection, side: Side, at: At, len: u64, after: Option<u32>) {
        let Some(place) = self.connections.get(&connection.id).and_then(|channel| channel.spoken)
        else {
            return;
        };
        let (number, session, index) = place;
        if after != Some(number) {
            return;
        }
        let value = self.open.get_mut(session).and_then(|open| open.exchanges.get_mut(index));
        if let Some(value) = value.filter(|value| value.stray.len() < STRAYS) {
            value.stray.push(Stray { side, frame: at.frame, bytes: len });
        }
    }

    fn body_of(&mut self, connection: &Connection, exchange: u32, side: Side) -> Option<&mut Body> {
        let link = *self.link(connection.id, exchange)?;
        let value = self.open.get_mut(link.session)?.exchanges.get_mut(link.index)?;
        match side {
            Side::Client => value.request.as_mut().map(|request| &mut request.body),
            Side::Server => value.response.as_mut().map(|response| &mut response.body),
        }
    }

    fn end(
        &mut self,
        connection: &Connection,
        exchange: u32,
        side: Side,
        span: Span,
        why: http::End,
        observer: &mut impl Observer,
    ) {
        if let Some(body) = self.body_of(connection, exchange, side) {
            body.complete = why == http::End::Complete;
            body.reset = why == http::End::Reset;
        }
        let Some(link) = self.link(connection.id, exchange) else { return };
        let was_over = link.request_over;
        link.request_over |= side == Side::Client;
        let link = *link;
        let Some(value) =
            self.open.get_mut(link.session).and_then(|open| open.exchanges.get_mut(link.index))
        else {
            return;
        };
        match side {
            Side::Client => value.request.iter_mut().for_each(|request| request.span.cover(span)),
            Side::Server => value.response.iter_mut().for_each(|response| {
                response.span.cover(span);
                response.answered_by = Some(Origin::of_response(response));
            }),
        }
        if side == Side::Server && value.response.is_some() {
            observer.exchange(value);
            // Without its request it is kept: that may be held for want of an earlier segment.
            if was_over && let Some(channel) = self.connections.get_mut(&connection.id) {
                channel.exchanges.retain(|other| other.exchange != exchange);
            }
        }
    }
}

/// What a file is by its first bytes.
fn magic(bytes: &[u8]) -> Option<String> {
    infer::get(bytes).map(|kind| kind.mime_type().to_owned())
}

fn add_hole(body: &mut Body, offset: u64, len: u64) {
    body.bytes = body.bytes.saturating_add(len);
    let full = body.holes.len() >= HOLES;
    match body.holes.last_mut() {
        Some(last) if full || last.offset + last.bytes == offset => {
            last.bytes = offset.saturating_add(len).saturating_sub(last.offset);
        }
        _ => body.holes.push(Hole { offset, bytes: len }),
    }
}

/// Gives a session the facts of its connections.
fn attach(session: &mut Session, facts: &HashMap<u64, Connection, RandomState>) {
    let mut ids: Vec<u64> = session.exchanges.iter().map(|exchange| exchange.connection).collect();
    ids.sort_unstable();
    ids.dedup();
    session.connections = ids.iter().filter_map(|id| facts.get(id).cloned()).collect();
}

/// Links a session that was lost to the one that carries the same upload on ([MC-BUP] 3.1.5.2.1).
fn supersede(sessions: &mut [Session]) {
    use crate::model::Outcome;
    let mut newest: HashMap<_, String> = HashMap::new();
    for session in sessions.iter_mut().rev() {
        let Some(url) = session.url.clone() else { continue };
        let key = (session.client.address, url);
        if session.outcome == Outcome::Failed {
            session.superseded_by = newest.get(&key).cloned();
        }
        if let Some(id) = &session.id {
            newest.insert(key, id.clone());
        }
    }
}

impl Open {
    fn into_session(mut self) -> Option<Session> {
        // Responses that were not seen to end have not been judged yet.
        for response in self.exchanges.iter_mut().filter_map(|exchange| exchange.response.as_mut())
        {
            response.answered_by = Some(Origin::of_response(response));
        }
        let size = self
            .exchanges
            .iter()
            .find_map(|exchange| exchange.request.as_ref()?.content_range.as_ref()?.total);
        let sha256 =
            size.and_then(|size| self.digest.and_then(|digest: FileDigest| digest.finish(size)));
        let mut session = fold(self.exchanges, sha256)?;
        session.exchanges_omitted = self.omitted;
        session.reply = self.reply;
        Some(session)
    }
}
