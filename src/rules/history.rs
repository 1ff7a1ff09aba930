//! What is remembered of sessions for those that follow.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

use hashbrown::HashMap;

use crate::at::{At, Span, Timestamp};
use crate::bits::protocol::{canonical_id, is_unique};
use crate::model::{Exchange, Outcome, Session, Text, url};
use crate::rules::{look, lost, offsets, relay, retry};
use crate::stream::{Connection, vain};

/// Sessions remembered for those that follow. One costs about 1 kB.
const REMEMBERED: usize = 2_048;

/// Sessions remembered with one URL, server or id, the latest ones.
const ALIKE: usize = 256;

/// What is remembered of a session.
#[derive(Clone, Debug, PartialEq)]
pub struct Brief {
    /// Who uploaded.
    pub client: IpAddr,
    /// The port of that in its first exchange.
    pub port: Option<u16>,
    /// Where the session was created.
    pub server: SocketAddr,
    /// Its URL.
    pub url: Option<Text>,
    /// Its id as written.
    pub id: Option<Text>,
    /// Its id in the form to compare.
    canonical: Option<Text>,
    /// Its Create-Session was answered with success.
    pub created: bool,
    /// The answer to that never reached the client.
    pub unheard: bool,
    /// Nothing of it escaped the capture.
    pub whole: bool,
    /// How it ended.
    pub outcome: Outcome,
    /// Status of the error it ended on.
    pub http_status: Option<u16>,
    /// The server no longer knew it.
    pub lost: bool,
    /// An offset that the server had confirmed was taken back.
    pub went_back: bool,
    /// Length of the file.
    pub total: Option<u64>,
    /// Bytes sent, repeats included.
    pub sent: u64,
    /// How far the server confirmed the file.
    pub acknowledged: u64,
    /// The highest offset that an answer named as the next one.
    pub named: u64,
    /// Its first frame.
    pub first: At,
    /// Its last frame.
    pub last: At,
    /// When the client had its last answer, or gave it up, as far as the capture shows.
    pub over: Option<Timestamp>,
    /// `Server` of the answer to its Create-Session.
    pub software: Option<Text>,
    /// `User-Agent` of its client.
    pub agent: Option<Text>,
    /// A reply was offered.
    pub replied: bool,
    /// Its first large Fragments.
    pub passed: Vec<Passed>,
    /// Where it was lost to another server.
    pub moved: Option<Box<Moved>>,
    /// What its first request names; `None` where the capture lacks some of the head.
    pub names: Option<Names>,
}

/// Which of the fields that a Create-Session needs are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Names {
    /// `BITS-Packet-Type`.
    pub kind: bool,
    /// `BITS-Supported-Protocols`.
    pub protocols: bool,
}

impl Names {
    /// The fields that a request has; `None` where the capture lacks some of its head.
    pub fn of(exchange: &Exchange) -> Option<Self> {
        let request = look::whole_request(exchange)?;
        let (kind, protocols) = (&request.packet_type, &request.supported_protocols);
        Some(Self { kind: kind.is_some(), protocols: protocols.is_some() })
    }

    /// The first one that is here and not there.
    pub fn beyond(self, other: Self) -> Option<&'static str> {
        match (self.kind && !other.kind, self.protocols && !other.protocols) {
            (true, _) => Some("BITS-Packet-Type"),
            (_, true) => Some("BITS-Supported-Protocols"),
            _ => None,
        }
    }
}

/// A session that was made at one server, and asked for at another that did not know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Who made it, and when.
    pub made: (SocketAddr, Span),
    /// Who did not know it, and when.
    pub lost: (SocketAddr, Span),
}

impl Moved {
    /// The move of a session, unless proxies were asked: of those there may be several.
    fn of(session: &Session) -> Option<Self> {
        let lost = session.exchanges.iter().find(|exchange| exchange.says_lost())?;
        let made = lost::maker(session, lost)?;
        let direct = !made.is_by_proxy() && !lost.is_by_proxy() && made.server != lost.server;
        let place = |exchange: &Exchange| (exchange.server, exchange.span());
        direct.then(|| Self { made: place(made), lost: place(lost) })
    }
}

