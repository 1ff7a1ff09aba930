//! What is known about a connection, apart from its bytes.

use std::net::{IpAddr, SocketAddr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::at::{At, Span, Timestamp};
use crate::tls::Facts;

use super::Side;
use super::ids::Unseen;

/// Periods kept in [`SideFacts::zero_windows`].
const ZERO_WINDOWS: usize = 64;

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
    /// The first ICMP error about it.
    pub icmp: Option<Icmp>,
}

impl Connection {
    /// Whether data of one side was captured and no packet of the other.
    pub const fn is_one_sided(&self) -> bool {
        let (client, server) = (&self.client_side, &self.server_side);
        client.packets == 0 && server.payload_bytes > 0
            || server.packets == 0 && client.payload_bytes > 0
    }

    /// Whether nothing of it escaped the capture, or could not be decrypted.
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

    /// Whether it was seen to end.
    pub const fn is_over(&self) -> bool {
        self.reset.is_some() || self.client_side.fin.is_some() || self.server_side.fin.is_some()
    }

    /// Whether its client was not seen to leave. Where no packet of the client was captured, the end of the server tells.
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

/// What one side of a connection sent, and what the capture shows became of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SideFacts {
    /// Segments, without mirrored ones.
    pub packets: u64,
    /// Bytes of payload on the wire, with retransmissions.
    pub payload_bytes: u64,
    /// Payload of its largest segment, in bytes.
    pub longest: u32,
    /// Time to live or hop limit of the first segment; like the next ones, of segments other than RST.
    pub ttl_first: u8,
    /// The smallest one.
    pub ttl_min: u8,
    /// The largest one.
    pub ttl_max: u8,
    /// IPv4 identification of the last segment, without those that came late; like the next ones, without zeros.
    pub ip_id: Option<u16>,
    /// Segments whose IPv4 identification is a little above that of the one before.
    pub ip_id_steps: u32,
    /// Segments whose IPv4 identification is neither that, nor that of a segment that came late.
    pub ip_id_jumps: u32,
    /// Which ones before `ip_id` were not seen.
    #[serde(skip)]
    pub(super) unseen: Unseen,
    /// Maximum segment size in SYN.
    pub mss: Option<u16>,
    /// Shift count of the window in SYN.
    pub window_scale: Option<u8>,
    /// The window last announced, in bytes; scaled only if both SYNs were seen with the option (RFC 7323 2.2).
    pub window: u64,
    /// Segments with bytes that were seen before.
    pub retransmitted: u32,
    /// Payload of the smallest of them, in bytes.
    pub shortest_retransmitted: Option<u32>,
    /// Bytes that were seen before.
    pub retransmitted_bytes: u64,
    /// Frames that were captured twice, as mirror ports do.
    pub duplicate_frames: u32,
    /// Segments that came before an earlier one was there.
    pub out_of_order: u32,
    /// Repeats whose bytes differ from the first copy.
    pub differing: u32,
    /// The first of them.
    #[serde(skip)]
    pub first_differing: Option<At>,
    /// When the side could take no more data: the last period, and the longest of those before it, 64 in all.
    pub zero_windows: Vec<ZeroWindow>,
    /// Bytes that the other side acknowledged but the capture lacks.
    pub lost_by_capture: u64,
    /// Bytes missing that nobody is known to have received.
    pub missing: u64,
    /// Bytes cut by the snap length.
    pub cut: u64,
    /// Bytes from before the first segment of a capture that began within the connection.
    pub before_start: u64,
    /// Bytes after the end of the direction.
    pub after_end: u64,
    /// Segments outside any window.
    pub out_of_window: u32,
    /// Keep-alives.
    pub keep_alives: u32,
    /// Probes of a zero window.
    pub window_probes: u32,
    /// The first FIN.
    #[serde(skip)]
    pub fin: Option<At>,
    /// The highest offset that the other side acknowledged.
    pub acked: u64,
    /// The highest offset sent, as far as seen or acknowledged.
    pub sent: u64,
    /// The last segment with data.
    #[serde(skip)]
    pub last_data: Option<At>,
    /// Segments with bytes that were seen before, since the other side acknowledged anything new.
    #[serde(skip)]
    pub repeats: u32,
    /// Since when what is repeated waits: the last data before its first repeat. Until the other side acknowledges more.
    #[serde(skip)]
    pub(super) waits: Option<At>,
    /// The longest such time, and the repeat that ended it.
    #[serde(skip)]
    pub stall: Option<(At, At)>,
    /// Offset of its largest segment; of its first one beyond an Ethernet frame, where the capture has such.
    #[serde(skip)]
    pub longest_at: u64,
}

/// Payload that an Ethernet frame holds beside headers without options, in bytes.
const ETHERNET: u32 = 1_460;

impl SideFacts {
    /// Bytes sent that were not acknowledged yet.
    pub const fn unacked(&self) -> u64 {
        self.sent.saturating_sub(self.acked)
    }

    /// A segment of `len` bytes is longer than all before it.
    #[inline(never)]
    pub(super) fn lengthen(&mut self, len: u32, offset: Option<i64>) {
        // What is longer is taken apart behind the tap: full segments are in the first one already.
        if self.longest <= ETHERNET {
            self.longest_at = offset.and_then(|offset| u64::try_from(offset).ok()).unwrap_or(0);
        }
        self.longest = len;
    }

    /// The side has no room from now on.
    pub(super) fn close_window(&mut self, start: At) {
        let periods = &mut self.zero_windows;
        if periods.len() >= ZERO_WINDOWS {
            let all = periods.iter().map(ZeroWindow::secs).enumerate();
            let shortest = all.min_by(|one, other| one.1.total_cmp(&other.1));
            shortest.map(|(place, _)| periods.remove(place));
        }
        periods.push(ZeroWindow { start, end: None, started: start.time, ended: None });
    }
}

/// A period without room for data.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ZeroWindow {
    /// The frame that announced no room.
    #[serde(skip)]
    pub start: At,
    /// The frame that announced room again.
    #[serde(skip)]
    pub end: Option<At>,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
}

impl ZeroWindow {
    pub(super) fn secs(&self) -> f64 {
        self.ended.unwrap_or(self.started).secs_since(self.started)
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
    pub const fn is_too_big(&self) -> bool {
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
