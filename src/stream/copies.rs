//! Data that was captured twice and sent once, where IPv4 identifications do not tell.

use etherparse::{TcpOptionElement, TcpOptionsIterator};

use crate::at::At;
use crate::packet::Segment;

use super::flow::Flow;
use super::flows::Dir;
use super::part::Part;

/// No timer of a sender is faster, in nanoseconds: the probe for a lost tail takes two round trips, and more where
/// these are short (RFC 8985 7.2).
const FASTEST_TIMER: i64 = 2_000_000;

/// Clocks for timestamps tick at least that often, in nanoseconds, as those of all common systems do.
const SLOWEST_TICK: i64 = 100_000_000;

/// Bytes of the timestamps option between two of padding, as all common systems write it (RFC 7323 appendix A).
const STAMPED: usize = 12;

/// What tells of a side whether it sent data again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sending {
    /// Its SYN allows selective acknowledgements.
    pub(super) selective: bool,
    /// The other side has said that it lacks something ahead of what it has.
    holed: bool,
    /// The beginning of the options of its last data in order.
    options: [u8; 8],
    /// Where the first data with these began.
    since: u64,
    /// How far it had sent when it last sent something again.
    recovers_to: u64,
}

impl Sending {
    /// Takes the options of data that is the next, at `offset`.
    #[inline(always)]
    pub fn advance(&mut self, options: &[u8], offset: u64) {
        if let Some(options) = options.first_chunk()
            && *options != self.options
        {
            (self.options, self.since) = (*options, offset);
        }
    }

    /// Takes the options of an acknowledgement of the other side, which may be one of `more` than before.
    #[inline(always)]
    pub fn acknowledged(&mut self, options: &[u8], more: bool) {
        if options.len() > STAMPED || options.get(2) == Some(&5) {
            self.holed = is_selective(options);
        } else if more {
            self.holed = false;
        }
    }
}

#[inline(never)]
fn is_selective(options: &[u8]) -> bool {
    let mut options = TcpOptionsIterator::from_slice(options).map_while(Result::ok);
    options.any(|option| matches!(option, TcpOptionElement::SelectiveAcknowledgement(..)))
}

/// The sender's clock in the timestamps option (RFC 7323 3.2).
fn stamp(options: &[u8]) -> Option<u32> {
    match options {
        [1, 1, 8, 10, one, two, three, four, ..] => {
            Some(u32::from_be_bytes([*one, *two, *three, *four]))
        }
        _ => None,
    }
}

impl<T: Default> Flow<T> {
    /// Whether data at `start..end` that was there before was only captured again; `last` is the data before it. What is
    /// sent again has a timestamp of its own; within one tick of that clock, or without one, only a side that was told
    /// of a hole sends again before a timer runs out (RFC 6675 5).
    pub(super) fn is_sent_once(
        &mut self,
        dir: Dir,
        segment: &Segment<'_>,
        part: &Part<'_>,
        last: Option<At>,
    ) -> bool {
        let (start, end) = (part.offset, part.end());
        let highest = self.halves.of(dir).highest();
        let tells = self.subject.facts(dir.other()).sending.selective;
        let sending = &mut self.subject.facts(dir).sending;
        let pause = last.map_or(i64::MAX, |last| segment.at.time.since(last.time).abs());
        let told = sending.holed || end <= sending.recovers_to;
        let unasked = tells && sending.selective && !told;
        let once = match (stamp(&sending.options), stamp(segment.options)) {
            (Some(newest), Some(own)) => match own.wrapping_sub(newest).cast_signed() {
                0 => unasked && start >= sending.since && pause < SLOWEST_TICK,
                ahead => ahead < 0,
            },
            _ => unasked && pause < FASTEST_TIMER && segment.ip_id.unwrap_or(0) == 0,
        };
        if !once {
            sending.recovers_to = highest;
        }
        once
    }
}
