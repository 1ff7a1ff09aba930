//! To which upload an exchange belongs ([MC-BUP] 2.2.1.2: ids are unique per server only; Ping and most Acks carry none).

use std::net::{IpAddr, SocketAddr};

use super::Sessions;
use crate::bits::PacketType;
use crate::bits::protocol::canonical_id;
use crate::model::exchange::{Exchange, Request};
use crate::model::session::Reply;
use crate::model::url;
use crate::observe::digest::FileDigest;

/// An upload under way.
pub(super) struct Open {
    pub exchanges: Vec<Exchange>,
    pub digest: Option<FileDigest>,
    /// Exchanges left out to stay within the limits.
    pub omitted: u64,
    pub reply: Option<Reply>,
    /// Canonical id, once known.
    id: Option<String>,
    path: Option<String>,
    /// Hosts that the client named, in lower case, and those that the server told it to use.
    hosts: Vec<String>,
    peers: Vec<(SocketAddr, SocketAddr)>,
}

/// Hosts and address pairs remembered per session.
const REMEMBERED: usize = 16;

/// Sessions of one client, or with one id, that are considered for a message, newest first.
const RECENT: usize = 256;

impl Open {
    fn new() -> Self {
        Self {
            exchanges: Vec::new(),
            digest: None,
            omitted: 0,
            reply: None,
            id: None,
            path: None,
            hosts: Vec::new(),
            peers: Vec::new(),
        }
    }

    fn remember(&mut self, asked: &Asked) {
        if self.path.is_none() {
            self.path.clone_from(&asked.path);
        }
        if let Some(host) = &asked.host {
            push_new(&mut self.hosts, host.clone());
        }
        push_new(&mut self.peers, (asked.client, asked.server));
    }

    fn is_over(&self) -> bool {
        self.exchanges.iter().rev().any(|exchange| {
            matches!(exchange.kind, PacketType::CloseSession | PacketType::CancelSession)
                && exchange.response.as_ref().is_some_and(crate::model::Response::is_success)
        })
    }

    fn has_client(&self, asked: &Asked) -> bool {
        self.peers.iter().any(|(client, _)| client.ip() == asked.client.ip())
    }

    fn has_server(&self, asked: &Asked) -> bool {
        self.peers.iter().any(|(_, server)| *server == asked.server)
    }

    fn has_path(&self, asked: &Asked) -> bool {
        asked.path.is_some() && self.path == asked.path
    }

    fn has_host(&self, asked: &Asked) -> bool {
        asked.host.as_ref().is_some_and(|host| self.hosts.contains(host))
    }

    /// No session id was agreed on: only Pings, and Creates without success.
    fn is_provisional(&self) -> bool {
        self.id.is_none()
            && self.exchanges.iter().all(|exchange| {
                matches!(
                    exchange.kind,
                    PacketType::CreateSession | PacketType::Ping | PacketType::Unknown
                )
            })
    }

    /// No answer to a Create was seen: the id that follows may be its own.
    fn awaits_id(&self) -> bool {
        let answered = |exchange: &Exchange| {
            exchange.kind == PacketType::CreateSession && exchange.response.is_some()
        };
        !self.exchanges.iter().any(answered)
    }

    fn is_created(&self) -> bool {
        self.exchanges.iter().any(|exchange| {
            exchange.kind == PacketType::CreateSession
                && exchange.response.as_ref().is_some_and(crate::model::Response::is_success)
        })
    }
}

fn push_new<T: PartialEq>(list: &mut Vec<T>, value: T) {
    if list.len() < REMEMBERED && !list.contains(&value) {
        list.push(value);
    }
}

/// What a message says of its upload.
struct Asked {
    client: SocketAddr,
    server: SocketAddr,
    path: Option<String>,
    host: Option<String>,
}

impl Asked {
    fn of(exchange: &Exchange) -> Self {
        let request = exchange.request.as_ref();
        Self {
            client: exchange.client,
            server: exchange.server,
            path: request.map(|request| percent_decoded(url::path_of(request))),
            host: request.and_then(|request| host(exchange, request)),
        }
    }
}