/// When a large Fragment went by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passed {
    /// Its first byte.
    pub start: u64,
    /// Its last byte.
    pub end: u64,
    /// The frames of the request.
    pub span: Span,
}

/// Fragments shorter than this fit into any buffer, in bytes.
const LARGE: u64 = 65_536;

/// Large Fragments remembered of a session.
const FRAGMENTS: usize = 4;

impl Passed {
    /// The first large Fragments of a session.
    pub fn all(session: &Session) -> Vec<Self> {
        let large = session.exchanges.iter().filter_map(|exchange| {
            let range = look::range(exchange).filter(|range| range.len() >= Some(LARGE))?;
            let span = exchange.request.as_ref()?.span;
            Some(Self { start: range.start?, end: range.end?, span })
        });
        large.take(FRAGMENTS).collect()
    }
}

/// Whether the client never acknowledged the answer that made a session, the `last` thing seen of it, though the server
/// repeated that.
pub fn is_unheard<'c>(
    last: Option<&Exchange>,
    connection: impl Fn(u64) -> Option<&'c Connection>,
) -> bool {
    let Some(made) = last.filter(|last| look::creates(last)) else { return false };
    let connection = connection(made.connection).filter(|one| vain::answers(one));
    let since = connection.and_then(|connection| connection.server_side.waits);
    made.response.as_ref().zip(since).is_some_and(|(answer, since)| answer.span.has(since))
}

/// The id of a session in the form to compare.
pub fn canonical(session: &Session) -> Option<Text> {
    session.id.as_deref().map(|id| canonical_id(id).into())
}

impl Brief {
    /// What there is to remember; `None` for a session without exchanges.
    pub fn of(session: &Session, canonical: Option<Text>) -> Option<Self> {
        let span = session.span()?;
        let answers = || session.exchanges.iter().filter_map(|exchange| exchange.response.as_ref());
        Some(Self {
            client: session.client.address,
            port: session.exchanges.first().map(|exchange| exchange.client.port()),
            server: session.server.socket(),
            url: session.url.clone(),
            id: session.id.clone(),
            canonical,
            created: session.exchanges.iter().any(look::creates),
            unheard: is_unheard(session.exchanges.last(), |id| session.connection(id)),
            whole: session.is_whole(),
            outcome: session.outcome,
            http_status: session.error.as_ref().map(|error| error.http_status),
            lost: session.exchanges.iter().any(Exchange::says_lost),
            went_back: offsets::steps_back(session).next().is_some(),
            total: session.bytes_total,
            sent: session.bytes_sent,
            acknowledged: session.bytes_acknowledged,
            named: answers().filter_map(|answer| answer.next_offset).max().unwrap_or(0),
            first: span.first,
            last: span.last,
            over: session.exchanges.last().and_then(|last| retry::end(session, last)),
            software: answers().find_map(|answer| answer.server.clone()),
            agent: session.user_agent.clone(),
            replied: session.reply_url.is_some(),
            passed: Passed::all(session),
            moved: Moved::of(session).map(Box::new),
            names: session.exchanges.first().and_then(Names::of),
        })
    }

    /// Its id in the form to compare.
    pub fn canonical_id(&self) -> Option<Text> {
        self.canonical.clone()
    }

    /// Whether its id in the form to compare is this one.
    pub fn has_id(&self, id: &Text) -> bool {
        self.canonical.as_ref() == Some(id)
    }

    /// Whether it may be the other leg of an upload between two other hosts, by the id of that in the form to compare.
    /// One that is not unique tells where one host is an end of both.
    pub fn is_other_leg(&self, ends: (IpAddr, SocketAddr), id: Option<&Text>) -> bool {
        let (client, server) = ends;
        let apart = self.client != client && self.server != server;
        let joint = self.server.ip() == client || server.ip() == self.client;
        apart && id.is_some_and(|id| self.has_id(id) && (joint || is_unique(id)))
    }

    /// Whether `other`, which is remembered as well, is another leg of the same upload.
    pub fn is_other_leg_of(&self, other: &Self) -> bool {
        self.is_other_leg((other.client, other.server), other.canonical.as_ref())
    }

