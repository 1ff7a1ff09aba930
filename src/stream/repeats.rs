//! Segments that bring nothing new: repeats, keep-alives and probes of a closed window.

use crate::at::{At, Span};
use crate::packet::{Flags, Segment};

use super::Side;
use super::flow::Flow;
use super::flows::Dir;
use super::part::{Part, Seq};
use super::resent::Stall;
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
    /// A segment of `len` bytes, which was counted, turns out to be a copy.
    fn take_back(&mut self, len: u64) {
        self.duplicate_frames += 1;
        self.packets = self.packets.saturating_sub(1);
        self.payload_bytes = self.payload_bytes.saturating_sub(len);
    }

    /// A segment with `bytes` that were seen before, the last data before which was sent at `sent`; the side has sent
    /// up to `highest`, of which `acked` were acknowledged.
    fn repeat(
        &mut self,
        part: &Part<'_>,
        bytes: u64,
        sent: Option<At>,
        (highest, acked): (u64, u64),
    ) {
        let before = (self.retransmitted, self.retransmitted_bytes);
        self.retransmitted += 1;
        self.retransmitted_bytes += bytes;
        self.repeats += 1;
        let resent = self.resent.edit();
        resent.repeated(part.at);
        if part.end() <= acked {
            resent.needs_none(part.at, sent);
            return;
        }
        // One byte may be a keep-alive, where the capture lacks what acknowledged it.
        if part.len <= 1 {
            return;
        }
        if self.waits.is_none() {
            (self.waits, resent.before_waits) = (resent.needed(sent).or(Some(part.at)), before);
        }
        let stall = Stall {
            span: Span { first: self.waits.unwrap_or(part.at), last: part.at },
            segments: self.retransmitted - resent.before_waits.0,
            bytes: self.retransmitted_bytes - resent.before_waits.1,
            upto: highest,
        };
        resent.lasts(stall, part, bytes);
    }

    /// A segment without data, or FIN, comes behind bytes that did not come by.
    #[inline(never)]
    pub(super) fn run_ahead(&mut self, at: At) {
        let last = self.last_data;
        let resent = self.resent.edit();
        let before = resent.beyond.filter(|it| last.is_none_or(|data| data.frame < it.frame));
        resent.beyond = before.or(Some(at));
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
        let once = again && self.is_sent_once(dir, segment, &part, last);
        let (half, facts) = (self.halves.of(dir), self.subject.facts(dir));
        // A sender repeats by the way that it sent: the same at another hop was captured there.
        if again && (once || segment.ttl != facts.ttl_first || facts.is_copy(part.at)) {
            facts.take_back(part.len);
            facts.last_data = last;
            return;
        }
        if resized && overlap.repeated > 0 && !overlap.differs {
            facts.resized += 1;
            facts.resized_to = part.end();
            return;
        }
        // A byte that probed a closed window comes again with what follows it.
        if overlap.repeated > 1 || overlap.repeated == part.len {
            let len = u32::try_from(part.len).unwrap_or(u32::MAX);
            facts.shortest_retransmitted =
                Some(facts.shortest_retransmitted.map_or(len, |least| least.min(len)));
            facts.repeat(&part, overlap.repeated, last, (half.highest(), half.acked));
        } else if part.offset + part.len <= half.highest() {
            // The sender needs a round trip to learn of a loss; what comes sooner was overtaken.
            let late = half.lateness(part.offset, part.at.time);
            let late = late.is_some_and(|late| late >= round_trip.max(LEAST_ROUND_TRIP));
            facts.resent.edit().fill(&part, late);
            if late {
                facts.resent.edit().repeated(part.at);
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

    /// A segment without data may be a keep-alive, or come behind bytes that were lost.
    #[inline(always)]
    pub fn bare(&mut self, dir: Dir, segment: &Segment<'_>) {
        if segment.flags.has(Flags::SYN) {
            return;
        }
        let half = self.halves.of(dir);
        let Some(offset) = half.offset(Seq(segment.seq)) else { return };
        // FIN takes a number, too, be it one that did not come by (RFC 9293 3.4).
        if offset > half.highest().max(half.acked) as i64 + i64::from(half.fin.is_some()) {
            self.subject.facts(dir).run_ahead(segment.at);
        }
        self.probe(dir, segment, offset);
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
