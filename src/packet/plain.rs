//! What nearly every frame is: Ethernet, IPv4 or IPv6 without fragments and extensions, TCP or UDP, captured whole.
//!
//! It says the same as [`Decoder`](super::Decoder), only sooner, and nothing where anything is out of the ordinary.

use std::net::{IpAddr, SocketAddr};
use std::ops::Range;

use etherparse::{IpNumber, Ipv4HeaderSlice, Ipv6HeaderSlice, TcpHeaderSlice, UdpHeaderSlice};

use super::ip::{Ip, v4_facts, v6_facts};
use super::view::View;
use super::{Datagram, Flags, Segment, link, tunnel};
use crate::at::At;
use crate::capture::{Frame, LinkType};

/// The heads of a plain frame with a TCP segment, in few bytes: one core hands them to another.
#[derive(Clone, Copy, Debug)]
pub struct Plain {
    /// Addresses of IPv4, sender first; those of IPv6 are read where they stand.
    v4: Option<([u8; 4], [u8; 4])>,
    /// The sender's first.
    ports: (u16, u16),
    seq: u32,
    ack: u32,
    /// Where the payload begins in the frame.
    start: u8,
    /// Bytes of the payload.
    len: u16,
    /// Bytes of the options, which end where the payload begins.
    options: u8,
    first: Option<[u8; 4]>,
    window: u16,
    ip_id: Option<u16>,
    ttl: u8,
    flags: Flags,
}

impl Plain {
    /// The heads of a frame of `data`, which had `wire_len` bytes; `None` where it is not plain.
    #[inline(always)]
    pub fn of(link: LinkType, data: &[u8], wire_len: u32) -> Option<Self> {
        let (ip, range) = ip(link, data, wire_len, IpNumber::TCP)?;
        let segment = data.get(range.clone())?;
        let tcp = TcpHeaderSlice::from_slice(segment).ok()?;
        let payload = tcp.slice().len();
        let v4 = match (ip.from, ip.to) {
            (IpAddr::V4(from), IpAddr::V4(to)) => Some((from.octets(), to.octets())),
            _ => None,
        };
        Some(Self {
            v4,
            ports: (tcp.source_port(), tcp.destination_port()),
            seq: tcp.sequence_number(),
            ack: tcp.acknowledgment_number(),
            start: u8::try_from(range.start + payload).ok()?,
            len: u16::try_from(segment.len() - payload).ok()?,
            options: u8::try_from(payload - TCP).ok()?,
            first: segment.get(payload..)?.first_chunk().copied(),
            window: tcp.window_size(),
            ip_id: ip.id,
            ttl: ip.ttl,
            flags: Flags(*segment.get(13)?),
        })
    }

    /// The segment that they are of, in the frame at `at` with `data`.
    #[inline(always)]
    pub fn segment<'a>(&self, at: At, data: &'a [u8]) -> Option<Segment<'a>> {
        let (start, len) = (usize::from(self.start), usize::from(self.len));
        let (from, to) = match self.v4 {
            Some((from, to)) => (from.into(), to.into()),
            None => v6_addresses(data)?,
        };
        Some(Segment {
            at,
            from: SocketAddr::new(from, self.ports.0),
            to: SocketAddr::new(to, self.ports.1),
            seq: self.seq,
            ack: self.ack,
            flags: self.flags,
            window: self.window,
            options: data.get(start.checked_sub(self.options.into())?..start)?,
            payload: data.get(start..start + len)?,
            wire_len: self.len.into(),
            first: self.first,
            ttl: self.ttl,
            ip_id: self.ip_id,
        })
    }
}

/// The segment in a plain frame; what other frames hold is for a [`Decoder`](super::Decoder) to find.
#[inline(always)]
pub fn segment<'a>(frame: &Frame<'a>) -> Option<Segment<'a>> {
    match frame.plain {
        Some(plain) => plain.segment(frame.at, frame.data),
        None => Plain::of(frame.link, frame.data, frame.wire_len)?.segment(frame.at, frame.data),
    }
}

/// The datagram in a plain frame, unless it is a tunnel.
#[inline]
pub fn datagram<'a>(frame: &Frame<'a>) -> Option<Datagram<'a>> {
    let (ip, range) = ip(frame.link, frame.data, frame.wire_len, IpNumber::UDP)?;
    let datagram = frame.data.get(range)?;
    let udp = UdpHeaderSlice::from_slice(datagram).ok()?;
    let ports = (udp.source_port(), udp.destination_port());
    let payload = datagram.get(8..usize::from(udp.length()))?;
    if tunnel::in_udp(ports, View { data: payload, wire: payload.len() }).is_some() {
        return None;
    }
    let (from, to) = (SocketAddr::new(ip.from, ports.0), SocketAddr::new(ip.to, ports.1));
    Some(Datagram { at: frame.at, from, to, payload })
}

