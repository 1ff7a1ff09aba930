//! What a capture shows around a session: earlier sessions, failed connections, other requests, how long it went on.

use std::net::{IpAddr, SocketAddr};

use crate::at::{At, Span};
use crate::bits::PacketType;
use crate::bits::protocol::is_unique;
use crate::model::host::bare;
use crate::model::tls::TlsConnections;
use crate::model::{
    Attempt, Exchange, Lookup, Outcome, Request, Response, Session, Text, TlsConnection, url,
};
use crate::rules::history::{Brief, History, Key};
use crate::rules::origin::{self, Origin};
use crate::rules::{front, look};
use crate::sessions::{Directory, Web};

/// What the capture showed so far, when a session is judged.
#[derive(Clone, Copy, Debug)]
pub struct Sight<'a> {
    /// Sessions with the same client and URL that may still go on.
    pub open: &'a [Brief],
    /// Sessions that may still go on and may be another leg: those with its id between other ends, and those of other
    /// clients with the same URL about its time, where they may tell of it.
    pub legs: &'a [Brief],
    /// Connections that never came about, so far.
    pub attempts: &'a [Attempt],
    /// Names of hosts of the session that could not be resolved, so far.
    pub lookups: &'a [Lookup],
    /// Connections with TLS that are over.
    pub tls: &'a TlsConnections,
    /// What servers answered to other requests.
    pub web: &'a Web,
    /// The last frame read.
    pub end: At,
}

/// What a rule may know beyond the session it judges. Other sessions are those that ended before it.
#[derive(Clone, Copy, Debug)]
pub struct Around<'a> {
    /// Earlier sessions.
    pub(super) history: &'a History,
    /// Earlier ones of the same client with the same URL, be they over or not, by their ends.
    pub(super) uploads: &'a [&'a Brief],
    /// The canonical id of the session that is judged.
    pub(super) id: Option<&'a Text>,
    /// Handshakes that failed and were for this session.
    pub(super) handshakes: &'a [&'a TlsConnection],
    /// The host and port that its URL names.
    pub host: Option<(&'a str, Option<u16>)>,
    /// What the capture showed so far.
    pub sight: Sight<'a>,
}

impl<'a> Around<'a> {
    /// Earlier sessions of the same client with the same URL, the one that ended first in front, be they over or not.
    pub fn same_upload(&self) -> impl DoubleEndedIterator<Item = &'a Brief> + use<'a> {
        self.uploads.iter().copied()
    }

