//! From a frame to the TCP segment in it, or the reason why there is none.

mod fragment;
mod icmp;
mod ip;
mod juniper;
mod link;
mod plain;
mod rare;
mod transport;
mod tunnel;
mod view;
mod wifi;

#[cfg(test)]
mod tests;

use std::net::{IpAddr, SocketAddr};

use crate::at::At;
use crate::capture::{Frame, LinkType};
use crate::limits::Limits;

pub use plain::plain;

use fragment::{Fragments, Piece};
use ip::Ip;
use view::View;

/// TCP flags, the low eight bits of the flags field (RFC 9293 3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(pub u8);

impl Flags {
    /// FIN.
    pub const FIN: u8 = 0x01;
    /// SYN.
    pub const SYN: u8 = 0x02;
    /// RST.
    pub const RST: u8 = 0x04;
    /// PSH.
    pub const PSH: u8 = 0x08;
    /// ACK.
    pub const ACK: u8 = 0x10;

    /// Whether all of `bits` are set.
    pub const fn has(self, bits: u8) -> bool {
        self.0 & bits == bits
    }
}

/// One TCP segment (RFC 9293 3.1).
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
    /// The frame it ended in.
    pub at: At,
    /// Sender.
    pub from: SocketAddr,
    /// Receiver.
    pub to: SocketAddr,
    /// Sequence number.
    pub seq: u32,
    /// Acknowledgement number, meaningful with [`Flags::ACK`].
    pub ack: u32,
    /// Flags.
    pub flags: Flags,
    /// Window as written, unscaled.
    pub window: u16,
    /// TCP options as written.
    pub options: &'a [u8],
    /// Payload captured.
    pub payload: &'a [u8],
    /// Bytes of payload on the wire, at least `payload.len()`: the rest was cut by the snap length.
    pub wire_len: u32,
    /// The first bytes of `payload`, if it has as many.
    pub first: Option<[u8; 4]>,
    /// IPv4 time to live or IPv6 hop limit.
    pub ttl: u8,
    /// IPv4 identification.
    pub ip_id: Option<u16>,
}

/// A UDP datagram; kept for the name look-ups that explain failures.
#[derive(Clone, Copy, Debug)]
pub struct Datagram<'a> {
    /// The frame it ended in.
    pub at: At,
    /// Sender.
    pub from: SocketAddr,
    /// Receiver.
    pub to: SocketAddr,
    /// Payload captured.
    pub payload: &'a [u8],
}

/// An ICMP or ICMPv6 error that quotes the packet it is about.
#[derive(Clone, Copy, Debug)]
pub struct IcmpError {
    /// The frame it came in.
    pub at: At,
    /// Who sent it.
    pub from: IpAddr,
    /// Type and code, of ICMP or ICMPv6 by the family of `from`.
    pub kind: (u8, u8),
    /// Next-hop MTU of "fragmentation needed" and "packet too big", else 0.
    pub mtu: u32,
    /// Sender of the TCP packet that it quotes.
    pub quoted_from: SocketAddr,
    /// Receiver of the TCP packet that it quotes.
    pub quoted_to: SocketAddr,
}

/// What a frame holds that matters here.
#[derive(Clone, Copy, Debug)]
pub enum Packet<'a> {
    /// A TCP segment.
    Tcp(Segment<'a>),
    /// A UDP datagram.
    Udp(Datagram<'a>),
    /// An ICMP error about a TCP packet.
    Icmp(IcmpError),
}

/// Why a frame holds nothing for us; counted by reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Skip {
    /// No decoder for this link type.
    LinkType(u32),
    /// No decoder for the link type, beyond those that are told apart.
    OtherLinkType,
    /// Neither IPv4 nor IPv6 (ARP, LLDP, …).
    NotIp,
    /// IP, but neither TCP, UDP nor an ICMP error about TCP.
    NotTcp,
    /// An IP fragment that waits for the others, or was given up.
    Fragment,
    /// Cut so short by the snap length that the headers are incomplete.
    Cut,
    /// Headers that contradict themselves or the frame's length.
    Malformed,
    /// Tunnels within tunnels beyond the limit.
    TooDeep,
}

impl Skip {
    /// The words for it.
    pub fn name(self) -> String {
        match self {
            Self::LinkType(number) => format!("link type {number}"),
            Self::OtherLinkType => "other link types".to_owned(),
            Self::NotIp => "not IP".to_owned(),
            Self::NotTcp => "not TCP".to_owned(),
            Self::Fragment => "IP fragment".to_owned(),
            Self::Cut => "cut by the snap length".to_owned(),
            Self::Malformed => "malformed".to_owned(),
            Self::TooDeep => "nested too deep".to_owned(),
        }
    }
}

/// Finds the TCP segment, UDP datagram or ICMP error in a frame, through tags, tunnels and fragments.
///
/// Checksums are not judged: offloading leaves them unset in most captures.
#[derive(Debug)]
pub struct Decoder {
    nesting: usize,
    fragments: Fragments,
    whole: Vec<u8>,
}

