//! To which upload an exchange belongs ([MC-BUP] 2.2.1.2: ids are unique per server only; Ping and most Acks carry none).

use std::net::SocketAddr;

use super::Sessions;
use crate::bits::PacketType;
use crate::bits::protocol::canonical_id;
use crate::model::exchange::{Exchange, Request};
use crate::model::url;
use crate::observe::digest::FileDigest;

/// An upload under way.
pub(super) struct Open {
    pub exchanges: Vec<Exchange>,
    pub digest: Option<FileDigest>,
    /// Exchanges left out to stay within the limits.
    pub omitted: u64,
    /// Canonical id, once known.
    id: Option<String>,
    path: Option<String>,
    /// Hosts that the client named, in lower case, and those that the server told it to use.
    hosts: Vec<String>,
    peers: Vec<(SocketAddr, SocketAddr)>,
}

/// Hosts and address pairs remembered per session.
const REMEMBERED: usize = 16;

impl Open {
    fn new() -> Self {
        Self {
            exchanges: Vec::new(),
            digest: None,
            omitted: 0,
            id: None,
            path: None,
            hosts: Vec::new(),
            peers: Vec::new(),
        }
    }

    fn remember(&mut self, exchange: &Exchange) {
        if let Some(request) = &exchange.request {
            if self.path.is_none() {
                self.path = Some(path(request));
            }
            if let Some(host) = host(exchange, request) {
                push_new(&mut self.hosts, host);
            }
        }
        push_new(&mut self.peers, (exchange.client, exchange.server));
    }

    fn is_over(&self) -> bool {
        self.exchanges.iter().rev().any(|exchange| {
            matches!(exchange.kind, PacketType::CloseSession | PacketType::CancelSession)
                && exchange.response.as_ref().is_some_and(crate::model::Response::is_success)
        })
    }

    fn has_client(&self, exchange: &Exchange) -> bool {
        self.peers.iter().any(|(client, _)| client.ip() == exchange.client.ip())
    }

    fn has_server(&self, exchange: &Exchange) -> bool {
        self.peers.iter().any(|(_, server)| *server == exchange.server)
    }

    fn has_path(&self, exchange: &Exchange) -> bool {
        exchange
            .request
            .as_ref()
            .is_some_and(|request| self.path.as_deref() == Some(&path(request)))
    }

    fn has_host(&self, exchange: &Exchange) -> bool {
        let host = exchange.request.as_ref().and_then(|request| host(exchange, request));
        host.is_some_and(|host| self.hosts.contains(&host))
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

fn path(request: &Request) -> String {
    percent_decoded(url::path_of(request))
}

fn percent_decoded(text: &str) -> String {
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
        let id = exchange
            .request
            .as_ref()
            .and_then(|request| request.session_id.as_deref())
            .map(canonical_id);
        let found = match (&exchange.kind, id.filter(|id| !id.is_empty())) {
            (PacketType::CreateSession, _) => self.attempt(exchange),
            (_, Some(id)) => self.by_request_id(exchange, &id),
            (_, None) => self.by_circumstance(exchange, last),
        };
        let session = found.unwrap_or_else(|| self.add());
        let id = exchange.request.as_ref().and_then(|request| request.session_id.clone());
        if exchange.kind != PacketType::CreateSession {
            self.learn(session, id.filter(|id| !id.is_empty()));
        }
        if let Some(open) = self.open.get_mut(session) {
            open.remember(exchange);
        }
        session
    }

    /// The session of a response whose request was not seen.
    pub(super) fn assign_orphan(&mut self, exchange: &Exchange, last: Option<usize>) -> usize {
        let response = exchange.response.as_ref();
        let id = response.and_then(|response| response.session_id.as_deref()).map(canonical_id);
        let creates = response.is_some_and(|response| response.protocol.is_some());
        let known = id.as_deref().and_then(|id| self.newest(id, |open| open.has_client(exchange)));
        let found = match (id, creates) {
            (Some(_), _) => known,
            (None, true) => None,
            (None, false) => last.or_else(|| {
                self.find(|open| {
                    open.has_client(exchange) && open.has_server(exchange) && !open.is_over()
                })
            }),
        };
        let session = found.unwrap_or_else(|| self.add());
        if let Some(open) = self.open.get_mut(session) {
            open.remember(exchange);
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

    fn add(&mut self) -> usize {
        self.open.push(Open::new());
        self.open.len() - 1
    }

    /// The newest session that fits.
    fn find(&self, fits: impl Fn(&Open) -> bool) -> Option<usize> {
        self.open.iter().rposition(fits)
    }

    fn newest(&self, id: &str, fits: impl Fn(&Open) -> bool) -> Option<usize> {
        let named = self.by_id.get(id)?;
        named.iter().rev().copied().find(|&session| self.open.get(session).is_some_and(&fits))
    }

    /// A Create belongs to an attempt that has not succeeded yet, or to the Ping before it.
    fn attempt(&self, exchange: &Exchange) -> Option<usize> {
        self.find(|open| {
            open.has_client(exchange)
                && open.has_server(exchange)
                && open.has_path(exchange)
                && open.is_provisional()
                && !open.is_created()
        })
    }

    fn by_request_id(&self, exchange: &Exchange, id: &str) -> Option<usize> {
        let one_end = |open: &Open| open.has_client(exchange) || open.has_server(exchange);
        self.newest(id, |open| open.has_client(exchange) && open.has_server(exchange))
            .or_else(|| {
                self.newest(id, |open| open.has_client(exchange) && open.has_host(exchange))
            })
            .or_else(|| {
                self.newest(id, |open| {
                    one_end(open) && (open.has_host(exchange) || open.has_path(exchange))
                })
            })
            .or_else(|| {
                // Its Create or a Ping before it was seen, the Ack that gave it the id was not.
                self.find(|open| {
                    open.has_client(exchange)
                        && open.has_server(exchange)
                        && open.has_path(exchange)
                        && open.is_provisional()
                        && open.awaits_id()
                })
            })
            .or_else(|| {
                // An Ack without its request opened it.
                self.find(|open| {
                    open.id.is_none()
                        && open.path.is_none()
                        && open.has_client(exchange)
                        && open.has_server(exchange)
                })
            })
    }

    fn by_circumstance(&self, exchange: &Exchange, last: Option<usize>) -> Option<usize> {
        let usable = |open: &Open| open.has_client(exchange) && !open.is_over();
        self.find(|open| {
            usable(open)
                && open.has_path(exchange)
                && (open.has_host(exchange) || open.has_server(exchange))
        })
        .or_else(|| {
            self.find(|open| usable(open) && open.has_host(exchange) && open.has_path(exchange))
        })
        .or_else(|| {
            last.filter(|&session| {
                exchange.kind != PacketType::Ping && self.open.get(session).is_some_and(usable)
            })
        })
    }
}
