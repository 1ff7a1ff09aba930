//! Which exchange belongs to which upload ([MC-BUP] ties some by id, others only by order, client and URL).

mod asked;
mod assign;
mod beginning;
mod bodies;
mod course;
mod early;
mod graves;
mod heads;
mod holes;
mod moves;
mod notifications;
mod open;
mod orphans;
mod place;
mod replies;
mod shelf;
#[cfg(test)]
mod tests;
mod tunnels;
mod web;

use hashbrown::HashMap;
use std::sync::Arc;

use crate::at::{At, Span};
use crate::bits::decode;
use crate::bits::secrets::Secrets;
use crate::bits::words::Words;
use crate::http::{Event, Head};
use crate::limits::Limits;
use crate::model::{Exchange, Notifications, RefusedTunnel, Session};
use crate::observe::Observer;
use crate::observe::hashing::Pool;
use crate::rules::history::{Brief, canonical};
use crate::rules::stripped::may_lack_fields;
use crate::stream::{Connection, Side};

use beginning::Beginning;
use early::EarlyAnswers;
use holes::Holes;
use notifications::Notified;
use open::Number;
use orphans::Strays;
use replies::Replies;
use shelf::Shelf;
use tunnels::Tunnels;

pub use web::{Directory, Web};

/// Puts uploads together from HTTP events.
pub struct Sessions {
    open: Shelf,
    connections: HashMap<u64, Channel>,
    /// Where the last bytes of a body went: most that follow go there too.
    last: Option<(u64, Link)>,
    replies: Replies,
    early: EarlyAnswers,
    strays: Strays,
    holes: Holes,
    /// Requests so far that others may be missing ahead of.
    holed: u64,
    web: Web,
    notifications: Notified,
    tunnels: Tunnels,
    late: u64,
    digest: bool,
    hashing: Pool,
    secrets: Secrets,
    words: Words,
    limits: Limits,
    /// Exchanges beyond the cap of their session, or that on all.
    omitted: u64,
    /// Bytes of all exchanges that are kept, about.
    weight: u64,
    beheaded: Option<(u64, Span)>,
}

/// What an exchange takes beside its texts, in bytes.
const EXCHANGE: u64 = 1_000;

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
    /// How far the server had the requests when it last answered a known one; 0 where that is not known.
    acked: u64,
    /// Which hole was the last that requests may be missing in; 0 for none.
    hole: u64,
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

/// The head of a message, and where it came.
struct Message<'a> {
    connection: &'a Connection,
    /// The number of its exchange there.
    exchange: u32,
    /// The frames of the head.
    span: Span,
    head: &'a Head<'a>,
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
    /// Its answer was over before its request was.
    answer_over: bool,
}

impl Sessions {
    /// None yet. With `digest`, files are hashed as they pass.
    pub fn new(limits: Limits, digest: bool, secrets: Secrets) -> Self {
        Self {
            open: Shelf::new(limits.sessions),
            connections: HashMap::default(),
            last: None,
            replies: Replies::default(),
            early: EarlyAnswers::default(),
            strays: Strays::new(),
            holes: Holes::default(),
            holed: 0,
            web: Web::default(),
            notifications: Notified::default(),
            tunnels: Tunnels::default(),
            late: 0,
            digest,
            hashing: Pool::default(),
            secrets,
            words: Words::default(),
            limits,
            omitted: 0,
            weight: 0,
            beheaded: None,
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
            Event::Head { exchange, side, span, ref head } => {
                let message = &Message { connection, exchange, span, head };
                match side {
                    Side::Client if decode::is_bits(head) => self.request(message),
                    Side::Client => self.ordinary_request(message),
                    Side::Server => self.response(message),
                }
            }
            Event::Body { .. } => {}
            Event::Gap { exchange, side, offset, len, .. } => {
                self.gap(connection, exchange, side, offset, len)
            }
            Event::End { exchange, side, span, why } => {
                self.end(connection, exchange, side, span, why, observer);
            }
            Event::Unread { exchange, at, len, .. } => self.unread(connection, exchange, at, len),
            Event::Stray { side, at, len, after } => self.stray(connection, side, at, len, after),
        }
    }

    /// A connection is over: nothing more can be answered on it.
    pub fn closed(&mut self, connection: &Connection, observer: &mut impl Observer) {
        self.last = None;
        self.settle_early(connection, observer);
        self.note_lost_end(connection);
        self.tunnels.closed(connection);
        self.end_fetches(connection.id);
        let channel = self.connections.remove(&connection.id);
        self.note_holes(connection, channel.as_ref());
        let Some(channel) = channel else { return };
        let shared = Arc::new(connection.clone());
        for session in channel.sessions {
            if let Some(open) = self.open.get_mut(session) {
                open.live.retain(|id| *id != connection.id);
                open.behind_hole |= channel.hole > open.holes;
                if open.connections.is_empty() {
                    // Most sessions have but one.
                    open.connections.reserve_exact(1);
                }
                open.connections.push(Arc::clone(&shared));
            }
            self.open.settle(session);
        }
    }

