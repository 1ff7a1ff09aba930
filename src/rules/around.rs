//! What a capture shows around a session: earlier sessions, failed connections, other requests, how long it went on.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use crate::at::{At, Span};
use crate::bits::hresult::SESSION_NOT_FOUND;
use crate::bits::protocol::canonical_id;
use crate::model::tls::TlsConnections;
use crate::model::{
    Attempt, Exchange, Lookup, Outcome, Request, Session, Text, TlsConnection, url,
};
use crate::rules::hosts::bare;
use crate::rules::origin::{self, Origin};
use crate::rules::{front, look};
use crate::sessions::{Directory, Web};

/// Sessions remembered for those that follow. One costs about 1 kB.
const REMEMBERED: usize = 2_048;

/// Of these, the latest ones with one URL, server or id.
const ALIKE: usize = 256;

/// What is remembered of a session.
#[derive(Clone, Debug, PartialEq)]
pub struct Brief {
    /// Who uploaded.
    pub client: IpAddr,
    /// Where the session was created.
    pub server: SocketAddr,
    /// Its URL.
    pub url: Option<Text>,
    /// Its id as written.
    pub id: Option<Text>,
    /// The same in the form to compare.
    canonical: Option<Text>,
    /// Its Create-Session was answered with success.
    pub created: bool,
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
    /// `Server` of the answer to its Create-Session.
    pub software: Option<Text>,
    /// `User-Agent` of its client.
    pub agent: Option<Text>,
    /// A reply was offered.
    pub replied: bool,
    /// Its first large Fragments.
    pub passed: Vec<Passed>,
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

/// The id of a session in the form to compare.
pub fn canonical(session: &Session) -> Option<Text> {
    session.id.as_deref().map(|id| canonical_id(id).into())
}

impl Brief {
    /// What there is to remember; `None` for a session without exchanges.
    pub fn of(session: &Session, canonical: Option<Text>) -> Option<Self> {
        let span = session.span()?;
        let answers = || session.exchanges.iter().filter_map(|exchange| exchange.response.as_ref());
        let mut most = 0;
        let went_back = answers().filter_map(|answer| answer.next_offset).any(|next| {
            let back = next < most;
            most = most.max(next);
            back
        });
        Some(Self {
            client: session.client.address,
            server: session.server.socket(),
            url: session.url.clone(),
            id: session.id.clone(),
            canonical,
            created: session.exchanges.iter().any(look::creates),
            whole: session.is_whole(),
            outcome: session.outcome,
            http_status: session.error.as_ref().map(|error| error.http_status),
            lost: answers().any(|answer| answer.error_value() == Some(SESSION_NOT_FOUND)),
            went_back,
            total: session.bytes_total,
            sent: session.bytes_sent,
            acknowledged: session.bytes_acknowledged,
            named: most,
            first: span.first,
            last: span.last,
            software: answers().find_map(|answer| answer.server.clone()),
            agent: session.user_agent.clone(),
            replied: session.reply_url.is_some(),
            passed: Passed::all(session),
        })
    }

    /// All its frames.
    pub const fn span(&self) -> Span {
        Span { first: self.first, last: self.last }
    }

    /// Neither closed nor cancelled, nor known to be lost: the server still holds it.
    pub const fn is_open(&self) -> bool {
        !self.lost
            && !matches!(self.outcome, Outcome::Completed | Outcome::Cancelled | Outcome::Rejected)
    }
}

/// The latest sessions, found by what they have in common.
#[derive(Debug, Default)]
pub struct History {
    briefs: VecDeque<Brief>,
    /// How many were forgotten: the number of the first one kept.
    first: u64,
    places: HashMap<Key, VecDeque<u64>, RandomState>,
}

/// What sessions have in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Upload(IpAddr, Text),
    Server(SocketAddr),
    Id(SocketAddr, Text),
    /// The id alone, for what a proxy passes on.
    Leg(Text),
}

