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
        let mut interface =
            Self { link, snaplen: block.snaplen, unit: Unit::decode(6), offset_nanos: 0 };
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
