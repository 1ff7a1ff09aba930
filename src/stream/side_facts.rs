//! What is known about one direction of a connection, apart from its bytes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::at::{At, Timestamp};
use crate::rare::{Rare, is_default};

use super::copies::Sending;
use super::ids::Unseen;
use super::resent::Resent;

/// Periods kept in [`SideFacts::zero_windows`].
const ZERO_WINDOWS: usize = 64;

/// Payload that an Ethernet frame holds beside headers without options, in bytes.
const ETHERNET: u32 = 1_460;

/// What one side of a connection sent, and what the capture shows became of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SideFacts {
    /// Segments, without mirrored ones.
    pub packets: u64,
    /// Bytes of payload on the wire, with retransmissions.
    pub payload_bytes: u64,
    /// Payload of its largest segment, in bytes.
    pub longest: u32,
    /// Time to live or hop limit of the first segment; like the next ones, of segments other than RST.
    pub ttl_first: u8,
    /// The smallest one.
    pub ttl_min: u8,
    /// The largest one.
    pub ttl_max: u8,
    /// IPv4 identification of the last segment, without those that came late; like the next ones, without zeros.
    pub ip_id: Option<u16>,
    /// Segments whose IPv4 identification is a little above that of the one before.
    pub ip_id_steps: u32,
    /// Segments whose IPv4 identification is neither that, nor that of a segment that came late.
    pub ip_id_jumps: u32,
    /// Which ones before `ip_id` were not seen.
    #[serde(skip)]
    pub(super) unseen: Unseen,
    /// What tells whether it sent data again.
    #[serde(skip)]
    pub(super) sending: Sending,
    /// Maximum segment size in SYN.
    pub mss: Option<u16>,
    /// Shift count of the window in SYN.
    pub window_scale: Option<u8>,
    /// The window last announced, in bytes; scaled only if both SYNs were seen with the option (RFC 7323 2.2).
    pub window: u64,
    /// Segments with bytes that were seen before.
    pub retransmitted: u32,
    /// Payload of the smallest of them, in bytes.
    pub shortest_retransmitted: Option<u32>,
    /// Bytes that were seen before.
    pub retransmitted_bytes: u64,
    /// Segments with bytes that were seen before, made smaller upon a report that they were too big for the path.
    pub resized: u32,
    /// Frames that were captured twice, as mirror ports do.
    pub duplicate_frames: u32,
    /// Segments that came before an earlier one was there.
    pub out_of_order: u32,
    /// Repeats whose bytes differ from the first copy.
    pub differing: u32,
    /// The first of them.
    #[serde(skip)]
    pub first_differing: Option<At>,
    /// When the side could take no more data: the last period, and the longest of those before it, 64 in all.
    pub zero_windows: Vec<ZeroWindow>,
    /// Bytes that the other side acknowledged but the capture lacks.
    pub lost_by_capture: u64,
    /// Of these and of those missing, what the capture has later than it was waited for.
    #[serde(default, skip_serializing_if = "is_default")]
    pub came_late: u64,
    /// Bytes missing that nobody is known to have received.
    pub missing: u64,
    /// Bytes cut by the snap length.
    pub cut: u64,
    /// Bytes from before the first segment of a capture that began within the connection.
    pub before_start: u64,
    /// Bytes after the end of the direction.
    pub after_end: u64,
    /// Segments outside any window.
    pub out_of_window: u32,
    /// Keep-alives.
    pub keep_alives: u32,
    /// Probes of a zero window.
    pub window_probes: u32,
    /// The first FIN.
    #[serde(skip)]
    pub fin: Option<At>,
    /// Whether the other side acknowledged FIN.
    #[serde(skip)]
    pub fin_acked: bool,
    /// The highest offset that the other side acknowledged.
    pub acked: u64,
    /// The highest offset sent, as far as seen or acknowledged.
    pub sent: u64,
    /// The last segment with data.
    #[serde(skip)]
    pub last_data: Option<At>,
    /// Segments with bytes that were seen before, since the other side acknowledged anything new.
    #[serde(skip)]
    pub repeats: u32,
    /// Since when what is repeated waits: the last data before its first repeat. Until the other side acknowledges
    /// more.
    #[serde(skip)]
    pub waits: Option<At>,
    /// What else is known of data that was sent again.
    #[serde(skip)]
    pub resent: Rare<Resent>,
    /// How far segments were made smaller.
    #[serde(skip)]
    pub(super) resized_to: u64,
    /// Offset of its largest segment; of its first one beyond an Ethernet frame, where the capture has such.
    #[serde(skip)]
    pub longest_at: u64,
}

impl SideFacts {
    /// Bytes sent that were not acknowledged yet.
    pub const fn unacked(&self) -> u64 {
        self.sent.saturating_sub(self.acked)
    }

    /// A segment of `len` bytes is longer than all before it.
    #[inline(never)]
    pub(super) fn lengthen(&mut self, len: u32, offset: Option<i64>) {
        // What is longer is taken apart behind the tap: full segments are in the first one already.
        if self.longest <= ETHERNET {
            self.longest_at = offset.and_then(|offset| u64::try_from(offset).ok()).unwrap_or(0);
        }
        self.longest = len;
    }

    /// The side has sent FIN behind `sent` bytes, as `at` shows.
    pub(super) fn end(&mut self, sent: u64, acked: bool, at: At) {
        (self.fin, self.fin_acked) = (Some(at), acked);
        // FIN may have been taken for a byte.
        self.acked = self.acked.min(sent);
        self.sent = sent;
    }

    /// The side has no room from now on.
    pub(super) fn close_window(&mut self, start: At) {
        let periods = &mut self.zero_windows;
        if periods.len() >= ZERO_WINDOWS {
            let all = periods.iter().map(ZeroWindow::secs).enumerate();
            let shortest = all.min_by(|one, other| one.1.total_cmp(&other.1));
            shortest.map(|(place, _)| periods.remove(place));
        }
        periods.push(ZeroWindow { start, end: None, started: start.time, ended: None });
    }
}

/// A period without room for data.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ZeroWindow {
    /// The frame that announced no room.
    #[serde(skip)]
    pub start: At,
    /// The frame that announced room again.
    #[serde(skip)]
    pub end: Option<At>,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
}

impl ZeroWindow {
    pub(super) fn secs(&self) -> f64 {
        self.ended.unwrap_or(self.started).secs_since(self.started)
    }
}