impl Key {
    fn all(brief: &Brief) -> [Option<Self>; 4] {
        let upload = brief.url.clone().map(|url| Self::Upload(brief.client, url));
        let id = brief.canonical.clone().map(|id| Self::Id(brief.server, id));
        let large = brief.canonical.clone().filter(|_| !brief.passed.is_empty());
        let leg = large.map(Self::Leg);
        [upload, Some(Self::Server(brief.server)), id, leg]
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

    /// The sessions of the client of one with its URL that ended before it, by their ends; `open` are those of them that
    /// may still go on.
    pub fn uploads<'h>(&'h self, session: &Session, open: &'h [Brief]) -> Vec<&'h Brief> {
        let url = session.url.clone();
        let key = url.map(|url| Key::Upload(session.client.address, url));
        let all = self.with(key).chain(open);
        let mut earlier: Vec<_> = all.filter(|brief| brief.last.time <= session.ended).collect();
        earlier.sort_by_key(|brief| brief.last.time);
        earlier
    }

    fn with<'h>(
        &'h self,
        key: Option<Key>,
    ) -> impl DoubleEndedIterator<Item = &'h Brief> + use<'h> {
        let places = key.and_then(|key| self.places.get(&key)).into_iter().flatten();
        places.filter_map(|number| {
            self.briefs.get(usize::try_from(number.checked_sub(self.first)?).ok()?)
        })
    }
}

/// What a rule may know beyond the session it judges. Other sessions are those that ended before it.
#[derive(Clone, Copy, Debug)]
pub struct Around<'a> {
    /// Earlier sessions.
    pub(super) history: &'a History,
    /// Earlier ones of the same client with the same URL, be they over or not, by their ends.
    pub(super) uploads: &'a [&'a Brief],
    /// Those with its URL whose client is its server, that may still go on.
    pub(super) behind: &'a [Brief],
    /// The canonical id of the session that is judged.
    pub(super) id: Option<&'a Text>,
    /// Connections that never came about, so far.
    pub attempts: &'a [Attempt],
    /// Names that could not be resolved, so far.
    pub lookups: &'a [Lookup],
    /// Connections with TLS that are over.
    pub tls: &'a TlsConnections,
    /// Handshakes that failed and were for this session.
    pub(super) handshakes: &'a [&'a TlsConnection],
    /// What servers answered to other requests.
    pub(super) web: &'a Web,
    /// The host and port that its URL names.
    pub host: Option<(&'a str, Option<u16>)>,
    /// The last frame read.
    pub end: At,
}

impl<'a> Around<'a> {
    /// Earlier sessions of the same client with the same URL, the one that ended first in front, be they over or not.
    pub fn same_upload(&self) -> impl DoubleEndedIterator<Item = &'a Brief> + use<'a> {
        self.uploads.iter().copied()
    }

    /// Earlier sessions that were created at the same server, the oldest first.
    pub fn same_server(
        &self,
        session: &Session,
    ) -> impl DoubleEndedIterator<Item = &'a Brief> + use<'a> {
        let server = session.server.socket();
        self.history.with(Some(Key::Server(server)))
    }

    /// Sessions with the same URL that the session's server opened, as a client, while it was asked: the leg behind a proxy.
    pub fn opened_behind(&self, session: &Session) -> impl Iterator<Item = &'a Brief> + use<'a> {
        let proxy = session.server.address;
        let key = session.url.clone().map(|url| Key::Upload(proxy, url));
        let (started, ended) = (session.started, session.ended);
        self.history.with(key).chain(self.behind).filter(move |brief| {
            brief.created && brief.first.time >= started && brief.first.time <= ended
        })
    }

    /// Earlier sessions with the same id on the same server, the oldest first.
    pub fn same_id(
        &self,
        session: &Session,
    ) -> impl DoubleEndedIterator<Item = &'a Brief> + use<'a> {
        let server = session.server.socket();
        self.history.with(self.id.map(|id| Key::Id(server, id.clone())))
    }

    /// Whether BITS took another upload into the same virtual directory before.
    pub fn takes_uploads(&self, session: &Session) -> bool {
        let directory = session.url.as_deref().and_then(look::virtual_directory);
        directory.is_some()
            && self.same_server(session).any(|brief| {
                let other = brief.url.as_deref().and_then(look::virtual_directory);
                brief.created && other == directory
            })
    }

    /// Earlier sessions with the same id and large Fragments, between whatever hosts.
    pub fn other_legs(&self) -> impl Iterator<Item = &'a Brief> + use<'a> {
        self.history.with(self.id.cloned().map(Key::Leg))
    }

