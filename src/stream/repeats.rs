//! Segments that bring nothing new: repeats, keep-alives and probes of a closed window.

use crate::at::At;
use crate::packet::{Flags, Segment};

use super::Side;
use super::flow::Flow;
use super::flows::Dir;
use super::part::{Part, Seq};
use super::side_facts::SideFacts;

/// Taken for the round trip, in nanoseconds, where the handshake was not captured: longer than most.
const UNKNOWN_ROUND_TRIP: i64 = 100_000_000;

/// A round trip shorter than this, in nanoseconds, tells nothing: packets overtake each other by as much.
const LEAST_ROUND_TRIP: i64 = 3_000_000;

/// A sender makes its segments smaller this soon after a report, in nanoseconds: that needs no timer.
const AT_ONCE: i64 = 1_000_000_000;

/// Bytes of the headers of IPv4 and TCP without options.
const HEADERS: u64 = 40;

impl SideFacts {
    /// What was not acknowledged is sent again; the last data before it was sent at `sent`.
    fn repeat(&mut self, sent: Option<At>, at: At) {
        let since = *self.waits.get_or_insert(sent.unwrap_or(at));
        let secs = |(from, to): (At, At)| to.time.secs_since(from.time);
        if self.stall.is_none_or(|stall| secs(stall) < secs((since, at))) {
            self.stall = Some((since, at));
        }
    }
}

impl<T: Default> Flow<T> {
    /// From the tap to the sender of `dir` and back, in nanoseconds, as the handshake shows it.
    pub fn round_trip(&self, dir: Dir) -> i64 {
        let connection = &self.subject.connection;
        let (from, to) = match self.subject.side(dir) {
            Side::Client => (connection.syn_ack, connection.handshake_done),
            Side::Server => (connection.syn, connection.syn_ack),
        };
        from.zip(to).map_or(UNKNOWN_ROUND_TRIP, |(from, to)| to.time.since(from.time).max(0))
    }

    /// Facts of a segment with data that is not simply the next, before any of it is delivered; `last` is the data
    /// before it.
    #[inline(never)]
    pub fn judge(&mut self, dir: Dir, part: Part<'_>, segment: &Segment<'_>, last: Option<At>) {
        let round_trip = self.round_trip(dir);
        let resized = self.is_resized(dir, &part);
        let overlap = self.halves.of(dir).overlap(part);
        let again = overlap.repeated == part.len && !overlap.differs;
        let once = again && self.is_sent_once(dir, segment, (part.offset, part.end()), last);
        let (half, facts) = (self.halves.of(dir), self.subject.facts(dir));
        // A sender repeats by the way that it sent: the same at another hop was captured there.
        if again && (once || segment.ttl != facts.ttl_first || facts.is_copy(part.at)) {
            facts.duplicate_frames += 1;
            return;
        }
        if resized && overlap.repeated > 0 && !overlap.differs {
            facts.resized += 1;
            facts.resized_to = part.end();
            return;
        }
        // A byte that probed a closed window comes again with what follows it.
        if overlap.repeated > 1 || overlap.repeated == part.len {
            facts.retransmitted += 1;
            facts.repeats += 1;
            let len = u32::try_from(part.len).unwrap_or(u32::MAX);
            facts.shortest_retransmitted =
                Some(facts.shortest_retransmitted.map_or(len, |least| least.min(len)));
            facts.retransmitted_bytes += overlap.repeated;
            // One byte may be a keep-alive, where the capture lacks what acknowledged it.
            if part.len > 1 && part.end() > half.acked {
                facts.repeat(last, part.at);
            }
        } else if part.offset + part.len <= half.highest() {
            // The sender needs a round trip to learn of a loss; what comes sooner was overtaken.
            let late = half.lateness(part.offset, part.at.time);
            if late.is_some_and(|late| late >= round_trip.max(LEAST_ROUND_TRIP)) {
                facts.retransmitted += 1;
                facts.retransmitted_bytes += part.len;
            } else {
                facts.out_of_order += 1;
            }
        }
        if overlap.differs {
            facts.differing += 1;
            facts.first_differing.get_or_insert(part.at);
        }
    }

    /// Whether a part is as small as a router has just asked for, where larger ones were sent before: each once, from
    /// the first byte that waits (RFC 1191 6.4).
    fn is_resized(&mut self, dir: Dir, part: &Part<'_>) -> bool {
        let Some(icmp) = self.subject.connection.too_big else {
            return false;
        };
        let acked = self.halves.of(dir).acked;
        let facts = self.subject.facts(dir);
        let (longest, behind) = (u64::from(facts.longest), acked.max(facts.resized_to));
        let fits = |len: u64| len + HEADERS <= u64::from(icmp.mtu);
        let soon = part.at.time.since(icmp.at.time) <= AT_ONCE;
        soon && part.offset == behind && fits(part.len) && !fits(longest)
    }

    /// A segment without data may be a keep-alive.
    #[inline(always)]
    pub fn bare(&mut self, dir: Dir, segment: &Segment<'_>) {
        if segment.flags.has(Flags::SYN) {
            return;
        }
        if let Some(offset) = self.halves.of(dir).offset(Seq(segment.seq)) {
            self.probe(dir, segment, offset);
        }
    }

    /// Whether a segment at `offset` only asks whether the other side is there, or has room.
    #[inline(always)]
    pub fn probe(&mut self, dir: Dir, segment: &Segment<'_>, offset: i64) -> bool {
        let quiet = segment.flags.0 & (Flags::SYN | Flags::FIN) == 0;
        segment.wire_len <= 1 && quiet && self.probe_quietly(dir, segment.wire_len, offset)
    }

    #[inline(never)]
    fn probe_quietly(&mut self, dir: Dir, len: u32, offset: i64) -> bool {
        let half = self.halves.of(dir);
        let (next, highest, acked) = (half.next(), half.highest(), half.acked);
        let closed = self
            .subject
            .facts(dir.other())
            .zero_windows
            .last()
            .is_some_and(|period| period.end.is_none());
        let behind = highest as i64 - offset == 1 && (closed || acked >= highest);
        let ahead = next as i64 == offset && closed && len == 1;
        let facts = self.subject.facts(dir);
        match closed {
            true if behind || ahead => facts.window_probes += 1,
            false if behind => facts.keep_alives += 1,
            _ => {}
        }
        behind
    }
}
