//! TCP and UDP.

use std::net::SocketAddr;

use etherparse::{TcpHeaderSlice, UdpHeaderSlice};

use crate::at::At;

use super::ip::Ip;
use super::view::View;
use super::{Datagram, Flags, Found, Packet, Segment, Skip, Step, tunnel};

pub(super) fn tcp<'a>(at: At, ip: Ip, view: View<'a>) -> Result<Step<'a>, Skip> {
    let len = usize::from(view.u8(12)? >> 4) * 4;
    if len < 20 || len > view.wire {
        return Err(Skip::Malformed);
    }
    let header = TcpHeaderSlice::from_slice(view.data).map_err(|_| view.short())?;
    let rest = view.skip(len)?;
    let segment = Segment {
        at,
        from: SocketAddr::new(ip.from, header.source_port()),
        to: SocketAddr::new(ip.to, header.destination_port()),
        seq: header.sequence_number(),
        ack: header.acknowledgment_number(),
        flags: Flags(view.u8(13)?),
        window: header.window_size(),
        options: view.data.get(20..len).unwrap_or_default(),
        payload: rest.data,
        wire_len: u32::try_from(rest.wire).unwrap_or(u32::MAX),
        ttl: ip.ttl,
        ip_id: ip.id,
    };
    Ok(Step::Found(Found::Packet(Packet::Tcp(segment))))
}

pub(super) fn udp<'a>(at: At, ip: Ip, view: View<'a>) -> Result<Step<'a>, Skip> {
    let header = UdpHeaderSlice::from_slice(view.data).map_err(|_| view.short())?;
    let rest = view.skip(8)?;
    let rest = match usize::from(header.length()).checked_sub(8) {
        Some(len) => rest.limit(len.min(rest.wire)),
        None if header.length() == 0 => rest,
        None => return Err(Skip::Malformed),
    };
    let ports = (header.source_port(), header.destination_port());
    if let Some(step) = tunnel::in_udp(ports, rest) {
        return step;
    }
    let datagram = Datagram {
        at,
        from: SocketAddr::new(ip.from, header.source_port()),
        to: SocketAddr::new(ip.to, header.destination_port()),
        payload: rest.data,
    };
    Ok(Step::Found(Found::Packet(Packet::Udp(datagram))))
}
