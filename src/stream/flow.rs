//! One connection in the table: from a segment to facts and events.

use etherparse::{TcpOptionElement, TcpOptionsIterator};

use crate::at::At;
use crate::packet::{Flags, Segment};

use super::ahead::Budget;
use super::connection::Connection;
use super::flows::{Both, Dir, Key};
use super::half::Half;
use super::mirror::Mirror;
use super::part::{Part, Seq};
use super::subject::Subject;
use super::{Carriage, Chunk, Event, Owner, Side};

/// A connection with its owner's state.
#[derive(Debug)]
pub(super) struct Flow<T> {
    pub subject: Subject<T>,
    pub key: Key,
    pub halves: Both<Half>,
    pub mirrors: Both<Mirror>,
    pub closed_at: Option<At>,
}

impl<T: Default> Flow<T> {
    /// The connection that `segment` is the first of.
    pub fn new(id: u64, key: Key, dir: Dir, segment: &Segment<'_>) -> Self {
        let syn = segment.flags.has(Flags::SYN);
        let from_client = match (syn, segment.flags.has(Flags::ACK)) {
            (true, acked) => !acked,
            (false, _) => segment.from.port() >= segment.to.port(),
        };
        let (client, server) =
            if from_client { (segment.from, segment.to) } else { (segment.to, segment.from) };
        let mut connection = Connection::new(id, client, server, segment.at);
        connection.midstream = !syn;
        let client = if from_client { dir } else { dir.other() };
        let subject = Subject::new(connection, client);
        Self { subject, key, halves: Both::default(), mirrors: Both::default(), closed_at: None }
    }

    /// Takes a segment.
    #[inline(always)]
    pub fn push(
        &mut self,
        dir: Dir,
        segment: &Segment<'_>,
        budget: &mut Budget,
        out: &mut impl Owner<T>,
    ) {
        self.subject.connection.seen(&segment.at);
        if self.mirrors.of_mut(dir).repeats(segment) {
            self.subject.facts(dir).duplicate_frames += 1;
            return;
        }
        self.count(dir, segment);
        if segment.flags.has(Flags::SYN) {
            self.synchronize(dir, *segment);
        }
        if segment.flags.has(Flags::RST) {
            self.reset(dir, *segment, budget, out);
        } else {
            self.window(dir, segment);
            self.acknowledge(dir, segment);
            self.data(dir, segment, budget, out);
            if !self.halves.of(Dir::Up).is_settled() || !self.halves.of(Dir::Down).is_settled() {
                self.settle(dir, (segment.at, Seq(segment.seq)), budget, out);
            }
        }
        if self.subject.ignored {
            self.clear(budget);
        }
    }

    #[inline(always)]
    fn count(&mut self, dir: Dir, segment: &Segment<'_>) {
        let facts = self.subject.facts(dir);
        facts.packets += 1;
        facts.payload_bytes += u64::from(segment.wire_len);
        if segment.wire_len > facts.longest {
            facts.lengthen(segment.wire_len, self.halves.of(dir).offset(Seq(segment.seq)));
        }
        // What an RST has of these is to be compared with the rest.
        if segment.flags.has(Flags::RST) {
            return;
        }
        if facts.ttl_max == 0 {
            (facts.ttl_first, facts.ttl_min) = (segment.ttl, segment.ttl);
        }
        facts.ttl_min = facts.ttl_min.min(segment.ttl);
        facts.ttl_max = facts.ttl_max.max(segment.ttl);
        facts.identify(segment.ip_id, &segment.at);
    }

    #[inline(never)]
    fn synchronize(&mut self, dir: Dir, segment: Segment<'_>) {
        let acked = segment.flags.has(Flags::ACK);
        let half = self.halves.of_mut(dir);
        half.begin(Seq(segment.seq).plus(1));
        self.place_acked(dir, segment.at);
        let half = self.halves.of_mut(dir);
        half.move_back(Seq(segment.seq).plus(1));
        if acked {
            self.halves.of_mut(dir.other()).begin(Seq(segment.ack));
        }
        let from_client = self.subject.side(dir) == Side::Client;
        let connection = &mut self.subject.connection;
        match (from_client, acked) {
            (true, false) if connection.syn.is_some() => connection.syn_retries += 1,
            (true, false) => connection.syn = Some(segment.at),
            (false, _) => _ = connection.syn_ack.get_or_insert(segment.at),
            (true, true) => {}
        }
        let facts = self.subject.facts(dir);
        for option in TcpOptionsIterator::from_slice(segment.options).map_while(Result::ok) {
            match option {
                TcpOptionElement::MaximumSegmentSize(size) => facts.mss = Some(size),
                TcpOptionElement::WindowScale(shift) => facts.window_scale = Some(shift),
                TcpOptionElement::SelectiveAcknowledgementPermitted => {
                    facts.sending.selective = true;
                }
                _ => {}
            }
        }
    }

