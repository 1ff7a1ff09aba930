//! Tunnels that carry frames or packets: GRE, VXLAN, Geneve, GTP, Teredo, L2TP and others in UDP.

use super::link::{by_type_alone, nsh};
use super::view::View;
use super::{Kind, Skip, Step, wifi};

/// GRE (RFC 2784, RFC 2890), NVGRE (RFC 7637), ERSPAN and the PPTP variant (RFC 2637).
pub(super) fn gre(view: View<'_>) -> Result<Step<'_>, Skip> {
    let (flags, protocol) = (view.u16(0)?, view.u16(2)?);
    let option = |bits: u16| if flags & bits == 0 { 0 } else { 4 };
    let sequence = option(0x1000);
    match flags & 7 {
        0 => {
            // The checksum shares its word with the offset of a route (RFC 1701).
            let rest = view.skip(4 + option(0xc000) + option(0x2000) + sequence)?;
            let rest = if flags & 0x4000 == 0 { rest } else { unrouted(rest)? };
            match protocol {
                // ERSPAN type II has a header of its own, type I none; only the former numbers its packets.
                0x88be => Ok(Step::Into(Kind::Ethernet, rest.skip(sequence * 2)?)),
                // Type III has twelve bytes, and eight more where its last bit says so.
                0x22eb => {
                    let more = if rest.u8(11)? & 1 == 1 { 8 } else { 0 };
                    Ok(Step::Into(Kind::Ethernet, rest.skip(12 + more)?))
                }
                // WCCP redirects with or without a header of four bytes.
                0x883e if rest.u8(0)? >> 4 == 4 => Ok(Step::Into(Kind::V4, rest)),
                0x883e => Ok(Step::Into(Kind::V4, rest.skip(4)?)),
                // Frame relay, and frames of access points.
                0x6559 => Ok(Step::Into(Kind::Rare(107), rest)),
                0x8200 => wifi::to_controller(rest),
                _ => by_type_alone(protocol, rest),
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

/// What follows the entries of a route (RFC 1701): an empty one is the last.
fn unrouted(mut view: View<'_>) -> Result<View<'_>, Skip> {
    loop {
        let len = usize::from(view.u8(3)?);
        view = view.skip(4 + len)?;
        if len == 0 {
            return Ok(view);
        }
    }
}

/// A look-up may come from any port, even that of a tunnel.
const DNS: u16 = 53;

/// The frame or packet in a datagram between the ports of a tunnel, if it looks like one.
pub(super) fn in_udp(ports: (u16, u16), view: View<'_>) -> Option<Result<Step<'_>, Skip>> {
    if ports.0 == DNS || ports.1 == DNS {
        return None;
    }
    match ports.1 {
        // RFC 7348 5: the I flag is set; what else is, belongs to group policies. Others use the second port too.
        4789 if view.u8(0).is_ok_and(|flags| flags & 0x08 != 0) => {
            Some(view.skip(8).map(|rest| Step::Into(Kind::Ethernet, rest)))
        }
        // Azure's balancer sends both legs to ports of its own, others to those that they chose.
        8472 | 10800 | 10801 | 48879 | 65330 if view.u32(0) == Ok(0x0800_0000) => {
            Some(view.skip(8).map(|rest| Step::Into(Kind::Ethernet, rest)))
        }
        // RFC 8926 3.4: version 0.
        6081 if view.u8(0).is_ok_and(|first| first >> 6 == 0) => Some(geneve(view)),
        _ => by_port(ports.1, view).or_else(|| by_port(ports.0, view)).map(Ok),
    }
}

/// Tunnels that are told by either port; what does not fit is a datagram like others.
fn by_port(port: u16, view: View<'_>) -> Option<Step<'_>> {
    match port {
        // Mobile IP (RFC 3519 3.2): a type, the protocol, two bytes of nothing.
        434 if view.u8(0) == Ok(4) => inner_ip(view.skip(4).ok()?),
        1701 => l2tp(view),
        2152 => gtp_u(view),
        // GTP version 0: a header of twenty bytes.
        3386 if view.u16(0).is_ok_and(|head| head & 0xe0ff == 0xff) => {
            inner_ip(view.skip(20).ok()?)
        }
        3544 => teredo(view),
        // LISP (RFC 6830 5): eight bytes, then an IP packet.
        4341 => inner_ip(view.skip(8).ok()?),
        // GRE in UDP (RFC 8086).
        4754 => gre(view).ok(),
        4790 => vxlan_gpe(view),
        5072 => ayiya(view),
        5247 => capwap(view),
        6635 => Some(Step::Into(Kind::Mpls, view)),
        // What Juniper's routers intercept: two identifiers.
        30030 => inner_ip(view.skip(8).ok()?),
        37008 => tzsp(view),
        _ => None,
    }
}

fn inner_ip(view: View<'_>) -> Option<Step<'_>> {
    matches!(view.u8(0), Ok(0x45..=0x4f | 0x60..=0x6f)).then_some(Step::Into(Kind::AnyIp, view))
}

/// AYIYA (draft-massar-v6ops-ayiya 3): an identity, a signature, then IPv6.
fn ayiya(view: View<'_>) -> Option<Step<'_>> {
    let (identity, signature) = (view.u8(0).ok()? >> 4, view.u8(1).ok()? >> 4);
    let len = 8 + (1 << identity) + usize::from(signature) * 4;
    if view.u8(3) == Ok(41) { inner_ip(view.skip(len).ok()?) } else { None }
}

/// CAPWAP without DTLS (RFC 5415 4.3): a frame of either kind; pieces are left out.
fn capwap(view: View<'_>) -> Option<Step<'_>> {
    let word = view.u32(0).ok()?;
    let (preamble, len, wireless, piece) =
        (word >> 24, word >> 19 & 0x1f, word & 0x100 != 0, word & 0x80 != 0);
    if preamble != 0 || len < 2 || piece {
        return None;
    }
    let rest = view.skip(len as usize * 4).ok()?;
    if wireless { wifi::to_controller(rest).ok() } else { Some(Step::Into(Kind::Ethernet, rest)) }
}

/// GTP version 1, user plane (3GPP TS 29.281 5.1).
fn gtp_u(view: View<'_>) -> Option<Step<'_>> {
    let (flags, kind) = (view.u8(0).ok()?, view.u8(1).ok()?);
    if flags >> 4 != 3 || kind != 0xff {
        return None;
    }
    let mut len = if flags & 7 == 0 { 8 } else { 12 };
    let mut more = flags & 4 != 0 && view.u8(11).ok()? != 0;
    while more {
        let units = usize::from(view.u8(len).ok()?);
        len += units.max(1) * 4;
        more = units > 0 && view.u8(len - 1).ok()? != 0;
    }
    inner_ip(view.skip(len).ok()?)
}

/// Teredo (RFC 4380 5.1.1): IPv6, perhaps behind authentication and origin.
fn teredo(view: View<'_>) -> Option<Step<'_>> {
    let mut rest = view;
    if rest.u16(0) == Ok(1) {
        let (client, value) = (rest.u8(2).ok()?, rest.u8(3).ok()?);
        rest = rest.skip(13 + usize::from(client) + usize::from(value)).ok()?;
    }
    if rest.u16(0) == Ok(0) {
        rest = rest.skip(8).ok()?;
    }
    (rest.u8(0).ok()? >> 4 == 6).then_some(Step::Into(Kind::V6, rest))
}

/// L2TP version 2, data messages (RFC 2661 3.1).
fn l2tp(view: View<'_>) -> Option<Step<'_>> {
    let flags = view.u16(0).ok()?;
    if flags & 0x800f != 0x0002 {
        return None;
    }
    let has = |bit: u16| flags & bit != 0;
    let mut len = 6 + if has(0x4000) { 2 } else { 0 } + if has(0x0800) { 4 } else { 0 };
    if has(0x0200) {
        len += 2 + usize::from(view.u16(len).ok()?);
    }
    Some(Step::Into(Kind::Ppp, view.skip(len).ok()?))
}

/// VXLAN that names the protocol of what follows (draft-ietf-nvo3-vxlan-gpe 3.1).
fn vxlan_gpe(view: View<'_>) -> Option<Step<'_>> {
    let rest = view.skip(8).ok()?;
    match view.u8(3).ok()? {
        1 | 2 => inner_ip(rest),
        3 => Some(Step::Into(Kind::Ethernet, rest)),
        4 => nsh(rest).ok(),
        _ => None,
    }
}

/// TaZmen Sniffer Protocol: tags, then a frame of the named link type.
fn tzsp(view: View<'_>) -> Option<Step<'_>> {
    let kind = match (view.u8(1).ok()?, view.u16(2).ok()?) {
        (0, 1) => Kind::Ethernet,
        (0, 0x12) => Kind::Wifi,
        (0, 0x77) => Kind::Prism,
        _ => return None,
    };
    let mut at = 4;
    loop {
        match view.u8(at).ok()? {
            0 => at += 1,
            1 => return Some(Step::Into(kind, view.skip(at + 1).ok()?)),
            _ => at += 2 + usize::from(view.u8(at + 1).ok()?),
        }
    }
}

fn geneve(view: View<'_>) -> Result<Step<'_>, Skip> {
    let options = usize::from(view.u8(0)? & 0x3f) * 4;
    by_type_alone(view.u16(2)?, view.skip(8 + options)?)
}
