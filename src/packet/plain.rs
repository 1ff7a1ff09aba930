//! What nearly every frame is: Ethernet, IPv4 or IPv6 without fragments and extensions, TCP, captured whole.
//!
//! It says the same as [`Decoder`](super::Decoder), only sooner, and nothing where anything is out of the ordinary.

use std::net::SocketAddr;

use etherparse::{IpNumber, Ipv4HeaderSlice, Ipv6HeaderSlice, TcpHeaderSlice};

use super::ip::{Ip, v4_facts, v6_facts};
use super::{Flags, Segment, link};
use crate::at::At;
use crate::capture::Frame;

/// The segment in a plain frame; what other frames hold is for a [`Decoder`](super::Decoder) to find.
#[inline(always)]
pub fn segment<'a>(frame: &Frame<'a>) -> Option<Segment<'a>> {
    if frame.link.0 != 1 || frame.data.len() != frame.wire_len as usize || link::is_isl(frame.data)
    {
        return None;
    }
    let (ether_type, packet) = (frame.data.get(12..14)?, frame.data.get(14..)?);
    match ether_type {
        [0x08, 0x00] => v4(frame.at, packet),
        [0x86, 0xdd] => v6(frame.at, packet),
        _ => None,
    }
}

#[inline(always)]
fn v4(at: At, packet: &[u8]) -> Option<Segment<'_>> {
    let header = Ipv4HeaderSlice::from_slice(packet).ok()?;
    if header.protocol() != IpNumber::TCP || header.is_fragmenting_payload() {
        return None;
    }
    let payload = packet.get(header.slice().len()..usize::from(header.total_len()))?;
    tcp(at, v4_facts(&header), payload)
}

#[inline(always)]
fn v6(at: At, packet: &[u8]) -> Option<Segment<'_>> {
    let header = Ipv6HeaderSlice::from_slice(packet).ok()?;
    let len = usize::from(header.payload_length());
    if header.next_header() != IpNumber::TCP || len == 0 {
        return None;
    }
    tcp(at, v6_facts(&header), packet.get(40..)?.get(..len)?)
}

#[inline(always)]
fn tcp(at: At, ip: Ip, payload: &[u8]) -> Option<Segment<'_>> {
    let tcp = TcpHeaderSlice::from_slice(payload).ok()?;
    let (header, rest) = payload.split_at_checked(tcp.slice().len())?;
    Some(Segment {
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

#[cfg(test)]
mod tests {
    use etherparse::PacketBuilder;
    use proptest::prelude::*;

    use super::super::{Decoder, Packet};
    use super::*;
    use crate::capture::LinkType;
    use crate::limits::Limits;

    fn built(v6: bool, payload: &[u8]) -> Vec<u8> {
        let link = PacketBuilder::ethernet2([2; 6], [4; 6]);
        let ip = match v6 {
            true => link.ipv6([7; 16], [9; 16], 64),
            false => link.ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64),
        };
        let mut frame = Vec::new();
        let tcp = ip.tcp(50_000, 80, 7, 512).ack(9);
        tcp.options_raw(&[1, 1, 1, 0]).unwrap().write(&mut frame, payload).unwrap();
        frame
    }

    proptest! {
        #[test]
        fn it_agrees_with_the_decoder(
            v6: bool,
            payload in proptest::collection::vec(any::<u8>(), 0..40),
            damage in proptest::collection::vec((0..74_usize, any::<u8>()), 0..3),
            trailer in 0..8_usize,
            cut in 0..3_u32,
        ) {
            let mut data = built(v6, &payload);
            data.resize(data.len() + trailer, 0);
            for (place, byte) in damage {
                data.get_mut(place).into_iter().for_each(|old| *old = byte);
            }
            let wire_len = data.len() as u32 + cut / 2;
            let (at, link) = (At::default(), LinkType(1));
            let frame = Frame { at, link, data: &data, wire_len, comment: None };
            if let Some(plain) = segment(&frame) {
                let mut decoder = Decoder::new(&Limits::default());
                let walked = decoder.push(&frame).map(|packet| match packet {
                    Packet::Tcp(segment) => format!("{segment:?}"),
                    other => format!("{other:?}"),
                });
                prop_assert_eq!(Ok(format!("{plain:?}")), walked);
            }
        }
    }

    #[test]
    fn a_plain_frame_is_one() {
        for v6 in [false, true] {
            let data = built(v6, b"abc");
            let (at, link) = (At::default(), LinkType(1));
            let wire_len = data.len() as u32;
            let frame = Frame { at, link, data: &data, wire_len, comment: None };
            assert_eq!(segment(&frame).unwrap().payload, b"abc");
        }
    }
}