pub(super) fn percent_decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let hex = (byte == b'%')
            .then(|| tail.get(..2))
            .flatten()
            .and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(value) => {
                out.push(value);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                out.push(byte);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn host(exchange: &Exchange, request: &Request) -> Option<String> {
    url::of(exchange, request).map(|url| url.host.to_ascii_lowercase())
}

impl Sessions {
    /// The session of a request; a new one where no other fits.
    pub(super) fn assign_request(&mut self, exchange: &Exchange, last: Option<usize>) -> usize {
        let asked = &Asked::of(exchange);
        let id = exchange
            .request
            .as_ref()
            .and_then(|request| request.session_id.as_deref())
            .map(canonical_id);
        let found = match (&exchange.kind, id.filter(|id| !id.is_empty())) {
            (PacketType::CreateSession, _) => self.attempt(asked),
            (_, Some(id)) => self.by_request_id(asked, &id),
            (_, None) => self.by_circumstance(asked, &exchange.kind, last),
        };
        let session = found.unwrap_or_else(|| self.add(asked.client.ip()));
        let id = exchange.request.as_ref().and_then(|request| request.session_id.clone());
        if exchange.kind != PacketType::CreateSession {
            self.learn(session, id.filter(|id| !id.is_empty()));
        }
        if let Some(open) = self.open.get_mut(session) {
            open.remember(asked);
        }
        session
    }

    /// The session of a request whose response was seen first.
    pub(super) fn assign_early(&mut self, exchange: &Exchange, session: usize) -> usize {
        let id = exchange.request.as_ref().and_then(|request| request.session_id.clone());
        if exchange.kind != PacketType::CreateSession {
            self.learn(session, id.filter(|id| !id.is_empty()));
        }
        if let Some(open) = self.open.get_mut(session) {
            open.remember(&Asked::of(exchange));
        }
        session
    }

    /// The session of a response whose request was not seen.
    pub(super) fn assign_orphan(&mut self, exchange: &Exchange, last: Option<usize>) -> usize {
        let asked = &Asked::of(exchange);
        let response = exchange.response.as_ref();
        let id = response.and_then(|response| response.session_id.as_deref()).map(canonical_id);
        let creates = response.is_some_and(|response| response.protocol.is_some());
        let known = id.as_deref().and_then(|id| self.newest(id, |open| open.has_client(asked)));
        let found = match (id, creates) {
            (Some(_), _) => known,
            (None, true) => None,
            (None, false) => last.or_else(|| {
                self.find(asked, |open| {
                    open.has_client(asked) && open.has_server(asked) && !open.is_over()
                })
            }),
        };
        let session = found.unwrap_or_else(|| self.add(asked.client.ip()));
        if let Some(open) = self.open.get_mut(session) {
            open.remember(asked);
        }
        session
    }

    /// The id of a session became known.
    pub(super) fn learn(&mut self, session: usize, id: Option<String>) {
        let Some(open) = self.open.get_mut(session) else { return };
        if let Some(host) =
            open.exchanges.last().and_then(|exchange| exchange.response.as_ref()?.host_id.clone())
        {
            push_new(&mut open.hosts, host.to_ascii_lowercase());
        }
        if let Some(id) = id.filter(|_| open.id.is_none()) {
            let id = canonical_id(&id);
            open.id = Some(id.clone());
            self.by_id.entry(id).or_default().push(session);
        }
    }

    /// A new session; one that is not kept where there are too many.
    fn add(&mut self, client: IpAddr) -> usize {
        let session = self.open.len();
        if session >= self.limits.sessions {
            self.omitted += 1;
            return usize::MAX;
        }
        self.open.push(Open::new());
        self.by_client.entry(client).or_default().push(session);
        session
    }

    /// The newest session of the client that fits.
    fn find(&self, asked: &Asked, fits: impl Fn(&Open) -> bool) -> Option<usize> {
        let own = self.by_client.get(&asked.client.ip())?;
        let recent = own.iter().rev().take(RECENT).copied();
        recent.into_iter().find(|&session| self.open.get(session).is_some_and(&fits))
    }

    fn newest(&self, id: &str, fits: impl Fn(&Open) -> bool) -> Option<usize> {
        let named = self.by_id.get(id)?;
        named
            .iter()
            .rev()
            .take(RECENT)
            .copied()
            .find(|&session| self.open.get(session).is_some_and(&fits))
    }

    /// A Create belongs to an attempt that has not succeeded yet, or to the Ping before it.
    fn attempt(&self, asked: &Asked) -> Option<usize> {
        self.find(asked, |open| {
            open.has_client(asked)
                && open.has_server(asked)
                && open.has_path(asked)
                && open.is_provisional()
                && !open.is_created()
        })
    }

    fn by_request_id(&self, asked: &Asked, id: &str) -> Option<usize> {
        let one_end = |open: &Open| open.has_client(asked) || open.has_server(asked);
        self.newest(id, |open| open.has_client(asked) && open.has_server(asked))
            .or_else(|| self.newest(id, |open| open.has_client(asked) && open.has_host(asked)))
            .or_else(|| {
                self.newest(id, |open| {
                    one_end(open) && (open.has_host(asked) || open.has_path(asked))
                })
            })
            .or_else(|| {
                // Its Create or a Ping before it was seen, the Ack that gave it the id was not.
                self.find(asked, |open| {
                    open.has_client(asked)
                        && open.has_server(asked)
                        && open.has_path(asked)
                        && open.is_provisional()
                        && open.awaits_id()
                })
            })
            .or_else(|| {
                // An Ack without its request opened it.
                self.find(asked, |open| {
                    open.id.is_none()
                        && open.path.is_none()
                        && open.has_client(asked)
                        && open.has_server(asked)
                })
            })
    }

    fn by_circumstance(
        &self,
        asked: &Asked,
        kind: &PacketType,
        last: Option<usize>,
    ) -> Option<usize> {
        let usable = |open: &Open| open.has_client(asked) && !open.is_over();
        self.find(asked, |open| {
            usable(open) && open.has_path(asked) && (open.has_host(asked) || open.has_server(asked))
        })
        .or_else(|| {
            self.find(asked, |open| usable(open) && open.has_host(asked) && open.has_path(asked))
        })
        .or_else(|| {
            last.filter(|&session| {
                *kind != PacketType::Ping && self.open.get(session).is_some_and(usable)
            })
        })
    }
}