/// Bytes of an Ethernet header.
const ETHERNET: usize = 14;

/// Bytes of an IPv6 header.
const IPV6: usize = 40;

/// Bytes of a TCP header without options.
const TCP: usize = 20;

/// The addresses in an Ethernet frame with IPv6, sender first (RFC 8200 3).
fn v6_addresses(data: &[u8]) -> Option<(IpAddr, IpAddr)> {
    let (from, rest) = data.get(ETHERNET + 8..)?.split_first_chunk::<16>()?;
    Some(((*from).into(), (*rest.first_chunk::<16>()?).into()))
}

/// The facts of the IP header of a plain frame that carries `protocol`, and the place of its payload.
#[inline(always)]
fn ip(
    link: LinkType,
    data: &[u8],
    wire_len: u32,
    protocol: IpNumber,
) -> Option<(Ip, Range<usize>)> {
    if link.0 != 1 || data.len() != wire_len as usize || link::is_isl(data) {
        return None;
    }
    let packet = data.get(ETHERNET..)?;
    match data.get(12..14)? {
        [0x08, 0x00] => {
            let header = Ipv4HeaderSlice::from_slice(packet).ok()?;
            if header.protocol() != protocol || header.is_fragmenting_payload() {
                return None;
            }
            let start = ETHERNET + header.slice().len();
            Some((v4_facts(&header), start..ETHERNET + usize::from(header.total_len())))
        }
        [0x86, 0xdd] => {
            let header = Ipv6HeaderSlice::from_slice(packet).ok()?;
            let len = usize::from(header.payload_length());
            if header.next_header() != protocol || len == 0 {
                return None;
            }
            let start = ETHERNET + IPV6;
            Some((v6_facts(&header), start..start + len))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use etherparse::PacketBuilder;
    use proptest::prelude::*;

    use super::super::{Decoder, Packet};
    use super::*;
    use crate::limits::Limits;

    fn built(v6: bool, udp: Option<u16>, payload: &[u8]) -> Vec<u8> {
        let link = PacketBuilder::ethernet2([2; 6], [4; 6]);
        let ip = match v6 {
            true => link.ipv6([7; 16], [9; 16], 64),
            false => link.ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64),
        };
        let mut frame = Vec::new();
        if let Some(port) = udp {
            ip.udp(50_000, port).write(&mut frame, payload).unwrap();
            return frame;
        }
        let tcp = ip.tcp(50_000, 80, 7, 512).ack(9);
        tcp.options_raw(&[1, 1, 1, 0]).unwrap().write(&mut frame, payload).unwrap();
        frame
    }

    proptest! {
        #[test]
        fn it_agrees_with_the_decoder(
            v6: bool,
            udp in proptest::option::of(proptest::sample::select(vec![53, 443, 2152, 4789])),
            payload in proptest::collection::vec(any::<u8>(), 0..40),
            damage in proptest::collection::vec((0..74_usize, any::<u8>()), 0..3),
            trailer in 0..8_usize,
            cut in 0..3_u32,
        ) {
            let mut data = built(v6, udp, &payload);
            data.resize(data.len() + trailer, 0);
            for (place, byte) in damage {
                data.get_mut(place).into_iter().for_each(|old| *old = byte);
            }
            let wire_len = data.len() as u32 + cut / 2;
            let (at, link) = (At::default(), LinkType(1));
            let frame = Frame { at, link, data: &data, wire_len, comment: None, plain: None };
            let plain = segment(&frame).map(Packet::Tcp).or(datagram(&frame).map(Packet::Udp));
            if let Some(plain) = plain {
                let mut decoder = Decoder::new(&Limits::default());
                let walked = decoder.push(&frame).map(|packet| format!("{packet:?}"));
                prop_assert_eq!(Ok(format!("{plain:?}")), walked);
            }
        }
    }

    #[test]
    fn a_plain_frame_is_one() {
        for v6 in [false, true] {
            let (tcp, udp) = (built(v6, None, b"abc"), built(v6, Some(53), b"abc"));
            let frame = |data| {
                let (at, link) = (At::default(), LinkType(1));
                Frame { at, link, data, wire_len: data.len() as u32, comment: None, plain: None }
            };
            assert_eq!(segment(&frame(&tcp)).unwrap().payload, b"abc");
            assert_eq!(datagram(&frame(&udp)).unwrap().payload, b"abc");
        }
    }
}
