//! Tunnels that carry frames or packets: GRE, VXLAN, Geneve.

use super::link::by_ether_type;
use super::view::View;
use super::{Kind, Skip, Step};

/// GRE (RFC 2784, RFC 2890), NVGRE (RFC 7637), ERSPAN and the PPTP variant (RFC 2637).
pub(super) fn gre(view: View<'_>) -> Result<Step<'_>, Skip> {
    let (flags, protocol) = (view.u16(0)?, view.u16(2)?);
    let option = |bit: u16| if flags & bit == 0 { 0 } else { 4 };
    let sequence = option(0x1000);
    match flags & 7 {
        _ if flags & 0x4000 != 0 => Err(Skip::NotTcp),
        0 => {
            let rest = view.skip(4 + option(0x8000) + option(0x2000) + sequence)?;
            match protocol {
                // ERSPAN type II has a header of its own, type I none; only the former numbers its packets.
                0x88be => Ok(Step::Into(Kind::Ethernet, rest.skip(sequence * 2)?)),
                0..=1500 => Err(Skip::NotIp),
                _ => by_ether_type(protocol, rest),
            }
        }
        1 => {
            let rest = view.skip(8 + sequence + option(0x0080))?;
            // A packet that only acknowledges carries nothing.
            if sequence == 0 { Err(Skip::NotTcp) } else { Ok(Step::Into(Kind::Ppp, rest)) }
        }
        _ => Err(Skip::Malformed),
    }
}

/// The frame in a datagram to the port of VXLAN or Geneve, if it looks like one.
pub(super) fn in_udp(port: u16, view: View<'_>) -> Option<Result<Step<'_>, Skip>> {
    match port {
        // RFC 7348 5: the I flag is set, the reserved bits are not.
        4789 | 8472 if view.u32(0) == Ok(0x0800_0000) => {
            Some(view.skip(8).map(|rest| Step::Into(Kind::Ethernet, rest)))
        }
        // RFC 8926 3.4: version 0.
        6081 if view.u8(0).is_ok_and(|first| first >> 6 == 0) => Some(geneve(view)),
        _ => None,
    }
}

fn geneve(view: View<'_>) -> Result<Step<'_>, Skip> {
    let options = usize::from(view.u8(0)? & 0x3f) * 4;
    match view.u16(2)? {
        0..=1500 => Err(Skip::NotIp),
        protocol => by_ether_type(protocol, view.skip(8 + options)?),
    }
}