    /// Whether its URL has the path of this one.
    pub fn has_path(&self, url: Option<&str>) -> bool {
        self.url.as_deref().map(url::path_within) == url.map(url::path_within)
    }

    /// All its frames.
    pub const fn span(&self) -> Span {
        Span { first: self.first, last: self.last }
    }

    /// Whether its first frame came in the time of others.
    pub fn begins_within(&self, span: Span) -> bool {
        self.first.time >= span.first.time && self.first.time <= span.last.time
    }

    /// Whether it began before others and ended after them.
    pub fn lasts_over(&self, span: Span) -> bool {
        self.first.time <= span.first.time && self.last.time >= span.last.time
    }

    /// Whether the server still holds it, as far as the capture shows.
    pub const fn is_open(&self) -> bool {
        !self.lost && self.outcome.leaves_open()
    }
}

/// The latest sessions, found by what they have in common.
#[derive(Debug, Default)]
pub struct History {
    briefs: VecDeque<Brief>,
    /// How many were forgotten: the number of the first one kept.
    first: u64,
    places: HashMap<Key, VecDeque<u64>>,
}

/// What sessions have in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Upload(IpAddr, Text),
    /// The path of the URL alone, for what a proxy passes on.
    Path(Text),
    Server(SocketAddr),
    Id(SocketAddr, Text),
    /// The id alone, for the same.
    Leg(Text),
}

impl Key {
    /// The key of the path of a URL.
    pub fn path(url: Option<&str>) -> Option<Self> {
        url.map(|url| Self::Path(url::path_within(url).into()))
    }

    fn all(brief: &Brief) -> [Option<Self>; 5] {
        let upload = brief.url.clone().map(|url| Self::Upload(brief.client, url));
        let path = Self::path(brief.url.as_deref());
        let id = brief.canonical.clone().map(|id| Self::Id(brief.server, id));
        let leg = brief.canonical.clone().filter(|id| is_unique(id)).map(Self::Leg);
        [upload, path, Some(Self::Server(brief.server)), id, leg]
    }
}

impl History {
    /// Remembers a session with this canonical id.
    pub fn add(&mut self, session: &Session, id: Option<Text>) {
        let Some(brief) = Brief::of(session, id) else { return };
        if self.briefs.len() >= REMEMBERED {
            self.forget();
        }
        let number = self.first + self.briefs.len() as u64;
        for key in Key::all(&brief).into_iter().flatten() {
            let places = self.places.entry(key).or_default();
            if places.len() >= ALIKE {
                places.pop_front();
            }
            places.push_back(number);
        }
        self.briefs.push_back(brief);
    }

    fn forget(&mut self) {
        let Some(brief) = self.briefs.pop_front() else { return };
        for key in Key::all(&brief).into_iter().flatten() {
            let Some(places) = self.places.get_mut(&key) else { continue };
            if places.front() == Some(&self.first) {
                places.pop_front();
            }
            if places.is_empty() {
                self.places.remove(&key);
            }
        }
        self.first += 1;
    }

    /// The sessions of the client of one with its URL that ended before it, by their ends, each once where it was
    /// captured on both sides of a proxy; `open` are those of them that may still go on.
    pub fn uploads<'h>(&'h self, session: &Session, open: &'h [Brief]) -> Vec<&'h Brief> {
        let url = session.url.clone();
        let key = url.map(|url| Key::Upload(session.client.address, url));
        let all = self.with(key).chain(open);
        let mut earlier: Vec<_> = all.filter(|brief| brief.last.time <= session.ended).collect();
        relay::leave_one_leg(&mut earlier, session);
        earlier.sort_by_key(|brief| brief.last.time);
        earlier
    }

    pub(super) fn with<'h>(
        &'h self,
        key: Option<Key>,
    ) -> impl DoubleEndedIterator<Item = &'h Brief> + use<'h> {
        let places = key.and_then(|key| self.places.get(&key)).into_iter().flatten();
        places.filter_map(|number| {
            self.briefs.get(usize::try_from(number.checked_sub(self.first)?).ok()?)
        })
    }
}