    #[inline(always)]
    fn window(&mut self, dir: Dir, segment: &Segment<'_>) {
        if segment.flags.has(Flags::SYN) || !segment.flags.has(Flags::ACK) {
            return;
        }
        let other = self.subject.facts(dir.other()).window_scale;
        let facts = self.subject.facts(dir);
        let shift = facts.window_scale.filter(|_| other.is_some()).unwrap_or(0).min(14);
        facts.window = u64::from(segment.window) << shift;
        let open = facts.zero_windows.last_mut().filter(|period| period.end.is_none());
        match (open, segment.window) {
            (None, 0) => facts.close_window(segment.at),
            (Some(period), 1..) => {
                (period.end, period.ended) = (Some(segment.at), Some(segment.at.time))
            }
            _ => {}
        }
    }

    #[inline(always)]
    fn acknowledge(&mut self, dir: Dir, segment: &Segment<'_>) {
        if !segment.flags.has(Flags::ACK) {
            return;
        }
        let side = self.subject.side(dir);
        let connection = &mut self.subject.connection;
        if side == Side::Client
            && connection.handshake_done.is_none()
            && !segment.flags.has(Flags::SYN)
        {
            connection.handshake_done = connection.syn.and(connection.syn_ack).map(|_| segment.at);
        }
        let half = self.halves.of_mut(dir.other());
        let Some(offset) =
            half.offset(Seq(segment.ack)).and_then(|offset| u64::try_from(offset).ok())
        else {
            return self.acknowledge_unseen(dir, segment);
        };
        let end = half.fin.map_or(u64::MAX, |(end, _)| end);
        half.fin_acked |= offset > end;
        half.acknowledge(offset.min(end), segment.at);
        let (acked, next, fin_acked) = (half.acked, half.highest(), half.fin_acked);
        let facts = self.subject.facts(dir.other());
        facts.fin_acked |= fin_acked;
        let more = acked > facts.acked;
        facts.sending.acknowledged(segment.options, more);
        if more {
            (facts.repeats, facts.waits) = (0, None);
        }
        facts.acked = acked;
        facts.sent = facts.sent.max(acked).max(next);
        if more && side == Side::Server {
            // An ICMP error before was of passing trouble (RFC 1122 4.2.3.9).
            self.subject.connection.icmp = None;
        }
    }

    /// Takes note of what is acknowledged of a direction of which no data was seen so far.
    #[inline(never)]
    fn acknowledge_unseen(&mut self, dir: Dir, segment: &Segment<'_>) {
        if self.halves.of(dir.other()).base().is_none() {
            let acked = self.has_of_other(dir, segment);
            let facts = self.subject.facts(dir.other());
            facts.acked = facts.acked.max(acked);
        }
    }

    /// A direction begins, of which more than that may have been acknowledged: the tap of the other one was early.
    #[inline(never)]
    fn place_acked(&mut self, dir: Dir, at: At) {
        let seen = self.subject.facts(dir).acked;
        let half = self.halves.of_mut(dir);
        if seen > 0 && half.acked == 0 {
            half.acknowledge(seen + half.moved_back(), at);
        }
    }

    #[inline(always)]
    fn data(
        &mut self,
        dir: Dir,
        segment: &Segment<'_>,
        budget: &mut Budget,
        out: &mut impl Owner<T>,
    ) {
        let fin = segment.flags.has(Flags::FIN);
        if segment.wire_len == 0 && !fin {
            return self.bare(dir, segment);
        }
        let Some(offset) = self.offset(dir, segment, budget, out) else { return };
        let late = self.halves.of_mut(dir).late(offset, segment.wire_len);
        self.subject.facts(dir).came_late += late;
        let half = self.halves.of(dir);
        // Data sent again behind FIN is a repeat like any other.
        let end = offset.saturating_add(i64::from(segment.wire_len));
        if half.ended && (half.fin.is_none() || end > half.next() as i64) {
            let behind = offset >= half.next() as i64;
            let len = if behind { u64::from(segment.wire_len) } else { 0 };
            self.subject.facts(dir).after_end += len;
            return;
        }
        if self.probe(dir, segment, offset) {
            return;
        }
        let part = self.part(dir, segment, offset);
        let end = part.offset + part.len;
        if fin && self.halves.of(dir).fin.is_none() {
            self.finish(dir, &part);
        }
        if part.len == 0 {
            return;
        }
        let (half, facts) = (self.halves.of_mut(dir), self.subject.facts(dir));
        let last = facts.last_data.replace(part.at);
        facts.sent = facts.sent.max(end);
        if half.is_next(&part) && part.is_whole() && !self.subject.ignored {
            let first = if offset >= 0 { segment.first } else { part.bytes.first_chunk().copied() };
            half.pass(&part, first);
            self.subject.facts(dir).sending.advance(segment.options, part.offset);
            let Part { at, offset, acked, bytes, .. } = part;
            let (side, carriage) = (self.subject.side(dir), Carriage::default());
            let chunk = Chunk { at, side, offset, acked, carriage, bytes };
            self.subject.offer(Event::Data(chunk), out);
        } else {
            self.sort_in(dir, part, (segment, last), budget, out);
        }
    }

