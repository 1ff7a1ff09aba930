//! Where an upload goes, and whether a message goes there, too.

use std::net::SocketAddr;

use super::asked::Asked;
use super::assign::RECENT;
use super::open::Open;
use crate::model::Text;
use crate::model::exchange::Exchange;
use crate::model::host::{self, bare};
use crate::model::session::CREDENTIALS_SECS;

/// Hosts and address pairs remembered per session.
const REMEMBERED: usize = 16;

/// A proxy passes a request on within so many seconds; a client that lost its way takes longer to ask again.
const PASSED_ON_SECS: f64 = 10.0;

/// Where a session goes: URL, path without percent-encoding, and host in lower case.
pub(super) struct Aim {
    url: Option<Text>,
    path: Option<Text>,
    host: Option<Text>,
}

impl Open {
    /// Where it goes, as its first request names that.
    pub fn aim(&self) -> Aim {
        let (url, path) = (self.url.clone(), self.path.clone());
        Aim { url, path, host: self.hosts.first().cloned() }
    }

    /// Whether a session goes there, too, or to the same path on a host that this was sent to: its client keeps that
    /// one for a new Create ([MC-BUP] 3.1.5.1.2).
    pub fn has_aim(&self, aim: &Aim) -> bool {
        let sent_on =
            self.path == aim.path && aim.host.as_deref().is_some_and(|host| self.was_sent_to(host));
        aim.url.is_some() && (self.url == aim.url || sent_on)
    }

    /// Takes note of where a message of it goes.
    pub fn remember(&mut self, asked: &Asked<'_>) {
        let written = asked.written();
        if self.written != written {
            self.settle_in(asked);
            self.written = written;
        }
        push_new(&mut self.peers, (asked.client, asked.server));
    }

    /// Takes note of the place that a request names.
    fn settle_in(&mut self, asked: &Asked<'_>) {
        if self.path.is_none() {
            self.path = asked.path_text();
        }
        if self.url.is_none() {
            self.url = asked.url().map(|url| url.text().into());
        }
        if !self.has_host(asked)
            && let Some(host) = asked.host_text()
        {
            push_new(&mut self.hosts, host);
        }
    }

    /// The server told the client to use this host.
    pub fn add_node(&mut self, host: &str) {
        push_new(&mut self.nodes, bare(host).into());
    }

    /// The first server that it was seen at.
    pub fn server(&self) -> Option<SocketAddr> {
        self.peers.first().map(|(_, server)| *server)
    }

    pub fn has_client(&self, asked: &Asked<'_>) -> bool {
        self.peers.iter().any(|(client, _)| client.ip() == asked.client.ip())
    }

    pub fn has_server(&self, asked: &Asked<'_>) -> bool {
        self.peers.iter().any(|(_, server)| *server == asked.server)
    }

    /// Whether a request goes from its client to its server.
    pub fn has_ends(&self, asked: &Asked<'_>) -> bool {
        self.has_client(asked) && self.has_server(asked)
    }

    pub fn has_path(&self, asked: &Asked<'_>) -> bool {
        asked.path().is_some() && self.path.as_deref() == asked.path()
    }

    pub fn has_host(&self, asked: &Asked<'_>) -> bool {
        asked.host().is_some_and(|host| {
            self.hosts.iter().any(|known| *known == *host) || self.was_sent_to(host)
        })
    }

    /// Whether it goes to a host that a request does not name.
    pub fn is_elsewhere(&self, asked: &Asked<'_>) -> bool {
        asked.host().is_some() && !self.hosts.is_empty() && !self.has_host(asked)
    }

    /// Whether its client has just asked on a connection of which no side has ended: who asks the same on another one is
    /// somebody else behind the same address, unless it brings the credentials that an unseen answer asked for.
    pub fn is_rival(&self, asked: &Asked<'_>) -> bool {
        self.exchanges.last().is_some_and(|last| {
            last.connection != asked.connection()
                && self.live.contains(&last.connection)
                && self.ended != Some(last.connection)
                && last.response.is_none()
                && asked.secs_behind(last).is_some_and(|secs| secs < CREDENTIALS_SECS)
                && !asked.brings_credentials()
        })
    }

    /// Whether a request between other addresses is one of this session that a proxy passes on: what the one side asked
    /// of the proxy, the proxy asks of the other side, with the same words and before it answers.
    pub fn is_passed_on(&self, asked: &Asked<'_>) -> bool {
        let between = self.peers.iter().any(|(client, server)| {
            server.ip() == asked.client.ip() || client.ip() == asked.server.ip()
        });
        let waits = |one: &Exchange| {
            asked.repeats(one) && asked.secs_behind(one).is_some_and(|secs| secs < PASSED_ON_SECS)
        };
        between || self.exchanges.iter().rev().take(RECENT).any(waits)
    }

    /// Whether a request elsewhere may be of this session, which the client was to carry on there: the answer to its
    /// Create, which said so, was not seen.
    pub fn may_have_moved(&self, asked: &Asked<'_>) -> bool {
        let unanswered = self.is_provisional() && self.is_unanswered();
        unanswered && self.has_path(asked) && self.has_port(asked) && !self.is_translated(asked)
    }

    /// Whether a request names no other port than its client did first: a Host-Id puts another host in front of the same
    /// ([MC-BUP] 2.2.3.2).
    fn has_port(&self, asked: &Asked<'_>) -> bool {
        let own = self.hosts.first().zip(asked.host());
        let port = |host| host::port(host).filter(|port| !matches!(*port, "80" | "443"));
        own.is_none_or(|(own, host)| port(own) == port(host))
    }

    /// Whether a request goes to the host that the server has just named, from an address of the other family: a client
    /// may have both.
    pub fn goes_across(&self, asked: &Asked<'_>) -> bool {
        let across = self.client.is_ipv4() != asked.client.is_ipv4();
        let named = self.exchanges.last().and_then(|last| last.response.as_ref()?.host_id.as_ref());
        across
            && named.zip(asked.host()).is_some_and(|(named, host)| bare(named) == bare(host))
            && self.has_path(asked)
            && !self.is_over()
            && !self.is_passed_on(asked)
    }

    /// Whether a request is seen on the other side of what translates addresses: one client, with its port, talks to
    /// one server at a time.
    pub fn is_translated(&self, asked: &Asked<'_>) -> bool {
        let own = self.peers.iter().any(|(client, _)| *client == asked.client);
        own && !self.peers.contains(&(asked.client, asked.server))
    }

    /// Whether the server named a host. A Host-Id has neither port nor brackets ([MC-BUP] 2.2.3.2).
    fn was_sent_to(&self, host: &str) -> bool {
        !self.nodes.is_empty() && self.nodes.iter().any(|node| **node == *bare(host))
    }
}

fn push_new<T: PartialEq>(list: &mut Vec<T>, value: T) {
    if list.len() < REMEMBERED && !list.contains(&value) {
        list.push(value);
    }
}
