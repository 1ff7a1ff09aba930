//! Link layers that are seldom captured, by their number (tcpdump.org/linktypes.html).

use super::link::by_ether_type;
use super::view::View;
use super::{Kind, Skip, Step, juniper};
use crate::capture::LinkType;

/// What follows the header of link type `number`.
pub(super) fn link(number: u32, view: View<'_>) -> Result<Step<'_>, Skip> {
    match number {
        6 => token_ring(view),
        7 => arcnet(view, 2),
        8 => into(Kind::AnyIp, view, 16), // SLIP
        10 => into(Kind::Llc, view, 13),  // FDDI
        100 | 106 => atm(view),           // ATM_RFC1483, ATM_CLIP
        104 => typed(view, 2),            // C_HDLC
        107 => frame_relay(view),
        109 => into(Kind::AnyIp, view, 12), // ENC
        117 => into(Kind::AnyIp, view, usize::from(view.u8(0)?).next_multiple_of(4)), // PFLOG
        122 => into(Kind::Llc, view, 16),   // IP_OVER_FC
        123 => sun_atm(view),
        // With the offset that Linux puts behind the addresses.
        129 => arcnet(view, 4),
        138 => typed(view, 16), // APPLE_IP_OVER_IEEE1394
        130 | 133 | 135 | 137 | 167 | 178..=181 | 183 => juniper::header(number, view),
        143 => docsis(view),
        149 | 258 => pktap(view),
        // A direction in place of the address, then the control field.
        166 => into(Kind::Ppp, view, if view.u8(1)? == 3 { 2 } else { 0 }),
        197 => erf(view),
        204 => into(Kind::Ppp, view, 1),    // PPP_WITH_DIR
        205 => typed(view.skip(1)?, 2),     // C_HDLC_WITH_DIR
        206 => frame_relay(view.skip(1)?),  // FRELAY_WITH_DIR
        226 => into(Kind::AnyIp, view, 24), // IPNET
        239 => nflog(view),
        240 => into(Kind::Ethernet, view, 4),  // NETANALYZER
        241 => into(Kind::Ethernet, view, 12), // NETANALYZER_TRANSPARENT
        242 => by_ether_type(view.u16(40)?, view.skip(44)?), // IPOIB
        // The preamble of Ethernet PON.
        259 => into(Kind::Ethernet, view, 8),
        // Tags of switches, between the addresses and the type or before all of it.
        281 | 284 => typed(view, 16),
        282 => into(Kind::Ethernet, view, 4),
        285 => typed(view, 20),
        other => Err(Skip::LinkType(other)),
    }
}

fn into(kind: Kind, view: View<'_>, len: usize) -> Result<Step<'_>, Skip> {
    Ok(Step::Into(kind, view.skip(len)?))
}

/// An EtherType at `offset` ends the header.
fn typed(view: View<'_>, offset: usize) -> Result<Step<'_>, Skip> {
    by_ether_type(view.u16(offset)?, view.skip(offset + 2)?)
}

/// ARCNET: addresses, then, at `offset`, the protocol as in RFC 1051 or RFC 1201; pieces of a datagram are left out.
fn arcnet(view: View<'_>, offset: usize) -> Result<Step<'_>, Skip> {
    match (view.u8(offset)?, view.u8(offset + 1)?) {
        (0xf0, _) => into(Kind::V4, view, offset + 1),
        (0xd4, 0) => into(Kind::V4, view, offset + 4),
        _ => Err(Skip::NotIp),
    }
}

/// IEEE 802.5: a route follows the addresses where the sender says so.
fn token_ring(view: View<'_>) -> Result<Step<'_>, Skip> {
    let routed = view.u8(8)? & 0x80 != 0;
    let route = if routed { usize::from(view.u8(14)? & 0x1f) } else { 0 };
    into(Kind::Llc, view, 14 + route)
}

/// RFC 2684, or IP alone.
fn atm(view: View<'_>) -> Result<Step<'_>, Skip> {
    let kind = if matches!(view.u8(0)? >> 4, 4 | 6) { Kind::AnyIp } else { Kind::Llc };
    into(kind, view, 0)
}

fn sun_atm(view: View<'_>) -> Result<Step<'_>, Skip> {
    match view.u8(0)? & 0x0f {
        1 => into(Kind::Ethernet, view, 6),
        2 => into(Kind::Llc, view, 4),
        _ => Err(Skip::NotIp),
    }
}

/// RFC 2427, or a bare EtherType as Cisco has it.
fn frame_relay(view: View<'_>) -> Result<Step<'_>, Skip> {
    let mut len = 2;
    while view.u8(len - 1)? & 1 == 0 {
        if len == 4 {
            return Err(Skip::Malformed);
        }
        len += 1;
    }
    if view.u8(len)? != 3 {
        return typed(view, len);
    }
    len += 1;
    if view.u8(len)? == 0 {
        len += 1;
    }
    match view.u8(len)? {
        0xcc => into(Kind::V4, view, len + 1),
        0x8e => into(Kind::V6, view, len + 1),
        // Bridged Ethernet.
        0x80 if view.u32(len + 1)? == 0x0080_c200 => into(Kind::Ethernet, view, len + 6),
        0x80 => typed(view, len + 4),
        0xcf => into(Kind::Ppp, view, len + 1),
        _ => Err(Skip::NotIp),
    }
}

/// Packets of the data network; everything else is management.
fn docsis(view: View<'_>) -> Result<Step<'_>, Skip> {
    let control = view.u8(0)?;
    let extended = if control & 1 == 1 { usize::from(view.u8(1)?) } else { 0 };
    match control >> 6 {
        0 => into(Kind::Ethernet, view, 6 + extended),
        _ => Err(Skip::NotIp),
    }
}

/// Apple's header, which names the link type of what follows.
fn pktap(view: View<'_>) -> Result<Step<'_>, Skip> {
    let len = usize::try_from(view.le32(0)?).unwrap_or(usize::MAX);
    if len < 12 || view.le32(4)? != 1 {
        return Err(Skip::NotIp);
    }
    into(Kind::of(LinkType(view.le32(8)?)), view, len)
}

/// Endace's record, with the headers that may extend it.
fn erf(view: View<'_>) -> Result<Step<'_>, Skip> {
    let kind = view.u8(8)?;
    let (mut len, mut more) = (16, kind & 0x80 != 0);
    while more {
        more = view.u8(len)? & 0x80 != 0;
        len += 8;
    }
    match kind & 0x7f {
        1 | 10 | 15 | 19 => into(Kind::Ppp, view, len),
        4 => into(Kind::Llc, view, len + 4),
        5 | 17 => into(Kind::Ppp, view, len + 4),
        2 | 11 | 16 | 20 => into(Kind::Ethernet, view, len + 2),
        22 | 23 => into(Kind::AnyIp, view, len),
        _ => Err(Skip::NotIp),
    }
}

/// Linux netfilter: attributes, one of which is the packet.
fn nflog(view: View<'_>) -> Result<Step<'_>, Skip> {
    const PAYLOAD: u16 = 9;
    let mut rest = view.skip(4)?;
    loop {
        let (len, kind) = (usize::from(rest.le16(0)?), rest.le16(2)?);
        if len < 4 {
            return Err(Skip::Malformed);
        }
        if kind & 0x7fff == PAYLOAD {
            return Ok(Step::Into(Kind::AnyIp, rest.limit(len).skip(4)?));
        }
        rest = rest.skip(len.next_multiple_of(4))?;
    }
}
