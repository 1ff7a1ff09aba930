//! What nearly every frame is: Ethernet, IPv4 or IPv6 without fragments and extensions, TCP or UDP, captured whole.
//!
//! It says the same as [`Decoder`](super::Decoder), only sooner, and nothing where anything is out of the ordinary.

use std::net::SocketAddr;
use std::ops::Range;

use etherparse::{
    IpNumber, Ipv4HeaderSlice, Ipv6HeaderSlice, TcpHeaderSlice, UdpHeader, UdpHeaderSlice,
};

use super::ip::{Ip, v4_facts, v6_facts};
use super::view::View;
use super::{Datagram, Flags, Packet, Segment, link, tunnel};
use crate::capture::Frame;

/// Bytes of an Ethernet header.
const ETHERNET: usize = 14;

/// Bytes of an IPv6 header.
const IPV6: usize = 40;

/// Bytes of a TCP header without options.
const TCP: usize = 20;

/// The segment or the datagram in a plain frame; what other frames hold is for a [`Decoder`](super::Decoder) to find.
#[inline(always)]
pub fn plain<'a>(frame: &Frame<'a>) -> Option<Packet<'a>> {
    let (ip, protocol, range) = ip(frame)?;
    match protocol {
        IpNumber::TCP => segment(frame, &ip, range).map(Packet::Tcp),
        IpNumber::UDP => datagram(frame, &ip, range).map(Packet::Udp),
        _ => None,
    }
}

/// The facts of the IP header of a plain frame, what it carries, and where.
#[inline(always)]
fn ip(frame: &Frame<'_>) -> Option<(Ip, IpNumber, Range<usize>)> {
    let Frame { link, data, wire_len, .. } = *frame;
    if link.0 != 1 || data.len() != wire_len as usize || link::is_isl(data) {
        return None;
    }
    let packet = data.get(ETHERNET..)?;
    match data.get(12..14)? {
        [0x08, 0x00] => {
            let header = Ipv4HeaderSlice::from_slice(packet).ok()?;
            if header.is_fragmenting_payload() {
                return None;
            }
            let start = ETHERNET + header.slice().len();
            let end = ETHERNET + usize::from(header.total_len());
            Some((v4_facts(&header), header.protocol(), start..end))
        }
        [0x86, 0xdd] => {
            let header = Ipv6HeaderSlice::from_slice(packet).ok()?;
            let len = usize::from(header.payload_length());
            let start = ETHERNET + IPV6;
            (len > 0).then(|| (v6_facts(&header), header.next_header(), start..start + len))
        }
        _ => None,
    }
}

#[inline(always)]
fn segment<'a>(frame: &Frame<'a>, ip: &Ip, range: Range<usize>) -> Option<Segment<'a>> {
    let segment = frame.data.get(range)?;
    let tcp = TcpHeaderSlice::from_slice(segment).ok()?;
    let (head, payload) = segment.split_at_checked(tcp.slice().len())?;
    Some(Segment {
        at: frame.at,
        from: SocketAddr::new(ip.from, tcp.source_port()),
        to: SocketAddr::new(ip.to, tcp.destination_port()),
        seq: tcp.sequence_number(),
        ack: tcp.acknowledgment_number(),
        flags: Flags(*head.get(13)?),
        window: tcp.window_size(),
        options: head.get(TCP..)?,
        payload,
        wire_len: payload.len() as u32,
        first: payload.first_chunk().copied(),
        ttl: ip.ttl,
        ip_id: ip.id,
    })
}

/// Nothing where it is a tunnel.
#[inline(never)]
fn datagram<'a>(frame: &Frame<'a>, ip: &Ip, range: Range<usize>) -> Option<Datagram<'a>> {
    let datagram = frame.data.get(range)?;
    let udp = UdpHeaderSlice::from_slice(datagram).ok()?;
    let ports = (udp.source_port(), udp.destination_port());
    let payload = datagram.get(UdpHeader::LEN..usize::from(udp.length()))?;
    if tunnel::in_udp(ports, View { data: payload, wire: payload.len() }).is_some() {
        return None;
    }
    let (from, to) = (SocketAddr::new(ip.from, ports.0), SocketAddr::new(ip.to, ports.1));
    Some(Datagram { at: frame.at, from, to, payload })
}

#[cfg(test)]
mod tests {
    use etherparse::PacketBuilder;
    use proptest::prelude::*;

    use super::super::Decoder;
    use super::*;
    use crate::at::At;
    use crate::capture::LinkType;
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
            let frame = Frame { at, link, data: &data, wire_len, comment: None };
            if let Some(packet) = plain(&frame) {
                let mut decoder = Decoder::new(&Limits::default());
                let walked = decoder.push(&frame).map(|packet| format!("{packet:?}"));
                prop_assert_eq!(Ok(format!("{packet:?}")), walked);
            }
        }
    }

    #[test]
    fn a_plain_frame_is_one() {
        for v6 in [false, true] {
            let (tcp, udp) = (built(v6, None, b"abc"), built(v6, Some(53), b"abc"));
            let frame = |data| {
                let (at, link) = (At::default(), LinkType(1));
                Frame { at, link, data, wire_len: data.len() as u32, comment: None }
            };
            assert!(matches!(plain(&frame(&tcp)), Some(Packet::Tcp(tcp)) if tcp.payload == b"abc"));
            assert!(matches!(plain(&frame(&udp)), Some(Packet::Udp(udp)) if udp.payload == b"abc"));
        }
    }
}
