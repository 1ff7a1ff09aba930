//! Link layers and the tags between them and IP.

use super::view::View;
use super::{Kind, Skip, Step};

pub(super) fn ethernet(view: View<'_>) -> Result<Step<'_>, Skip> {
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
        0x8100 | 0x88a8 | 0x9100 | 0x9200 => Kind::Vlan,
        0x8847 | 0x8848 => Kind::Mpls,
        0x8864 => Kind::Pppoe,
        0x6558 => Kind::Ethernet,
        0x880b => Kind::Ppp,
        len @ 0..=1500 => {
            return Ok(Step::Into(Kind::Llc, rest.limit(usize::from(len).min(rest.wire))));
        }
        _ => return Err(Skip::NotIp),
    };
    Ok(Step::Into(kind, rest))
}

pub(super) fn llc(view: View<'_>) -> Result<Step<'_>, Skip> {
    match (view.u8(0)?, view.u8(1)?) {
        (0xaa, 0xaa) => match view.u16(6)? {
            // As an EtherType a length makes no sense here.
            0..=1500 => Err(Skip::NotIp),
            ether_type => by_ether_type(ether_type, view.skip(8)?),
        },
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

/// Linux ARCNET: addresses, an offset, and the protocol as in RFC 1051 or RFC 1201; pieces of a datagram are left out.
pub(super) fn arcnet(view: View<'_>) -> Result<Step<'_>, Skip> {
    match (view.u8(4)?, view.u8(5)?) {
        (0xf0, _) => Ok(Step::Into(Kind::V4, view.skip(5)?)),
        (0xd4, 0) => Ok(Step::Into(Kind::V4, view.skip(8)?)),
        _ => Err(Skip::NotIp),
    }
}

fn cooked(protocol: u16, rest: View<'_>) -> Result<Step<'_>, Skip> {
    match protocol {
        4 => Ok(Step::Into(Kind::Llc, rest)),
        0..=1500 => Err(Skip::NotIp),
        _ => by_ether_type(protocol, rest),
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
        // RFC 4448 4.6: the control word before an Ethernet frame.
        0 => Ok(Step::Into(Kind::Ethernet, rest.skip(4)?)),
        _ => Err(Skip::NotIp),
    }
}
