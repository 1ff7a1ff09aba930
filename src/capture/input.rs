//! What is known about each input.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::record::FrameFacts;
use crate::at::Timestamp;
use crate::rare::is_default;

/// One capture file or interface, and how far it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Input {
    /// Path, `-` for standard input, or interface.
    pub name: String,
    /// `pcap`, `pcapng`, `snoop`, `netmon` or `live`; empty or absent where nothing could be read.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub format: String,
    /// `gzip`, `zstd` or `lz4`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compression: Option<String>,
    /// Frames read.
    pub frames: u64,
    /// Frames that a filter left out.
    #[serde(default, skip_serializing_if = "is_default")]
    pub filtered_frames: u64,
    /// Bytes of the capture read, after decompression.
    pub bytes: u64,
    /// Earliest time of a frame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<Timestamp>,
    /// Latest time of a frame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Timestamp>,
    /// Frames that were lost when it was captured, as the capturing program counts them in a pcapng file (`isb_ifdrop`
    /// and `isb_osdrop`); the files of a ring may count on from one to the next.
    #[serde(default, skip_serializing_if = "is_default")]
    pub dropped_frames: u64,
    /// Frames of which not all bytes were captured.
    pub cut_frames: u64,
    /// The most bytes of a frame that were captured, where the capture states it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snaplen: Option<u32>,
    /// The most bytes of a frame that were captured, as far as it was read.
    #[serde(skip)]
    pub longest: u32,
    /// Link types of the frames, in order of appearance; at most 64 (tcpdump.org/linktypes.html).
    pub link_types: Vec<u32>,
    /// Why it was not read, or not to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// Whether that is more than an end that came early: the input counts as not read.
    #[serde(skip)]
    pub failed: bool,
    /// Whether what was read of it may be wrong: what compressed it says that it is damaged.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub corrupt: bool,
}

impl Input {
    /// The snap length that the capture states, if it keeps to it.
    pub fn kept_snaplen(&self) -> Option<u32> {
        self.snaplen.filter(|stated| self.longest <= *stated)
    }

    /// Counts a frame in.
    #[inline(always)]
    pub(super) fn count(&mut self, frame: &FrameFacts) {
        let FrameFacts { time, link, wire_len, captured } = *frame;
        self.frames += 1;
        if self.first.is_none_or(|first| time < first) {
            self.first = Some(time);
        }
        if self.last.is_none_or(|last| time > last) {
            self.last = Some(time);
        }
        self.cut_frames += u64::from(captured < wire_len);
        self.longest = self.longest.max(captured);
        if self.link_types.last() != Some(&link.0)
            && self.link_types.len() < LINK_TYPES
            && !self.link_types.contains(&link.0)
        {
            self.link_types.push(link.0);
        }
    }
}

/// Link types that are listed: captures have one, or a few.
const LINK_TYPES: usize = 64;

/// An input that was not read, or not to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The input, as in [`Input::name`].
    pub name: String,
    /// What is wrong: one line, lower case.
    pub message: String,
    /// Whether it failed, as against ended early.
    pub fatal: bool,
}

#[cfg(test)]
mod tests {
    use super::super::LinkType;
    use super::*;

    #[test]
    fn link_types_are_listed_once_and_not_without_end() {
        let mut input = Input::default();
        for number in (1..=100).chain(1..=3) {
            input.count(&FrameFacts { link: LinkType(number), ..FrameFacts::default() });
        }
        assert_eq!(input.link_types, (1..=64).collect::<Vec<_>>());
        assert_eq!(input.frames, 103);
    }
}
