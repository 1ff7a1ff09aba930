//! What nearly every frame is: Ethernet, IPv4 or IPv6 without fragments and extensions, TCP or UDP, captured whole.
//!
//! It says the same as [`Decoder`](super::Decoder), only sooner, and nothing where anything is out of the ordinary.

use std::net::SocketAddr;

use etherparse::{IpNumber, Ipv4HeaderSlice, Ipv6HeaderSlice, TcpHeaderSlice, UdpHeaderSlice};

use super::ip::{Ip, v4_facts, v6_facts};
use super::view::View;
use super::{Datagram, Flags, Segment, link, tunnel};
use crate::at::At;
use crate::capture::Frame;

/// The segment in a plain frame; what other frames hold is for a [`Decoder`](super::Decoder) to find.
#[inline(always)]
pub fn segment<'a>(frame: &Frame<'a>) -> Option<Segment<'a>> {
    packet(frame)
}

/// The datagram in a plain frame, unless it is a tunnel.
#[inline]
pub fn datagram<'a>(frame: &Frame<'a>) -> Option<Datagram<'a>> {
    packet(frame)
}

/// What IP carries.
trait Transport<'a>: Sized {
    const PROTOCOL: IpNumber;

    fn decode(at: At, ip: Ip, payload: &'a [u8]) -> Option<Self>;
}

#[inline(always)]
fn packet<'a, T: Transport<'a>>(frame: &Frame<'a>) -> Option<T> {
    if frame.link.0 != 1 || frame.data.len() != frame.wire_len as usize || link::is_isl(frame.data)
    {
        return None;
    }
    let packet = frame.data.get(14..)?;
    match frame.data.get(12..14)? {
        [0x08, 0x00] => {
            let header = Ipv4HeaderSlice::from_slice(packet).ok()?;
            if header.protocol() != T::PROTOCOL || header.is_fragmenting_payload() {
                return None;
            }
            let payload = packet.get(header.slice().len()..usize::from(header.total_len()))?;
            T::decode(frame.at, v4_facts(&header), payload)
        }
        [0x86, 0xdd] => {
            let header = Ipv6HeaderSlice::from_slice(packet).ok()?;
            let len = usize::from(header.payload_length());
            if header.next_header() != T::PROTOCOL || len == 0 {
                return None;
            }
            T::decode(frame.at, v6_facts(&header), packet.get(40..)?.get(..len)?)
        }
        _ => None,
    }
}

impl<'a> Transport<'a> for Segment<'a> {
    const PROTOCOL: IpNumber = IpNumber::TCP;

    #[inline(always)]
    fn decode(at: At, ip: Ip, payload: &'a [u8]) -> Option<Self> {
        let tcp = TcpHeaderSlice::from_slice(payload).ok()?;
        let (header, rest) = payload.split_at_checked(tcp.slice().len())?;
        Some(Self {
            at,
            from: SocketAddr::new(ip.from, tcp.source_port()),
            to: SocketAddr::new(ip.to, tcp.destination_port()),
            seq: tcp.sequence_number(),
            ack: tcp.acknowledgment_number(),
            flags: Flags(*payload.get(13)?),
            window: tcp.window_size(),
            options: header.get(20..)?,
            payload: rest,
            wire_len: u32::try_from(rest.len()).ok()?,
            ttl: ip.ttl,
            ip_id: ip.id,
        })
    }
}

impl<'a> Transport<'a> for Datagram<'a> {
    const PROTOCOL: IpNumber = IpNumber::UDP;

    #[inline(always)]
    fn decode(at: At, ip: Ip, payload: &'a [u8]) -> Option<Self> {
        let udp = UdpHeaderSlice::from_slice(payload).ok()?;
        let ports = (udp.source_port(), udp.destination_port());
        let payload = payload.get(8..usize::from(udp.length()))?;
        if tunnel::in_udp(ports, View { data: payload, wire: payload.len() }).is_some() {
            return None;
        }
        let (from, to) = (SocketAddr::new(ip.from, ports.0), SocketAddr::new(ip.to, ports.1));
        Some(Self { at, from, to, payload })
    }
}

#[cfg(test)]
mod tests {
    use etherparse::PacketBuilder;
    use proptest::prelude::*;

    use super::super::{Decoder, Packet};
    use super::*;
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
                Frame { at, link, data, wire_len: data.len() as u32, comment: None }
            };
            assert_eq!(segment(&frame(&tcp)).unwrap().payload, b"abc");
            assert_eq!(datagram(&frame(&udp)).unwrap().payload, b"abc");
        }
    }
}
