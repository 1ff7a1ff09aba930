//! What Juniper's routers put before the packets that they capture (print-juniper.c of tcpdump).

use super::view::View;
use super::{Kind, Skip, Step};

/// Set where no link layer follows, only a protocol number.
const NO_LINK: u8 = 2;
/// Set where extensions follow the flags.
const EXTENSIONS: u8 = 0x80;

/// A magic number, flags and extensions, then what link type `number` says.
pub(super) fn header(number: u32, view: View<'_>) -> Result<Step<'_>, Skip> {
    let flags = view.u8(3)?;
    if view.u16(0)? != 0x4d47 || view.u8(2)? != 0x43 {
        return Err(Skip::NotIp);
    }
    let extensions = if flags & EXTENSIONS == 0 { 0 } else { 2 + usize::from(view.u16(4)?) };
    let rest = view.skip(4 + extensions)?;
    if flags & NO_LINK != 0 {
        return Ok(Step::Into(Kind::AnyIp, rest.skip(4)?));
    }
    let (kind, len) = match number {
        // Multilink and plain PPP: two bytes, then the protocol.
        130 | 179 => (Kind::Ppp, 2),
        133 => (Kind::AnyIp, 4),
        135 => return cells(rest.skip(8)?),
        137 => return cells(rest.skip(4)?),
        180 => (Kind::Rare(107), 0),
        181 => (Kind::Rare(104), 0),
        183 => (Kind::AnyIp, 18),
        _ => (Kind::Ethernet, 0),
    };
    Ok(Step::Into(kind, rest.skip(len)?))
}

/// What ATM interfaces carry, behind their cookie.
fn cells(view: View<'_>) -> Result<Step<'_>, Skip> {
    let kind = match view.u16(0)? {
        0xaaaa | 0xfefe => Kind::Llc,
        0xff03 => Kind::Ppp,
        _ => Kind::AnyIp,
    };
    Ok(Step::Into(kind, view))
}