    /// The last one of the sessions created at the same server before whose answers bore the same `Server` as this one.
    pub fn opened_by_same(&self, session: &Session, answer: &Response) -> Option<&'a Brief> {
        let mut earlier = self.same_server(session);
        earlier.rfind(|brief| brief.created && brief.software == answer.server)
    }

    /// Earlier sessions that were created at the same server, the oldest first.
    pub fn same_server(
        &self,
        session: &Session,
    ) -> impl DoubleEndedIterator<Item = &'a Brief> + use<'a> {
        self.of_host(session, Some(Key::Server(session.server.socket())))
    }

    /// Earlier sessions with something in common, the oldest first: of one address with several hosts, a proxy for
    /// instance, those for the host of the session.
    fn of_host(
        &self,
        session: &Session,
        key: Option<Key>,
    ) -> impl DoubleEndedIterator<Item = &'a Brief> + use<'a> {
        let url = session.url.clone();
        let all = self.history.with(key);
        all.filter(move |brief| url::may_share_host(brief.url.as_deref(), url.as_deref()))
    }

    /// Earlier sessions at the same server with the same URL, whoever uploaded.
    pub fn same_url(&self, session: &Session) -> impl Iterator<Item = &'a Brief> + use<'a> {
        let (server, url) = (session.server.socket(), session.url.clone());
        let key = Key::path(url.as_deref());
        let all = self.history.with(key);
        all.filter(move |brief| brief.server == server && brief.url == url)
    }

    /// Sessions with the same URL that went to another server: among them the other leg of an upload that passes a
    /// proxy. That may have put another host into the URL, and is known by its address then.
    pub fn legs(&self, session: &Session) -> impl Iterator<Item = &'a Brief> + use<'a> {
        let (client, server) = (session.client.address, session.server.socket());
        let url = session.url.clone();
        let key = Key::path(url.as_deref());
        self.history.with(key).chain(self.sight.legs).filter(move |brief| {
            let joint = brief.client == server.ip() || brief.server.ip() == client;
            brief.server != server && (joint || brief.url == url)
        })
    }

    /// Sessions of other servers that were opened while this one was asked: by its server, as a client, or, as a proxy
    /// may have an address of its own there, by another client while a Create-Session waited. That one does not outlast
    /// this one: a proxy asks no more than it was asked. The leg behind a proxy.
    pub fn opened_behind(&self, session: &Session) -> impl Iterator<Item = &'a Brief> + use<'a> {
        let create = session.exchanges.iter().find(|one| one.kind == PacketType::CreateSession);
        // It takes a look at all exchanges.
        let whole = self.legs(session).next().and_then(|_| session.span());
        let create = create.map(Exchange::span);
        let (client, server) = (session.client.address, session.server.address);
        self.legs(session).filter(move |leg| {
            let within = |span: Option<Span>| span.is_some_and(|span| leg.begins_within(span));
            let by_server = leg.client == server && within(whole);
            let ends = || whole.is_some_and(|whole| leg.last.time <= whole.last.time);
            leg.created && (by_server || leg.client != client && within(create) && ends())
        })
    }

    /// Earlier sessions with the same id on the same server, the oldest first.
    pub fn same_id(
        &self,
        session: &Session,
    ) -> impl DoubleEndedIterator<Item = &'a Brief> + use<'a> {
        let server = session.server.socket();
        self.of_host(session, self.id.map(|id| Key::Id(server, id.clone())))
    }

    /// Whether another session, or another leg of this one, may have brought bytes of its file.
    pub fn may_bring_bytes_of(&self, session: &Session) -> bool {
        self.same_id(session).next().is_some()
            || self.same_url(session).next().is_some()
            || self.same_upload().next().is_some()
            || self.legs(session).next().is_some()
            || self.other_legs().next().is_some()
    }

    /// Whether BITS took another upload into the same virtual directory before.
    pub fn takes_uploads(&self, session: &Session) -> bool {
        let directory = session.url.as_deref().and_then(url::virtual_directory);
        directory.is_some()
            && self.same_server(session).any(|brief| {
                let other = brief.url.as_deref().and_then(url::virtual_directory);
                brief.created && other == directory
            })
    }

    /// Sessions with the same id that is no other's, between whatever hosts.
    pub fn other_legs(&self) -> impl Iterator<Item = &'a Brief> + use<'a> {
        let id = self.id;
        let open = move |brief: &&Brief| id.is_some_and(|id| brief.has_id(id));
        self.history.with(id.cloned().map(Key::Leg)).chain(self.sight.legs.iter().filter(open))
    }

    /// A session with the same id and of the same file between other hosts, at the same time: the other side of a proxy, or
    /// of what translates addresses. One that goes on elsewhere has no beginning there.
    pub fn other_side(&self, session: &Session) -> Option<&'a Brief> {
        let span = session.span().filter(|_| self.id.is_some_and(|id| is_unique(id)))?;
        let ends = (session.client.address, session.server.socket());
        let begins = session.exchanges.iter().any(look::creates);
        self.other_legs().find(|brief| {
            let apart = (brief.client, brief.server) != ends;
            let same = brief.has_path(session.url.as_deref()) && brief.total == session.bytes_total;
            apart && same && begins == brief.created && brief.span().meets(span)
        })
    }

    /// Sessions with the same id and path between two other hosts: the same upload on the other side of a proxy, as far
    /// as the id tells.
    pub fn same_id_elsewhere(
        &self,
        session: &Session,
    ) -> impl Iterator<Item = &'a Brief> + use<'a> {
        let (client, server, id) = (session.client.address, session.server.socket(), self.id);
        let url = session.url.clone();
        let key = Key::path(url.as_deref());
        self.history.with(key).chain(self.sight.legs).filter(move |brief| {
            brief.has_path(url.as_deref()) && brief.is_other_leg((client, server), id)
        })
    }

    /// Whether an earlier session failed on the other side of a proxy.
    pub fn fails_elsewhere(&self, brief: &Brief) -> bool {
        let key = Key::path(brief.url.as_deref());
        let mut others = self.history.with(key).chain(self.sight.legs);
        others.any(|other| {
            let same = other.span().meets(brief.span()) && brief.has_path(other.url.as_deref());
            same && other.is_other_leg_of(brief) && other.outcome == Outcome::Failed
        })
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
        self.sight.attempts.iter().filter(move |attempt| {
            attempt.client == session.client.address
                && attempt.span.last.time >= session.started
                && went_to(attempt.server)
        })
    }

    /// Who answered an exchange, in view of what the same address answered to ordinary requests, and of what answered
    /// before on the same connection.
    pub fn origin(&self, session: &Session, exchange: &Exchange) -> Origin {
        match self.named_elsewhere(exchange) {
            Some(_) => Origin::Proxy,
            None => front::origin(session, exchange),
        }
    }

    /// The [`origin`](Self::origin) in words, with the name that it gives itself; `None` without an answer.
    pub fn told(&self, session: &Session, exchange: &Exchange) -> Option<String> {
        let hidden = self.named_elsewhere(exchange).map(|_| origin::NAMELESS_PROXY.to_owned());
        hidden.or_else(|| front::told(session, exchange))
    }

    /// Where the same address answered an ordinary request as a server that always gives its name, or through a hop
    /// that does, while this exchange got a refusal without name and body: something in front refused it.
    pub fn named_elsewhere(&self, exchange: &Exchange) -> Option<At> {
        let response = exchange.response.as_ref()?;
        let bare = response.body_start.is_empty() && origin::is_nameless_refusal(response);
        self.sight.web.named(exchange).filter(|_| bare)
    }

    /// What IIS answered to ordinary requests for the virtual directory that a request went to.
    pub fn directory(&self, server: SocketAddr, request: &Request) -> Option<&'a Directory> {
        self.sight.web.directory(server, request)
    }

    /// For how many seconds the capture goes on after the last frame of a session.
    pub fn quiet_secs_after(&self, session: &Session) -> f64 {
        self.sight.end.time.secs_since(session.last_seen())
    }
}

/// Handshakes that failed between a session's client and a server that it uploads to: in the time of the session or,
/// where it did not come to its end, after it. Of one address with several hosts, those for another host do not count.
/// In TLS 1.3 a server may refuse what the client sent while the first request is under way already: a connection of
/// the session itself counts whenever it began.
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
    use crate::stream::Connection;
    use crate::tls::Facts;

    #[test]
    fn a_handshake_that_failed_under_the_first_request_is_of_its_session() {
        let session = report("> CREATE-SESSION\n! client closes\n").sessions.remove(0);
        let mut connection = Connection::clone(&session.connections[0]);
        let client_hello_at = Some(At::default());
        connection.tls = Some(Box::new(Facts { client_hello_at, ..Facts::default() }));
        assert!(connection.first.time < session.started);
        let mut tls = TlsConnections::new(9, 9);
        tls.closed(&connection);
        assert_eq!(handshakes_of(&session, &tls).count(), 1);
        // Another one of that time was for something before it.
        connection.id += 1;
        let mut other = TlsConnections::new(9, 9);
        other.closed(&connection);
        assert_eq!(handshakes_of(&session, &other).count(), 0);
    }
}
