//! An interface of a pcapng file, and its clock.

use pcap_parser::pcapng::{InterfaceDescriptionBlock, OptionCode};

use super::LinkType;
use super::record::Order;
use crate::at::Timestamp;

/// What an interface description block says.
pub struct Interface {
    pub link: LinkType,
    /// The most bytes of a frame that are captured; 0 where that is not stated.
    pub snaplen: u32,
    /// Frames that were dropped, as far as the file tells.
    pub dropped: u64,
    unit: Unit,
    offset_nanos: i64,
}

/// Length of a clock tick.
#[derive(Clone, Copy)]
enum Unit {
    Nanos(u64),
    PerSecond(u128),
}

impl Interface {
    /// What the block says, whose numbers are in this order.
    pub fn of(block: &InterfaceDescriptionBlock<'_>, order: Order) -> Self {
        let link = LinkType(u32::try_from(block.linktype.0).unwrap_or(0) & 0xffff);
        let mut interface = Self {
            link,
            snaplen: block.snaplen,
            dropped: 0,
            unit: Unit::decode(6),
            offset_nanos: 0,
        };
        for option in &block.options {
            match (option.code, option.value()) {
                (OptionCode::EndOfOpt, _) => break,
                (OptionCode::IfTsresol, [resolution, ..]) => {
                    interface.unit = Unit::decode(*resolution)
                }
                (OptionCode::IfTsoffset, value) => {
                    // Decoded here because the package takes it for little-endian always.
                    let secs = order.i64(value, 0).unwrap_or(0);
                    interface.offset_nanos = secs.saturating_mul(1_000_000_000);
                }
                _ => {}
            }
        }
        interface
    }

    /// The moment at which its clock shows so many ticks.
    #[inline]
    pub fn time(&self, ticks: u64) -> Timestamp {
        Timestamp::from_nanos(self.unit.nanos(ticks).saturating_add(self.offset_nanos))
    }
}

/// Frames that the interface and the system dropped, where a block of statistics tells: `isb_ifdrop` and `isb_osdrop`.
/// All ones are no number.
pub fn dropped(block: &[u8], order: Order) -> Option<u64> {
    const IF_DROP: u16 = 5;
    const OS_DROP: u16 = 7;
    let (mut at, mut dropped) = (20, None);
    while let (Some(code @ 1..), Some(len)) = (order.u16(block, at), order.u16(block, at + 2)) {
        if matches!((code, len), (IF_DROP | OS_DROP, 8)) {
            let count = order.i64(block, at + 4).and_then(|count| u64::try_from(count).ok());
            dropped = count.map(|count| count.saturating_add(dropped.unwrap_or(0))).or(dropped);
        }
        at += 4 + usize::from(len).next_multiple_of(4);
    }
    dropped
}

impl Unit {
    /// From `if_tsresol`: a negative power of ten, or of two with the uppermost bit set.
    fn decode(resolution: u8) -> Self {
        let exponent = u32::from(resolution & 0x7f);
        match (resolution & 0x80, exponent) {
            (0, 0..=9) => Self::Nanos(10_u64.pow(9 - exponent)),
            (0, _) => Self::PerSecond(10_u128.checked_pow(exponent).unwrap_or(u128::MAX)),
            _ => Self::PerSecond(1 << exponent),
        }
    }

    fn nanos(self, ticks: u64) -> i64 {
        let nanos = match self {
            Self::Nanos(unit) => u128::from(ticks) * u128::from(unit),
            Self::PerSecond(units) => u128::from(ticks) * 1_000_000_000 / units,
        };
        i64::try_from(nanos).unwrap_or(i64::MAX)
    }
}
