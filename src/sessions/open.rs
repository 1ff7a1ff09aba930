//! An upload under way.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::asked::Written;
use super::place::Aim;
use crate::at::{At, Timestamp};
use crate::bits::PacketType;
use crate::model::exchange::Exchange;
use crate::model::fold::{fold, length};
use crate::model::order::put_in_order;
use crate::model::session::Reply;
use crate::model::{Outcome, Response, Session, Text, unseen_close};
use crate::observe::digest::FileDigest;
use crate::observe::hashing::Pool;
use crate::rules::history::{Brief, canonical, is_unheard};
use crate::rules::origin;
use crate::stream::Connection;

/// Stands for a session, by order of appearance. Never used twice: what still refers to a forgotten session finds
/// nothing.
pub(super) type Number = u64;

/// An upload with fewer exchanges is gone through again after each frame of it, where another session asks what it
/// looks like. Of one with n times as many, that may be n of its frames old, unless it has ended since.
const FOLDED: usize = 1_024;

/// What an upload looks like from another session, and when.
struct Seen {
    touched: u64,
    ended: [bool; 3],
    brief: Box<Brief>,
}

/// An upload under way.
pub(super) struct Open {
    pub exchanges: Vec<Exchange>,
    pub digest: Option<Box<FileDigest>>,
    /// Exchanges left out to stay within the limits.
    pub omitted: u64,
    /// Bytes that its exchanges take, about.
    pub weight: u64,
    pub reply: Option<Reply>,
    /// Whose it is.
    pub client: IpAddr,
    /// Its connections that may go on.
    pub live: Vec<u64>,
    /// Of these, the last one of which a side has ended.
    pub ended: Option<u64>,
    /// Those that are over.
    pub connections: Vec<Arc<Connection>>,
    /// The last frame that spoke of it.
    pub last: At,
    /// Its places in the queues of the shelf.
    pub queued: u64,
    pub waiting: Option<u64>,
    /// How many frames spoke of it.
    touched: u64,
    seen: Option<Seen>,
    /// It is an answer that may belong to several sessions.
    pub unclear: bool,
    /// Requests of it may be missing ahead of its next one.
    pub behind_hole: bool,
    /// The last connection that lacks a request behind the last answer on it, by what the server had when it gave that.
    pub asked_on: Option<u64>,
    /// How many holes there were when it last asked: its connections tell of those that came later.
    pub holes: u64,
    /// Canonical id, once known.
    pub id: Option<Text>,
    /// The session that carries the same upload on: the first one after this, and its id as written.
    pub successor: Option<(Number, Text)>,
    /// Close or Cancel succeeded.
    over: bool,
    /// There was nothing left to cancel ([MC-BUP] 3.1.5.2.1).
    gone: bool,
    /// The server no longer knew it.
    lost: bool,
    /// A message was seen that only a session that exists gets.
    begun: bool,
    /// A Create succeeded.
    created: bool,
    /// There is a Create among its exchanges.
    tried: bool,
    /// What the last request wrote of the place of the upload: the same again says nothing new.
    pub written: Option<Written>,
    pub path: Option<Text>,
    pub url: Option<Text>,
    /// Hosts that the client named, in lower case.
    pub hosts: Vec<Text>,
    /// Those that the server told it to use, without what differs from how a client writes them.
    pub nodes: Vec<Text>,
    pub peers: Vec<(SocketAddr, SocketAddr)>,
}

impl Open {
    pub fn new(client: IpAddr, at: At) -> Self {
        Self {
            exchanges: Vec::new(),
            digest: None,
            omitted: 0,
            weight: 0,
            reply: None,
            client,
            live: Vec::new(),
            ended: None,
            connections: Vec::new(),
            last: at,
            queued: at.frame,
            waiting: None,
            touched: 0,
            seen: None,
            unclear: false,
            behind_hole: false,
            asked_on: None,
            holes: 0,
            id: None,
            successor: None,
            over: false,
            gone: false,
            lost: false,
            begun: false,
            created: false,
            tried: false,
            written: None,
            path: None,
            url: None,
            hosts: Vec::new(),
            nodes: Vec::new(),
            peers: Vec::new(),
        }
    }

    /// A message spoke of it.
    pub fn touch(&mut self, at: At) {
        if at.frame > self.last.frame {
            self.last = at;
            self.touched += 1;
        }
    }

