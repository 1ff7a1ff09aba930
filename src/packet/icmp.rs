//! ICMP and ICMPv6 errors about TCP packets.

use std::net::{IpAddr, SocketAddr};

use crate::at::At;

use super::ip::{Ip, extension, v4_header, v6_header};
use super::view::View;
use super::{IcmpError, Packet, Skip};

const TCP: u8 = 6;

pub(super) fn error<'a>(at: At, protocol: u8, ip: &Ip, view: View<'a>) -> Result<Packet<'a>, Skip> {
    let v6 = protocol == 58;
    let kind = (view.u8(0)?, view.u8(1)?);
    let mtu = match (v6, kind) {
        // RFC 1191 4.
        (false, (3, 4)) => u32::from(view.u16(6)?),
        // RFC 4443 3.2.
        (true, (2, _)) => view.u32(4)?,
        (false, (3 | 11, _)) | (true, (1 | 3, _)) => 0,
        _ => return Err(Skip::NotTcp),
    };
    let quote = view.skip(8)?;
    let (quoted_from, quoted_to) = if v6 { quoted_v6(quote)? } else { quoted_v4(quote)? };
    Ok(Packet::Icmp(IcmpError { at, from: ip.from, kind, mtu, quoted_from, quoted_to }))
}

fn quoted_v4(view: View<'_>) -> Result<(SocketAddr, SocketAddr), Skip> {
    let header = v4_header(view)?;
    if header.protocol().0 != TCP || header.fragments_offset().value() != 0 {
        return Err(Skip::NotTcp);
    }
    let rest = view.skip(header.slice().len())?;
    ends(header.source_addr().into(), header.destination_addr().into(), rest)
}

fn quoted_v6(view: View<'_>) -> Result<(SocketAddr, SocketAddr), Skip> {
    let header = v6_header(view)?;
    let (mut next, mut rest) = (header.next_header().0, view.skip(40)?);
    while next != TCP {
        (next, rest) = extension(next, true, rest)?;
    }
    ends(header.source_addr().into(), header.destination_addr().into(), rest)
}

fn ends(from: IpAddr, to: IpAddr, tcp: View<'_>) -> Result<(SocketAddr, SocketAddr), Skip> {
    Ok((SocketAddr::new(from, tcp.u16(0)?), SocketAddr::new(to, tcp.u16(2)?)))
}
