//! IPv4, IPv6 and what they announce.

use std::net::IpAddr;

use etherparse::{Ipv4HeaderSlice, Ipv6FragmentHeaderSlice, Ipv6HeaderSlice};

use super::fragment::Piece;
use super::view::View;
use super::{Found, Kind, Skip, Step, transport, tunnel};

/// Fragment header of IPv6.
const FRAGMENT: u8 = 44;

/// What is kept of an IP header.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ip {
    pub from: IpAddr,
    pub to: IpAddr,
    pub ttl: u8,
    pub id: Option<u16>,
}

impl Default for Ip {
    fn default() -> Self {
        let none = IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED);
        Self { from: none, to: none, ttl: 0, id: None }
    }
}

pub(super) fn any(view: View<'_>) -> Result<Step<'_>, Skip> {
    match view.u8(0)? >> 4 {
        4 => Ok(Step::Into(Kind::V4, view)),
        6 => Ok(Step::Into(Kind::V6, view)),
        _ => Err(Skip::NotIp),
    }
}

pub(super) fn v4<'a>(view: View<'a>, ip: &mut Ip) -> Result<Step<'a>, Skip> {
    // Some senders of tunnels announce one version and send the other.
    if view.u8(0)? >> 4 == 6 {
        return Ok(Step::Into(Kind::V6, view));
    }
    let header = v4_header(view)?;
    let len = header.slice().len();
    let fragment = header.is_fragmenting_payload();
    let view = match usize::from(header.total_len()) {
        // Segmentation offload leaves the length to the network card.
        0 => view,
        total if total < len => return Err(Skip::Malformed),
        // A fragment is of use only if it is whole.
        total if fragment => view.limit(total),
        total => view.limit(stated(total, view, ip)),
    };
    *ip = v4_facts(&header);
    let (protocol, rest) = (header.protocol().0, view.skip(len)?);
    if fragment {
        let piece = Piece {
            ip: *ip,
            protocol,
            id: u32::from(header.identification()),
            offset: header.fragments_offset(),
            more: header.more_fragments(),
            view: rest,
        };
        return Ok(Step::Found(Found::Piece(piece)));
    }
    Ok(Step::Into(Kind::Protocol(protocol), rest))
}

/// The bytes on the wire of a packet that states its length behind the headers of `outer`. Mirrors cut to the MTU of
/// their tunnel; else the frame knows better.
fn stated(len: usize, view: View<'_>, outer: &Ip) -> usize {
    if outer.from.is_unspecified() { len.min(view.wire) } else { len }
}

/// The header, if its own fields agree with each other.
pub(super) fn v4_header(view: View<'_>) -> Result<Ipv4HeaderSlice<'_>, Skip> {
    let first = view.u8(0)?;
    if first >> 4 != 4 || first & 0xf < 5 {
        return Err(Skip::Malformed);
    }
    Ipv4HeaderSlice::from_slice(view.data).map_err(|_| view.short())
}

#[inline(always)]
pub(super) fn v4_facts(header: &Ipv4HeaderSlice<'_>) -> Ip {
    Ip {
        from: header.source_addr().into(),
        to: header.destination_addr().into(),
        ttl: header.ttl(),
        id: Some(header.identification()),
    }
}

pub(super) fn v6<'a>(view: View<'a>, ip: &mut Ip) -> Result<Step<'a>, Skip> {
    let header = v6_header(view)?;
    let rest = view.skip(40)?;
    let rest = match usize::from(header.payload_length()) {
        // Segmentation offload or a jumbogram.
        0 => rest,
        len if header.next_header().0 == FRAGMENT => rest.limit(len),
        len => rest.limit(stated(len, rest, ip)),
    };
    *ip = v6_facts(&header);
    Ok(Step::Into(Kind::Protocol(header.next_header().0), rest))
}

#[inline(always)]
pub(super) fn v6_facts(header: &Ipv6HeaderSlice<'_>) -> Ip {
    Ip {
        from: header.source_addr().into(),
        to: header.destination_addr().into(),
        ttl: header.hop_limit(),
        id: None,
    }
}

pub(super) fn v6_header(view: View<'_>) -> Result<Ipv6HeaderSlice<'_>, Skip> {
    if view.u8(0)? >> 4 != 6 {
        return Err(Skip::Malformed);
    }
    Ipv6HeaderSlice::from_slice(view.data).map_err(|_| view.short())
}

pub(super) fn protocol<'a>(number: u8, ip: &Ip, view: View<'a>) -> Result<Step<'a>, Skip> {
    match number {
        6 => Ok(Step::Found(Found::Tcp(view))),
        17 => transport::tunnel(view).unwrap_or(Ok(Step::Found(Found::Udp(view)))),
        1 | 58 => Ok(Step::Found(Found::Icmp(number, view))),
        4 => Ok(Step::Into(Kind::V4, view)),
        41 => Ok(Step::Into(Kind::V6, view)),
        47 => tunnel::gre(view),
        // What PIM registers carry (RFC 7761 4.9.3).
        103 if view.u8(0)? == 0x21 => Ok(Step::Into(Kind::AnyIp, view.skip(8)?)),
        // EtherIP (RFC 3378) and MPLS in IP (RFC 4023).
        97 => Ok(Step::Into(Kind::Ethernet, view.skip(2)?)),
        137 => Ok(Step::Into(Kind::Mpls, view)),
        FRAGMENT if ip.from.is_ipv6() => v6_fragment(ip, view),
        _ => {
            let (next, rest) = extension(number, ip.from.is_ipv6(), view)?;
            Ok(Step::Into(Kind::Protocol(next), rest))
        }
    }
}

/// What follows an extension header that only needs to be stepped over.
pub(super) fn extension(number: u8, v6: bool, view: View<'_>) -> Result<(u8, View<'_>), Skip> {
    let len = match number {
        51 => (usize::from(view.u8(1)?) + 2) * 4,
        0 | 43 | 60 | 135 | 139 | 140 if v6 => (usize::from(view.u8(1)?) + 1) * 8,
        _ => return Err(Skip::NotTcp),
    };
    Ok((view.u8(0)?, view.skip(len)?))
}

fn v6_fragment<'a>(ip: &Ip, view: View<'a>) -> Result<Step<'a>, Skip> {
    let header = Ipv6FragmentHeaderSlice::from_slice(view.data).map_err(|_| view.short())?;
    let (protocol, rest) = (header.next_header().0, view.skip(8)?);
    if !header.is_fragmenting_payload() {
        return Ok(Step::Into(Kind::Protocol(protocol), rest));
    }
    let piece = Piece {
        ip: *ip,
        protocol,
        id: header.identification(),
        offset: header.fragment_offset(),
        more: header.more_fragments(),
        view: rest,
    };
    Ok(Step::Found(Found::Piece(piece)))
}