    /// Failed attempts of the session's client to reach a server that it also uploads to, in the time of the session or
    /// after it.
    pub fn attempts_of(&self, session: &Session) -> impl Iterator<Item = &'a Attempt> {
        let host = session.host_id.as_deref().and_then(|host| host.parse::<IpAddr>().ok());
        let host = host.map(|host| SocketAddr::new(host, session.server.port));
        let went_to = move |server: SocketAddr| {
            host == Some(server)
                || session.exchanges.iter().any(|exchange| exchange.server == server)
        };
        self.attempts.iter().filter(move |attempt| {
            attempt.client == session.client.address
                && attempt.last.time >= session.started
                && went_to(attempt.server)
        })
    }

    /// Who answered an exchange, in view of what the same address answered to ordinary requests, and of what answered
    /// before on the same connection.
    pub fn origin(&self, session: &Session, exchange: &Exchange) -> Origin {
        let hidden =
            self.named_elsewhere(exchange).is_some() || front::is_between(session, exchange);
        if hidden { Origin::Proxy } else { Origin::of(exchange) }
    }

    /// The same, with the name that it gives itself; `None` without an answer.
    pub fn told(&self, session: &Session, exchange: &Exchange) -> Option<String> {
        let hidden = self.named_elsewhere(exchange).map(|_| origin::NAMELESS_PROXY.to_owned());
        hidden.or_else(|| front::told(session, exchange))
    }

    /// Where the same address answered an ordinary request as a server that always gives its name, or through a hop that
    /// does, while this exchange got a refusal without name and body: something in front refused it.
    pub fn named_elsewhere(&self, exchange: &Exchange) -> Option<At> {
        let response = exchange.response.as_ref()?;
        let bare = response.body_start.is_empty() && origin::is_nameless_refusal(response);
        self.web.named(exchange.server).filter(|_| bare)
    }

    /// What IIS answered to ordinary requests for the virtual directory that a request went to.
    pub fn directory(&self, server: SocketAddr, request: &Request) -> Option<&'a Directory> {
        self.web.directory(server, request)
    }

    /// The first success of a server with a request that is not BITS.
    pub fn ordinary_success(&self, server: SocketAddr) -> Option<At> {
        self.web.success(server)
    }

    /// For how many seconds the capture goes on after the last frame of a session.
    pub fn quiet_secs_after(&self, session: &Session) -> f64 {
        self.end.time.secs_since(session.ended)
    }
}

/// Handshakes that failed between a session's client and a server that it uploads to: in the time of the session or,
/// where it did not come to its end, after it. Of one address with several hosts, those for another host do not count.
/// In TLS 1.3 a server may refuse what the client sent while the first request is under way already: a connection of the
/// session itself counts whenever it began.
pub(super) fn handshakes_of<'a>(
    session: &Session,
    tls: &'a TlsConnections,
) -> impl Iterator<Item = &'a TlsConnection> {
    let done = session.outcome.is_done();
    tls.failed().filter(move |one| {
        let time = one.span.first.time;
        let begun = time >= session.started || session.connection(one.connection).is_some();
        one.client.ip() == session.client.address
            && begun
            && (!done || time <= session.ended)
            && session.exchanges.iter().any(|exchange| is_meant(one, exchange))
    })
}

/// Whether a connection was for the host that a request went to.
fn is_meant(connection: &TlsConnection, exchange: &Exchange) -> bool {
    let to = || exchange.request.as_ref().and_then(|request| url::of(exchange, request));
    let names = || connection.tls.sni.as_deref().zip(to());
    connection.server == exchange.server
        && names().is_none_or(|(name, url)| bare(name) == bare(url.host))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::tests::report;
    use crate::tls::{Facts, Seen};

    #[test]
    fn a_handshake_that_failed_under_the_first_request_is_of_its_session() {
        let session = report("> CREATE-SESSION\n! client closes\n").sessions.remove(0);
        let mut connection = session.connections[0].clone();
        let client_hello_at = Some(Seen::default());
        connection.tls = Some(Box::new(Facts { client_hello_at, ..Facts::default() }));
        assert!(connection.first.time < session.started);
        let mut tls = TlsConnections::new(9);
        tls.closed(&connection);
        assert_eq!(handshakes_of(&session, &tls).count(), 1);
        // Another one of that time was for something before it.
        connection.id += 1;
        let mut other = TlsConnections::new(9);
        other.closed(&connection);
        assert_eq!(handshakes_of(&session, &other).count(), 0);
    }
}