impl Decoder {
    /// A decoder under the caps on nesting and fragments.
    pub fn new(limits: &Limits) -> Self {
        Self { nesting: limits.nesting, fragments: Fragments::new(limits), whole: Vec::new() }
    }

    /// Datagrams of which fragments were given up to stay under a cap.
    pub const fn dropped(&self) -> u64 {
        self.fragments.dropped
    }

    /// What `frame` holds. A packet that was put together from fragments borrows from the decoder.
    #[inline(never)]
    pub fn push<'a>(&'a mut self, frame: &Frame<'a>) -> Result<Packet<'a>, Skip> {
        let view = View { data: frame.data, wire: frame.wire_len as usize };
        let mut ip = Ip::default();
        let piece = match walk(Kind::of(frame.link), view, &mut ip, self.nesting)? {
            Found::Piece(piece) => piece,
            found => return found.packet(frame.at, &ip),
        };
        self.fragments.add(&piece, frame.at.time, &mut self.whole)?;
        let view = View { data: &self.whole, wire: self.whole.len() };
        let found = walk(Kind::Protocol(piece.protocol), view, &mut ip, self.nesting)?;
        found.packet(frame.at, &ip)
    }
}

/// What the next bytes are.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Ethernet,
    /// By its EtherType.
    Typed(u16),
    Vlan,
    Llc,
    Sll,
    Sll2,
    Wifi,
    Radiotap,
    Prism,
    Ppi,
    Rare(u32),
    Null,
    Ppp,
    Pppoe,
    Mpls,
    AnyIp,
    V4,
    V6,
    /// What the last IP header announced.
    Protocol(u8),
}

impl Kind {
    /// What frames of a link type begin with (tcpdump.org/linktypes.html).
    fn of(link: LinkType) -> Self {
        match link.0 {
            0 | 108 => Self::Null, // NULL, LOOP
            1 => Self::Ethernet,
            9 | 50 => Self::Ppp, // PPP, PPP_HDLC
            51 => Self::Pppoe,
            12 | 14 | 101 => Self::AnyIp, // RAW, as the systems number it, and in files
            113 => Self::Sll,
            228 => Self::V4,
            229 => Self::V6,
            276 => Self::Sll2,
            105 => Self::Wifi,
            119 | 163 => Self::Prism, // PRISM, AVS
            127 => Self::Radiotap,
            192 => Self::Ppi,
            other => Self::Rare(other),
        }
    }
}

/// What one header led to.
enum Step<'a> {
    Into(Kind, View<'a>),
    Found(Found<'a>),
}

/// Where the headers end.
///
/// What is there is only decoded once it is known, lest large values be passed from hand to hand for every frame.
enum Found<'a> {
    Tcp(View<'a>),
    Udp(View<'a>),
    /// Of this protocol number: ICMP or ICMPv6.
    Icmp(u8, View<'a>),
    Piece(Piece<'a>),
}

impl<'a> Found<'a> {
    fn packet(self, at: At, ip: &Ip) -> Result<Packet<'a>, Skip> {
        match self {
            Self::Tcp(view) => transport::tcp(at, ip, view),
            Self::Udp(view) => transport::udp(at, ip, view),
            Self::Icmp(protocol, view) => icmp::error(at, protocol, ip, view),
            // A fragment within a datagram put together from fragments.
            Self::Piece(_) => Err(Skip::Fragment),
        }
    }
}

fn walk<'a>(
    mut kind: Kind,
    mut view: View<'a>,
    ip: &mut Ip,
    nesting: usize,
) -> Result<Found<'a>, Skip> {
    // Link, IP and transport are what every frame has; only what is beyond counts as nesting.
    for _ in 0..nesting.saturating_add(3) {
        match step(kind, view, ip)? {
            Step::Into(inner, rest) => (kind, view) = (inner, rest),
            Step::Found(found) => return Ok(found),
        }
    }
    Err(Skip::TooDeep)
}

fn step<'a>(kind: Kind, view: View<'a>, ip: &mut Ip) -> Result<Step<'a>, Skip> {
    match kind {
        Kind::Ethernet => link::ethernet(view),
        Kind::Typed(ether_type) => link::by_ether_type(ether_type, view),
        Kind::Vlan => link::vlan(view),
        Kind::Llc => link::llc(view),
        Kind::Sll => link::sll(view),
        Kind::Sll2 => link::sll2(view),
        Kind::Wifi => wifi::plain(view),
        Kind::Radiotap => wifi::radiotap(view),
        Kind::Prism => wifi::prism(view),
        Kind::Ppi => wifi::ppi(view),
        Kind::Rare(number) => rare::link(number, view),
        Kind::Null => link::null(view),
        Kind::Ppp => link::ppp(view),
        Kind::Pppoe => link::pppoe(view),
        Kind::Mpls => link::mpls(view),
        Kind::AnyIp => ip::any(view),
        Kind::V4 => ip::v4(view, ip),
        Kind::V6 => ip::v6(view, ip),
        Kind::Protocol(number) => ip::protocol(number, ip, view),
    }
}