    /// Takes an exchange; its place among them.
    pub fn keep(&mut self, exchange: Exchange) -> usize {
        self.note(&exchange.kind);
        if self.exchanges.len() == 1 {
            // An upload has three at least.
            self.exchanges.reserve_exact(2);
        }
        self.exchanges.push(exchange);
        self.exchanges.len() - 1
    }

    /// Takes the request of an exchange whose response was seen first.
    pub fn ask(&mut self, index: usize, exchange: Exchange) {
        self.note(&exchange.kind);
        let Some(known) = self.exchanges.get_mut(index) else { return };
        (known.kind, known.request, known.inferred) =
            (exchange.kind, exchange.request, exchange.inferred);
        known.number = exchange.number;
        if let Some(response) = known.response.take() {
            self.answer(index, response);
        }
    }

    fn note(&mut self, kind: &PacketType) {
        self.begun |=
            !matches!(kind, PacketType::CreateSession | PacketType::Ping | PacketType::Unknown);
        self.tried |= *kind == PacketType::CreateSession;
    }

    /// Takes the response to one of its requests.
    pub fn answer(&mut self, index: usize, response: Response) {
        if let Some(host) = &response.host_id {
            self.add_node(host);
        }
        let Some(exchange) = self.exchanges.get_mut(index) else { return };
        let unknown = response.says_lost();
        let cancel = exchange.kind == PacketType::CancelSession;
        let ends = cancel || exchange.kind == PacketType::CloseSession;
        let create = exchange.kind == PacketType::CreateSession;
        self.created |= create && response.is_success();
        self.over |= ends && response.is_success();
        self.gone |= cancel && unknown;
        self.lost |= unknown;
        exchange.response = Some(response);
    }

    /// Requests of it may be missing ahead of the first one after a frame.
    pub fn note_hole_before(&mut self, frame: u64) {
        // From the end: where little or nothing follows, that is soon known, however many exchanges there are.
        let requests =
            self.exchanges.iter_mut().rev().filter_map(|exchange| exchange.request.as_mut());
        match requests.take_while(|request| request.span.first.frame > frame).last() {
            Some(request) => request.rare.edit().after_gap = true,
            None => self.behind_hole = true,
        }
    }

    /// Close or Cancel succeeded.
    pub const fn is_over(&self) -> bool {
        self.over
    }

    /// Nothing more is to come but repeats: it is closed or cancelled, or lost and the upload goes on in another
    /// session ([MC-BUP] 3.1.5.1.7).
    pub const fn is_finished(&self) -> bool {
        self.over || self.gone || self.lost && self.successor.is_some()
    }

    /// Takes note of a later session of its client.
    pub fn followed_by(&mut self, number: Number, id: &str, aim: &Aim) {
        let closer = self.successor.as_ref().is_none_or(|(known, _)| number < *known);
        if closer && self.has_aim(aim) {
            self.successor = Some((number, id.into()));
        }
    }

    /// Time of its last frame.
    pub fn ended(&self) -> Timestamp {
        Exchange::span_of(&self.exchanges).unwrap_or_default().last.time
    }

    /// The frame that it was first seen in.
    pub fn began(&self) -> Option<u64> {
        self.exchanges.first().map(|exchange| exchange.span().first.frame)
    }

    /// An Ack without its request opened it.
    pub fn is_headless(&self) -> bool {
        self.id.is_none() && self.path.is_none()
    }

    /// When it was opened, where an answer without its request did that.
    pub fn opened_unasked(&self) -> Option<Timestamp> {
        let first = self.exchanges.first().filter(|first| first.opens_without_request());
        first.map(|first| first.span().first.time)
    }

    /// No session id was agreed on: only Pings, and Creates without success.
    pub const fn is_provisional(&self) -> bool {
        self.id.is_none() && !self.begun
    }

    pub const fn is_created(&self) -> bool {
        self.created
    }

    /// Nothing but Pings, and answers to what was lost: they belong to an upload that is not known yet.
    pub const fn is_preflight(&self) -> bool {
        self.is_provisional() && !self.tried
    }

    /// Whether a Create was sent.
    pub const fn has_create(&self) -> bool {
        self.tried
    }

    /// Whether a request was seen of it.
    pub const fn is_asked(&self) -> bool {
        self.path.is_some()
    }

