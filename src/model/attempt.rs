//! Connections that never came about.

use std::net::{IpAddr, SocketAddr};

use hashbrown::HashMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::at::Span;
use crate::stream::{Connection, Icmp, Side};

/// Connections that one client tried to open to one port and that failed in the same way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Attempt {
    /// Who tried.
    pub client: IpAddr,
    /// Where.
    pub server: SocketAddr,
    /// What came of it.
    pub answer: ConnectFailure,
    /// What reported that there is no way, the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icmp: Option<Icmp>,
    /// Connections tried.
    pub tries: u64,
    /// SYN segments sent, repeats included.
    pub syns: u64,
    /// The frames of all tries.
    #[serde(flatten)]
    pub span: Span,
    /// The frames of the first try.
    #[serde(skip)]
    pub first: Span,
}

/// How an attempt to connect failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ConnectFailure {
    /// RST: the port is closed.
    Refused,
    /// Nothing, though SYN was repeated.
    Unanswered,
    /// An ICMP error: no way to the host or the port.
    Unreachable,
}

impl ConnectFailure {
    /// How the connection failed; `None` for one that came about, or of which too little was seen to tell.
    pub fn of(connection: &Connection) -> Option<Self> {
        let (client, server) = (&connection.client_side, &connection.server_side);
        let only_syns = client.packets <= u64::from(connection.syn_retries) + 1;
        connection.syn?;
        if connection.syn_ack.is_some() || client.payload_bytes + server.payload_bytes > 0 {
            return None;
        }
        if connection.reset.is_some_and(|reset| reset.side == Side::Server) {
            // Who sends more than SYN had an answer to it.
            return only_syns.then_some(Self::Refused);
        }
        if connection.icmp.is_some() {
            return Some(Self::Unreachable);
        }
        (only_syns && server.packets == 0 && connection.syn_retries > 0).then_some(Self::Unanswered)
    }
}

/// Gathers failed attempts, up to a cap.
#[derive(Debug)]
pub struct Attempts {
    found: Vec<Attempt>,
    places: HashMap<(IpAddr, SocketAddr, ConnectFailure), usize>,
    cap: usize,
    omitted: u64,
}

impl Attempts {
    /// None yet; at most `cap` are kept.
    pub fn new(cap: usize) -> Self {
        Self { found: Vec::new(), places: HashMap::default(), cap, omitted: 0 }
    }

    /// Takes a connection that is over.
    pub fn closed(&mut self, connection: &Connection) {
        let Some(answer) = ConnectFailure::of(connection) else { return };
        let key = (connection.client.ip(), connection.server, answer);
        let next = self.found.len();
        if next >= self.cap && !self.places.contains_key(&key) {
            self.omitted += 1;
            return;
        }
        let icmp = connection.icmp.filter(|_| answer == ConnectFailure::Unreachable);
        let mut span = connection.span();
        icmp.into_iter().for_each(|icmp| span.extend(icmp.at));
        let place = *self.places.entry(key).or_insert(next);
        if place == next {
            self.found.push(Attempt {
                client: key.0,
                server: key.1,
                answer,
                icmp,
                tries: 0,
                syns: 0,
                span,
                first: span,
            });
        }
        let Some(attempt) = self.found.get_mut(place) else { return };
        attempt.tries += 1;
        attempt.syns += 1 + u64::from(connection.syn_retries);
        if connection.first.frame < attempt.first.first.frame {
            (attempt.first, attempt.icmp) = (span, icmp);
        }
        attempt.span.cover(span);
    }

    /// Those beyond the cap.
    pub const fn omitted(&self) -> u64 {
        self.omitted
    }

    /// Those so far, in no particular order.
    pub fn so_far(&self) -> &[Attempt] {
        &self.found
    }

    /// All, in the order in which they began.
    pub fn finish(self) -> Vec<Attempt> {
        let mut all = self.found;
        all.sort_by_key(|attempt| attempt.span.first.frame);
        all
    }
}
