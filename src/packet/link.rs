//! Link layers and the tags between them and IP.

use super::view::View;
use super::{Kind, Skip, Step};

/// Whether this is Cisco's ISL, which puts a whole frame behind its header.
#[inline]
pub(super) fn is_isl(data: &[u8]) -> bool {
    matches!(data.first_chunk(), Some([0x01 | 0x03, 0x00, 0x0c, 0x00, 0x00]))
}

pub(super) fn ethernet(view: View<'_>) -> Result<Step<'_>, Skip> {
    if is_isl(view.data) {
        return Ok(Step::Into(Kind::Ethernet, view.skip(26)?));
    }
    by_ether_type(view.u16(12)?, view.skip(14)?)
}

pub(super) fn vlan(view: View<'_>) -> Result<Step<'_>, Skip> {
    by_ether_type(view.u16(2)?, view.skip(4)?)
}

/// What an EtherType, or a length in its place (IEEE 802.3), announces.
pub(super) fn by_ether_type(ether_type: u16, rest: View<'_>) -> Result<Step<'_>, Skip> {
    let kind = match ether_type {
        0x0800 => Kind::V4,
        0x86dd => Kind::V6,
        0x8100 | 0x88a8 | 0x9100 | 0x9200 | 0x9300 => Kind::Vlan,
        0x8847 | 0x8848 => Kind::Mpls,
        0x8864 => Kind::Pppoe,
        0x6558 => Kind::Ethernet,
        // IEEE 802.1ah: the service tag before the customer's frame.
        0x88e7 => return Ok(Step::Into(Kind::Ethernet, rest.skip(4)?)),
        0x88e5 => return macsec(rest),
        // VN-Tag (IEEE 802.1BR draft), HSR (IEC 62439-3) and R-TAG (IEEE 802.1CB 7.8): four bytes, then another type.
        0x8926 | 0x892f | 0xf1c1 => return behind_tag(rest, 4),
        0x894f => return nsh(rest),
        // The time stamp of Arista's switches: a kind, 64 or 48 bits, then another type.
        0xd28b => return behind_tag(rest, if rest.u16(2)? & 0xf0 == 0x20 { 10 } else { 12 }),
        // Cisco's tag of six bytes, then another type.
        0x8909 => return behind_tag(rest, 6),
        // TRILL (RFC 6325 3): six bytes, options in units of four, then a frame.
        0x22f3 => {
            let options = usize::from(rest.u16(0)? >> 6 & 0x1f) * 4;
            return Ok(Step::Into(Kind::Ethernet, rest.skip(6 + options)?));
        }
        0x880b => Kind::Ppp,
        0x8870 => Kind::Llc,
        // FabricPath's tag, and the unicast header of B.A.T.M.A.N. advanced.
        0x8903 => return Ok(Step::Into(Kind::Ethernet, rest.skip(2)?)),
        0x4305 if rest.u8(0)? == 0x40 => return Ok(Step::Into(Kind::Ethernet, rest.skip(10)?)),
        len @ 0..=1500 => {
            return Ok(Step::Into(Kind::Llc, rest.limit(usize::from(len).min(rest.wire))));
        }
        _ => return Err(Skip::NotIp),
    };
    Ok(Step::Into(kind, rest))
}

/// What an EtherType announces where it cannot be a length.
pub(super) fn by_type_alone(ether_type: u16, rest: View<'_>) -> Result<Step<'_>, Skip> {
    match ether_type {
        0..=1500 => Err(Skip::NotIp),
        _ => by_ether_type(ether_type, rest),
    }
}

/// What the EtherType behind `len` bytes of a tag announces: a step of its own, as tags may follow one another.
fn behind_tag(view: View<'_>, len: usize) -> Result<Step<'_>, Skip> {
    Ok(Step::Into(Kind::Typed(view.u16(len)?), view.skip(len + 2)?))
}

/// MACsec without encryption (IEEE 802.1AE 9.3); the check value behind it is padding to IP.
fn macsec(view: View<'_>) -> Result<Step<'_>, Skip> {
    let control = view.u8(0)?;
    let channel = if control & 0x20 == 0 { 0 } else { 8 };
    if control & 0x0c != 0 {
        return Err(Skip::NotIp);
    }
    behind_tag(view, 6 + channel)
}

/// Network service header (RFC 8300 2.2).
pub(super) fn nsh(view: View<'_>) -> Result<Step<'_>, Skip> {
    let len = usize::from(view.u8(1)? & 0x3f) * 4;
    let kind = match view.u8(3)? {
        1 => Kind::V4,
        2 => Kind::V6,
        3 => Kind::Ethernet,
        _ => return Err(Skip::NotIp),
    };
    if len < 8 { Err(Skip::Malformed) } else { Ok(Step::Into(kind, view.skip(len)?)) }
}

pub(super) fn llc(view: View<'_>) -> Result<Step<'_>, Skip> {
    match (view.u8(0)?, view.u8(1)?) {
        // RFC 2684 5.2: a bridged Ethernet frame behind two bytes of padding.
        (0xaa, 0xaa) if view.u8(3)? == 0 && view.u16(4)? == 0x80c2 => match view.u16(6)? {
            1 | 7 => Ok(Step::Into(Kind::Ethernet, view.skip(10)?)),
            _ => Err(Skip::NotIp),
        },
        // RFC 2684 5.1: a network layer number of ISO.
        (0xfe, 0xfe) if view.u8(3)? == 0xcc => Ok(Step::Into(Kind::V4, view.skip(4)?)),
        (0xaa, 0xaa) => by_type_alone(view.u16(6)?, view.skip(8)?),
        (0x06, 0x06) => Ok(Step::Into(Kind::V4, view.skip(3)?)),
        _ => Err(Skip::NotIp),
    }
}

pub(super) fn sll(view: View<'_>) -> Result<Step<'_>, Skip> {
    cooked(view.u16(14)?, view.skip(16)?)
}

pub(super) fn sll2(view: View<'_>) -> Result<Step<'_>, Skip> {
    cooked(view.u16(0)?, view.skip(20)?)
}

fn cooked(protocol: u16, rest: View<'_>) -> Result<Step<'_>, Skip> {
    match protocol {
        4 => Ok(Step::Into(Kind::Llc, rest)),
        _ => by_type_alone(protocol, rest),
    }
}

/// The address family of BSD loopback, in the byte order of whoever captured.
pub(super) fn null(view: View<'_>) -> Result<Step<'_>, Skip> {
    let family = view.u32(0)?;
    let kind = match family.min(family.swap_bytes()) {
        2 => Kind::V4,
        10 | 24 | 28 | 30 => Kind::V6,
        _ => return Err(Skip::NotIp),
    };
    Ok(Step::Into(kind, view.skip(4)?))
}

pub(super) fn ppp(view: View<'_>) -> Result<Step<'_>, Skip> {
    let view = match view.u16(0)? {
        0xff03 => view.skip(2)?,
        // Cisco HDLC shares the link type.
        0x0f00 | 0x8f00 => return by_ether_type(view.u16(2)?, view.skip(4)?),
        _ => view,
    };
    // RFC 1661 6.5: an odd first byte is a compressed protocol field.
    let (protocol, len) = match view.u8(0)? {
        odd if odd & 1 == 1 => (u16::from(odd), 1),
        _ => (view.u16(0)?, 2),
    };
    let kind = match protocol {
        // Multilink, where one fragment is all of a packet (RFC 1990 3).
        0x003d if view.u8(len)? & 0xc0 == 0xc0 => {
            return Ok(Step::Into(Kind::Ppp, view.skip(len + 4)?));
        }
        0x0021 => Kind::V4,
        0x0057 => Kind::V6,
        0x0281 | 0x0283 => Kind::Mpls,
        _ => return Err(Skip::NotIp),
    };
    Ok(Step::Into(kind, view.skip(len)?))
}

pub(super) fn pppoe(view: View<'_>) -> Result<Step<'_>, Skip> {
    if view.u16(0)? != 0x1100 {
        return Err(Skip::NotIp);
    }
    let len = usize::from(view.u16(4)?);
    let rest = view.skip(6)?;
    Ok(Step::Into(Kind::Ppp, rest.limit(len.min(rest.wire))))
}

pub(super) fn mpls(view: View<'_>) -> Result<Step<'_>, Skip> {
    let bottom = view.u8(2)? & 1 == 1;
    let rest = view.skip(4)?;
    if !bottom {
        return Ok(Step::Into(Kind::Mpls, rest));
    }
    match rest.u8(0)? >> 4 {
        4 => Ok(Step::Into(Kind::V4, rest)),
        6 => Ok(Step::Into(Kind::V6, rest)),
        first => pseudowire(first, rest),
    }
}

/// An Ethernet frame (RFC 4448), behind a control word (4.6) or not, as its types tell.
fn pseudowire(first: u8, view: View<'_>) -> Result<Step<'_>, Skip> {
    let is_type = |at| matches!(view.u16(at), Ok(0x0800 | 0x8100 | 0x86dd | 0x8847 | 0x8864));
    match first {
        0 if is_type(16) || !is_type(12) => Ok(Step::Into(Kind::Ethernet, view.skip(4)?)),
        _ if is_type(12) => Ok(Step::Into(Kind::Ethernet, view)),
        _ => Err(Skip::NotIp),
    }
}
