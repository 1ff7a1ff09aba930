//! What is known about a connection, apart from its bytes.

use std::net::{IpAddr, SocketAddr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::at::{At, Span, Timestamp};
use crate::tls::Facts;

use super::{Side, SideFacts};

/// One TCP connection. The frames of its moments are not serialised.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Connection {
    /// From 1, by order of appearance.
    pub id: u64,
    /// Who opened it.
    pub client: SocketAddr,
    /// Who accepted it.
    pub server: SocketAddr,
    /// Its first frame.
    #[serde(skip)]
    pub first: At,
    /// Its last frame so far.
    #[serde(skip)]
    pub last: At,
    /// When it was first seen.
    pub started: Timestamp,
    /// When it was last seen.
    pub ended: Timestamp,
    /// The first SYN of the client.
    #[serde(skip)]
    pub syn: Option<At>,
    /// The first SYN with ACK of the server.
    #[serde(skip)]
    pub syn_ack: Option<At>,
    /// The client's ACK that completed the handshake.
    #[serde(skip)]
    pub handshake_done: Option<At>,
    /// How often the client repeated its SYN.
    pub syn_retries: u32,
    /// Whether the capture began after the handshake.
    pub midstream: bool,
    /// What the client sent.
    pub client_side: SideFacts,
    /// What the server sent.
    pub server_side: SideFacts,
    /// What is known of the TLS in it; only once it is over.
    #[serde(skip)]
    pub tls: Option<Box<Facts>>,
    /// The first RST that was believed.
    pub reset: Option<Reset>,
    /// The first RST of the other side after it.
    pub reset_back: Option<Reset>,
    /// RSTs that were believed, and repeats of them.
    pub resets: u32,
    /// RSTs whose sequence number was far off.
    pub resets_ignored: u32,
    /// The first ICMP error that says a packet of the client was too big for the path.
    pub too_big: Option<Icmp>,
    /// The first other ICMP error about what the client sent that no acknowledgement of more came behind.
    pub icmp: Option<Icmp>,
}

impl Connection {
    /// Whether data of one side was captured and no packet of the other.
    pub const fn is_one_sided(&self) -> bool {
        let (client, server) = (&self.client_side, &self.server_side);
        client.packets == 0 && server.payload_bytes > 0
            || server.packets == 0 && client.payload_bytes > 0
    }

    /// Seconds from SYN to SYN-ACK, where both were captured: from the place of the capture to the server and back.
    pub fn round_trip_secs(&self) -> Option<f64> {
        let (syn, syn_ack) = self.syn.zip(self.syn_ack)?;
        Some(syn_ack.time.secs_since(syn.time))
    }

    /// Keeps an ICMP error about what the client sent, unless one like it came before.
    pub fn report(&mut self, icmp: Icmp) {
        let first = if icmp.is_too_big() { &mut self.too_big } else { &mut self.icmp };
        first.get_or_insert(icmp);
    }

    /// Whether the capture has all of it, in the clear or decrypted.
    pub fn is_whole(&self) -> bool {
        let lost = self.lost_by_capture() + self.client_side.cut + self.server_side.cut;
        let unseen = |side: &SideFacts| side.payload_bytes == 0 && side.acked > 0;
        let unseen = unseen(&self.client_side) || unseen(&self.server_side);
        lost == 0 && !unseen && !self.is_one_sided() && self.is_read()
    }

    /// Whether what TLS carries on it was decrypted to the end, if it has any.
    pub fn is_read(&self) -> bool {
        self.tls.as_ref().is_none_or(|tls| tls.is_read())
    }

    /// The TLS in it, each layer inside the one before; none before it is over.
    pub fn tls_layers(&self) -> impl Iterator<Item = &Facts> {
        std::iter::successors(self.tls.as_deref(), |tls| tls.inside.as_deref())
    }

    /// All its frames so far.
    pub const fn span(&self) -> Span {
        Span { first: self.first, last: self.last }
    }

    /// Bytes that either side acknowledged but the capture lacks.
    pub const fn lost_by_capture(&self) -> u64 {
        self.client_side.lost_by_capture + self.server_side.lost_by_capture
    }

    /// Bytes that either side acknowledged, and that the capture has too late to be used.
    pub fn came_late(&self) -> u64 {
        [&self.client_side, &self.server_side]
            .map(|side| side.came_late.min(side.lost_by_capture))
            .iter()
            .sum()
    }