    /// Exchanges left out to stay under the caps on those of one session and of all.
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
            let (number, mut open) = self.open.take_due(now)?;
            for id in &open.live {
                if let Some(channel) = self.connections.get_mut(id) {
                    channel.sessions.retain(|session| *session != number);
                    open.behind_hole |= channel.hole > open.holes;
                }
            }
            let weight = open.weight;
            match open.into_session(&facts, &mut self.hashing, now) {
                Some(mut session) => {
                    session.notifications = self.notifications.take(&session);
                    session.tell_lacking_beside(self.holes.beside(number, &session));
                    return Some(session);
                }
                None => self.release(weight),
            }
        }
        None
    }

    /// What was `weight` bytes is not kept any more.
    pub const fn release(&mut self, weight: u64) {
        self.weight = self.weight.saturating_sub(weight);
    }

    /// Takes into account the bytes that a session takes beside its exchanges, now that it is kept.
    pub const fn hold(&mut self, bytes: u64) {
        self.weight += bytes;
    }

    /// Takes into account what an exchange, or the other half of one, takes.
    fn weigh(&mut self, session: Number, bytes: u64) {
        if let Some(open) = self.open.get_mut(session) {
            open.weight += bytes;
            self.weight += bytes;
        }
    }

    /// Leaves another exchange out if it would be too much.
    const fn leaves_out(&mut self) -> bool {
        let full = self.weight >= self.limits.exchange_bytes;
        self.omitted += full as u64;
        full
    }

    /// The capture is over: makes every session [`due`](Self::due), those first that ended first.
    pub fn finish(&mut self) {
        self.open.end();
    }

    /// The sessions of the client of `session` with its URL that may still go on and were last seen before its end.
    /// `facts` lends those of connections that are not over.
    pub fn open_of<'c>(
        &mut self,
        session: &Session,
        facts: impl Fn(u64) -> Option<&'c Connection>,
    ) -> Vec<Brief> {
        let Some(url) = &session.url else { return Vec::new() };
        self.open.before(session.client.address, url, session.ended, &facts)
    }

    /// The sessions that may still go on and may be the other leg of `session`, or of one of `open`, through a proxy:
    /// those between other ends with the same id and, where something may have passed requests on without some of their
    /// fields, or their answers, those with its path that were last seen about its time.
    pub fn legs_of<'c>(
        &mut self,
        session: &Session,
        open: &[Brief],
        facts: impl Fn(u64) -> Option<&'c Connection>,
    ) -> Vec<Brief> {
        let ids = canonical(session).into_iter().chain(open.iter().filter_map(Brief::canonical_id));
        let ends = (session.client.address, session.server.socket());
        let mut legs = self.open.with_ids(ids, ends, &facts);
        let suspect = session.exchanges.iter().any(may_lack_fields);
        if let Some((url, span)) = session.url.as_ref().zip(session.span()).filter(|_| suspect) {
            legs.extend(self.open.about(span.first.frame, url, &facts));
        }
        legs
    }

    /// Tunnels for BITS that proxies refused to the end.
    pub fn refused_tunnels(&self) -> &[RefusedTunnel] {
        self.tunnels.refused()
    }

    /// How many requests with the verb of BITS are cut within their first line, and their frames.
    pub const fn beheaded(&self) -> Option<(u64, Span)> {
        self.beheaded
    }

    /// What servers answered to requests that are not BITS.
    pub const fn web(&self) -> &Web {
        &self.web
    }

    /// What servers told the applications behind them, in all.
    pub fn notifications(&self) -> Option<Notifications> {
        self.notifications.all()
    }

    /// Sessions given up early to stay under the cap.
    pub const fn forgotten(&self) -> u64 {
        self.open.forgotten()
    }

    /// Messages for sessions that were over and forgotten.
    pub const fn late(&self) -> u64 {
        self.late
    }

    /// The exchange at some place of a session.
    fn value(&self, session: Number, place: usize) -> Option<&Exchange> {
        self.open.get(session)?.exchanges.get(place)
    }

    fn link(&mut self, connection: u64, exchange: u32) -> Option<&mut Link> {
        self.connections.get_mut(&connection)?.link(exchange)
    }
}
