//! From a frame to the TCP segment in it, or the reason why there is none.

use std::net::{IpAddr, SocketAddr};

use crate::at::At;

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