    /// The frames that acknowledged the first and the last of the bytes that the capture lacks.
    pub fn lost_in(&self) -> Option<Span> {
        let sides = [&self.client_side, &self.server_side];
        sides.into_iter().filter_map(|side| side.resent.lost).reduce(|mut all, one| {
            all.cover(one);
            all
        })
    }

    /// Whether it was seen to end.
    pub const fn is_over(&self) -> bool {
        self.reset.is_some() || self.client_side.fin.is_some() || self.server_side.fin.is_some()
    }

    /// Whether its client was not seen to leave. Where no packet of the client was captured, the end of the server
    /// tells.
    pub(crate) fn client_goes_on(&self) -> bool {
        let blind = self.client_side.packets == 0;
        let side = if blind { &self.server_side } else { &self.client_side };
        self.reset.is_none() && side.fin.is_none()
    }

    /// A connection whose first frame is `at`.
    pub(crate) fn new(id: u64, client: SocketAddr, server: SocketAddr, at: At) -> Self {
        Self {
            id,
            client,
            server,
            first: at,
            last: at,
            started: at.time,
            ended: at.time,
            syn: None,
            syn_ack: None,
            handshake_done: None,
            syn_retries: 0,
            midstream: false,
            client_side: SideFacts::default(),
            server_side: SideFacts::default(),
            tls: None,
            reset: None,
            reset_back: None,
            resets: 0,
            resets_ignored: 0,
            too_big: None,
            icmp: None,
        }
    }

    /// What `side` sent.
    pub const fn side(&self, side: Side) -> &SideFacts {
        match side {
            Side::Client => &self.client_side,
            Side::Server => &self.server_side,
        }
    }

    /// The address and port of `side`.
    pub const fn address(&self, side: Side) -> SocketAddr {
        match side {
            Side::Client => self.client,
            Side::Server => self.server,
        }
    }

    #[inline(always)]
    pub(super) fn side_mut(&mut self, side: Side) -> &mut SideFacts {
        match side {
            Side::Client => &mut self.client_side,
            Side::Server => &mut self.server_side,
        }
    }

    /// The roles were guessed the wrong way round.
    pub(super) fn swap(&mut self) {
        std::mem::swap(&mut self.client, &mut self.server);
        std::mem::swap(&mut self.client_side, &mut self.server_side);
        for reset in [&mut self.reset, &mut self.reset_back].into_iter().flatten() {
            reset.side = reset.side.other();
        }
    }

    /// Takes a frame in.
    #[inline(always)]
    pub(super) fn seen(&mut self, at: &At) {
        self.last = *at;
        self.started = self.started.min(at.time);
        self.ended = self.ended.max(at.time);
    }
}

/// An ICMP or ICMPv6 error about a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Icmp {
    /// The frame.
    #[serde(skip)]
    pub at: At,
    /// Who sent it.
    pub from: IpAddr,
    /// Its type, of ICMP or ICMPv6 by the family of `from`.
    pub kind: u8,
    /// Its code.
    pub code: u8,
    /// Next-hop MTU of "fragmentation needed" and "packet too big", else 0.
    pub mtu: u32,
}

impl Icmp {
    /// Whether a packet was too big for the path (RFC 1191 4, RFC 8201 4).
    const fn is_too_big(&self) -> bool {
        match self.from {
            IpAddr::V4(_) => self.kind == 3 && self.code == 4,
            IpAddr::V6(_) => self.kind == 2,
        }
    }
}

/// A connection cut short by RST.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reset {
    /// The frame.
    #[serde(skip)]
    pub at: At,
    /// When it came.
    pub time: Timestamp,
    /// Who sent it.
    pub side: Side,
    /// Its time to live or hop limit.
    pub ttl: u8,
    /// Its IPv4 identification.
    pub ip_id: Option<u16>,
    /// Its window, unscaled.
    pub window: u16,
    /// Whether its sequence number is the very next one (RFC 5961 3.2).
    pub seq_fits: bool,
    /// Whether it carries ACK.
    pub acked: bool,
    /// Whether its numbers tell of bytes of the server that the capture lacks.
    #[serde(skip)]
    pub tells_of_more: bool,
}
