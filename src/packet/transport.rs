//! TCP and UDP.

use std::net::SocketAddr;

use etherparse::{TcpHeaderSlice, UdpHeaderSlice};

use crate::at::At;

use super::ip::Ip;
use super::view::View;
use super::{Datagram, Flags, Packet, Segment, Skip, Step, tunnel};

pub(super) fn tcp<'a>(at: At, ip: &Ip, view: View<'a>) -> Result<Packet<'a>, Skip> {
    let len = usize::from(view.u8(12)? >> 4) * 4;
    if len < 20 || len > view.wire {
        return Err(Skip::Malformed);
    }
    let header = TcpHeaderSlice::from_slice(view.data).map_err(|_| view.short())?;
    let rest = view.skip(len)?;
    Ok(Packet::Tcp(Segment {
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
        first: rest.data.first_chunk().copied(),
        ttl: ip.ttl,
        ip_id: ip.id,
    }))
}

pub(super) fn udp<'a>(at: At, ip: &Ip, view: View<'a>) -> Result<Packet<'a>, Skip> {
    let (header, rest) = datagram(view)?;
    Ok(Packet::Udp(Datagram {
        at,
        from: SocketAddr::new(ip.from, header.source_port()),
        to: SocketAddr::new(ip.to, header.destination_port()),
        payload: rest.data,
    }))
}

/// What a datagram carries to the port of a tunnel, if it looks like it.
pub(super) fn tunnel(view: View<'_>) -> Option<Result<Step<'_>, Skip>> {
    let (header, rest) = datagram(view).ok()?;
    tunnel::in_udp((header.source_port(), header.destination_port()), rest)
}

fn datagram(view: View<'_>) -> Result<(UdpHeaderSlice<'_>, View<'_>), Skip> {
    let header = UdpHeaderSlice::from_slice(view.data).map_err(|_| view.short())?;
    let rest = view.skip(8)?;
    let rest = match usize::from(header.length()).checked_sub(8) {
        Some(len) => rest.limit(len.min(rest.wire)),
        None if header.length() == 0 => rest,
        None => return Err(Skip::Malformed),
    };
    Ok((header, rest))
}