    /// Where the data of `segment` begins in its direction, which has a start from then on; `None` outside any window.
    #[inline(always)]
    fn offset(
        &mut self,
        dir: Dir,
        segment: &Segment<'_>,
        budget: &mut Budget,
        out: &mut impl Owner<T>,
    ) -> Option<i64> {
        let first = Seq(segment.seq).plus(u64::from(segment.flags.has(Flags::SYN)));
        self.begin(dir, segment, first);
        let offset = self.halves.of(dir).offset(first);
        if offset.is_some() {
            return offset;
        }
        self.subject.facts(dir).out_of_window += 1;
        self.stray(dir, segment.at, first, budget, out);
        self.halves.of(dir).offset(first)
    }

    /// The data of `segment`, which begins at `offset`, but for what comes before the start.
    #[inline(always)]
    fn part<'s>(&mut self, dir: Dir, segment: &Segment<'s>, offset: i64) -> Part<'s> {
        let len = u64::from(segment.wire_len);
        let before = u64::try_from(-offset).unwrap_or(0).min(len);
        self.subject.facts(dir).before_start += before;
        let bytes = segment.payload.get(before as usize..).unwrap_or_default();
        let acked = self.has_of_other(dir, segment);
        Part { at: segment.at, offset: offset.max(0) as u64, acked, bytes, len: len - before }
    }

    /// Sees to it that the direction of `segment`, whose data begins at `first`, has a start.
    #[inline(always)]
    fn begin(&mut self, dir: Dir, segment: &Segment<'_>, first: Seq) {
        if self.halves.of(dir).base().is_none() {
            self.start(dir, first);
            self.place_acked(dir, segment.at);
        }
        if segment.flags.has(Flags::ACK) && segment.wire_len > 0 {
            self.halves.of_mut(dir.other()).expect(Seq(segment.ack));
        }
        if segment.wire_len > 0 {
            self.halves.of_mut(dir).move_back(first);
        } else {
            self.halves.of_mut(dir).doubt();
        }
    }

    /// How far the sender of `segment` has what the other side sends; 0 where that is not known.
    #[inline(always)]
    fn has_of_other(&self, dir: Dir, segment: &Segment<'_>) -> u64 {
        if !segment.flags.has(Flags::ACK) {
            return 0;
        }
        let offset = self.halves.of(dir.other()).offset_acked(Seq(segment.ack));
        offset.and_then(|offset| u64::try_from(offset).ok()).unwrap_or(0)
    }

    /// Takes a part that is not simply the next, or not whole, or ignored, with its segment and the last data before it.
    #[inline(never)]
    fn sort_in(
        &mut self,
        dir: Dir,
        part: Part<'_>,
        (segment, last): (&Segment<'_>, Option<At>),
        budget: &mut Budget,
        out: &mut impl Owner<T>,
    ) {
        if !self.halves.of(dir).is_next(&part) {
            self.judge(dir, part, segment, last);
        }
        let (half, subject) = (self.halves.of_mut(dir), &mut self.subject);
        if subject.ignored {
            return half.skip_to(part.end());
        }
        let acked = half.acked;
        half.push(part, budget, &mut |output| subject.output(dir, acked, output, out));
    }

    #[inline(never)]
    fn stray(&mut self, dir: Dir, at: At, seq: Seq, budget: &mut Budget, out: &mut impl Owner<T>) {
        let (half, subject) = (self.halves.of_mut(dir), &mut self.subject);
        if !half.ended && !subject.ignored {
            let acked = half.acked;
            half.stray(at, seq, budget, &mut |output| subject.output(dir, acked, output, out));
        }
    }

    /// Offset 0 of a direction whose SYN is not in the capture.
    fn start(&mut self, dir: Dir, first: Seq) {
        self.halves.of_mut(dir).begin_late(first);
        let connection = &self.subject.connection;
        let unknown = connection.midstream && connection.client.port() == connection.server.port();
        let silent = self.halves.of(dir.other()).base().is_none();
        // Nothing tells who is who but that clients speak first.
        if unknown && silent && self.subject.side(dir) == Side::Server {
            self.subject.swap();
        }
    }
}
