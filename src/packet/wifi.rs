//! IEEE 802.11 data frames, and the headers that drivers put before them.

use super::link::by_ether_type;
use super::view::View;
use super::{Kind, Skip, Step};
use crate::capture::LinkType;

/// Set where radiotap says that the header is padded to a multiple of four.
const PADDED: u8 = 0x20;

/// Radiotap (radiotap.org): of its fields only the flags matter here.
pub(super) fn radiotap(view: View<'_>) -> Result<Step<'_>, Skip> {
    let len = usize::from(view.le16(2)?);
    let present = view.le32(4)?;
    let mut fields = 8;
    let mut more = present;
    while more >> 31 == 1 {
        more = view.le32(fields)?;
        fields += 4;
    }
    let stamp = if present & 1 == 1 { fields.next_multiple_of(8) + 8 } else { fields };
    let flags = if present & 2 == 2 { view.u8(stamp)? } else { 0 };
    frame(view.skip(len)?, flags & PADDED != 0)
}

/// The header of Prism drivers, or that of AVS, which shares the link type.
pub(super) fn prism(view: View<'_>) -> Result<Step<'_>, Skip> {
    let avs = view.u16(0)? == 0x8021;
    let len = if avs { view.u32(4)? } else { view.le32(4)? };
    frame(view.skip(usize::try_from(len).unwrap_or(usize::MAX))?, false)
}

/// Per-packet information: fields of varying length, and the link type of what follows.
pub(super) fn ppi(view: View<'_>) -> Result<Step<'_>, Skip> {
    let kind = Kind::of(LinkType(view.le32(4)?));
    Ok(Step::Into(kind, view.skip(usize::from(view.le16(2)?))?))
}

/// A frame without such a header.
pub(super) fn plain(view: View<'_>) -> Result<Step<'_>, Skip> {
    frame(view, false)
}

/// What access points send to their controller: the two bytes of the frame control may be swapped.
pub(super) fn to_controller(view: View<'_>) -> Result<Step<'_>, Skip> {
    let (first, second) = (view.u8(0)?, view.u8(1)?);
    let is_data = |control: u8| control & 0x0f == 0x08;
    if !is_data(first) && is_data(second) {
        return body(view, second, first, false);
    }
    frame(view, false)
}

/// IEEE 802.11-2020 9.2.3 and 9.3.2.1.
fn frame(view: View<'_>, padded: bool) -> Result<Step<'_>, Skip> {
    body(view, view.u8(0)?, view.u8(1)?, padded)
}

fn body(view: View<'_>, control: u8, flags: u8, padded: bool) -> Result<Step<'_>, Skip> {
    let (data, empty, protected) = (control & 0x0c == 0x08, control & 0x40 != 0, flags & 0x40 != 0);
    if !data || empty || protected {
        return Err(Skip::NotIp);
    }
    let four_addresses = flags & 3 == 3;
    let mut len = if four_addresses { 30 } else { 24 };
    let mut aggregate = false;
    if control & 0x80 != 0 {
        aggregate = view.u8(len)? & 0x80 != 0;
        len += if flags & 0x80 != 0 { 6 } else { 2 };
    }
    if padded {
        len = len.next_multiple_of(4);
    }
    // Of an aggregate the first part is taken: two addresses and a length go before it.
    let rest = view.skip(if aggregate { len + 14 } else { len })?;
    match rest.u16(0)? {
        // Some drivers leave out the header of LLC.
        ether_type @ (0x0800 | 0x86dd) => by_ether_type(ether_type, rest.skip(2)?),
        _ => Ok(Step::Into(Kind::Llc, rest)),
    }
}