    /// Takes exchanges away, by their places in order.
    pub fn release(&mut self, places: &[usize]) -> Vec<Exchange> {
        let first = places.first().copied().unwrap_or(self.exchanges.len());
        let (mut released, mut kept) = (Vec::new(), Vec::new());
        let rest = self.exchanges.drain(first.min(self.exchanges.len())..);
        for (place, exchange) in (first..).zip(rest) {
            match places.binary_search(&place) {
                Ok(_) => released.push(exchange),
                Err(_) => kept.push(exchange),
            }
        }
        self.exchanges.append(&mut kept);
        self.tried &= self.exchanges.iter().any(|one| one.kind == PacketType::CreateSession);
        released
    }

    /// What it looks like from another session.
    pub fn brief<'c>(&mut self, facts: impl Fn(u64) -> Option<&'c Connection>) -> Option<Brief> {
        let (touched, ended) = (self.touched, [self.over, self.gone, self.lost]);
        let good = (self.exchanges.len() / FOLDED) as u64;
        let is_good = |seen: &Seen| touched - seen.touched <= good && seen.ended == ended;
        if !self.seen.as_ref().is_some_and(is_good) {
            let session = fold(std::mem::take(&mut self.exchanges), None)?;
            let brief = Brief::of(&session, canonical(&session)).map(Box::new);
            self.exchanges = session.exchanges;
            self.seen = brief.map(|brief| Seen { touched, ended, brief });
        }
        let mut brief = (*self.seen.as_ref()?.brief).clone();
        let live = self.live.iter().filter_map(|id| facts(*id));
        let all = || self.connections.iter().map(Arc::as_ref).chain(live.clone());
        brief.whole &= all().all(Connection::is_whole);
        brief.unheard =
            is_unheard(self.exchanges.last(), |id| all().find(|connection| connection.id == id));
        Some(brief)
    }

    /// The session that it was at `now`, with the facts of those connections that go on. `None` without exchanges, and
    /// for nothing but Pings that found their host: those open none ([MC-BUP] 2.2.4).
    pub fn into_session<'c>(
        mut self,
        facts: impl Fn(u64) -> Option<&'c Connection>,
        hashing: &mut Pool,
        now: At,
    ) -> Option<Session> {
        if self.is_idle_talk() || self.unclear && self.is_preflight() {
            return None;
        }
        set_closes_right(&mut self.exchanges);
        put_in_order(&mut self.exchanges);
        // Responses that were not seen to end have not been judged yet.
        for exchange in &mut self.exchanges {
            origin::settle(exchange);
        }
        let sha256 = self.digest.and_then(|digest| digest.finish(hashing, length(&self.exchanges)));
        let mut session = fold(self.exchanges, sha256)?;
        session.exchanges_omitted = self.omitted;
        session.lacks_end = self.behind_hole;
        session.weight = self.weight;
        session.reply = self.reply;
        session.connections = self.connections;
        session.connections.reserve_exact(self.live.len());
        session
            .connections
            .extend(self.live.iter().filter_map(|id| facts(*id).cloned().map(Arc::new)));
        session.connections.sort_unstable_by_key(|connection| connection.id);
        session.tell_half_seen();
        session.tell_lacking_behind(self.asked_on);
        session.tell_undelivered();
        session.tell_capture_ended(now);
        if session.outcome == Outcome::Failed {
            session.superseded_by = self.successor.map(|(_, id)| id);
        }
        Some(session)
    }
}

/// A Fragment is answered with how many bytes there are, a Close is not ([MC-BUP] 2.2.7.2, 2.2.9): where it looks so,
/// and an answer without its request came behind on the connection that counts none, that is the answer to the Close.
fn set_closes_right(exchanges: &mut [Exchange]) {
    let counts = |answer: &Response| answer.accepts() && answer.next_offset.is_some();
    let is_so = |exchange: &Exchange| {
        exchange.kind == PacketType::CloseSession && exchange.response.as_ref().is_some_and(counts)
    };
    let Some(close) = exchanges.iter().position(is_so) else { return };
    let (until, behind) = exchanges.split_at_mut(close + 1);
    let Some(close) = until.last_mut() else { return };
    let is_its_ack = |exchange: &&mut Exchange| {
        exchange.connection == close.connection && unseen_close::may_be_ack(exchange)
    };
    if let Some(other) = behind.iter_mut().find(is_its_ack) {
        std::mem::swap(&mut close.response, &mut other.response);
    }
}
