//! One connection in the table: from a segment to facts and events.

use etherparse::{TcpOptionElement, TcpOptionsIterator};

use crate::at::At;
use crate::packet::{Flags, Segment};

use super::connection::{Connection, Reset, SideFacts, ZERO_WINDOWS, ZeroWindow};
use super::flows::{Both, Dir, Key};
use super::half::{Budget, Half, Output, Part, Seq};
use super::mirror::Mirror;
use super::{Chunk, End, Event, Side, Verdict};

/// Slack around the window for RST, since the capture may lack the latest acknowledgement.
const RESET_SLACK: u64 = 1 << 16;

/// A connection with its owner's state.
#[derive(Debug)]
pub(super) struct Flow<T> {
    pub subject: Subject<T>,
    pub key: Key,
    halves: Both<Half>,
    mirrors: Both<Mirror>,
    pub closed_at: Option<At>,
}

/// What the owner is lent.
#[derive(Debug)]
pub(super) struct Subject<T> {
    pub connection: Connection,
    pub state: T,
    client: Dir,
    ignored: bool,
    swapped: bool,
}

impl<T> Subject<T> {
    pub fn side(&self, dir: Dir) -> Side {
        if dir == self.client { Side::Client } else { Side::Server }
    }

    pub fn facts(&mut self, dir: Dir) -> &mut SideFacts {
        self.connection.side_mut(self.side(dir))
    }

    fn swap(&mut self) {
        self.client = self.client.other();
        self.connection.swap();
    }

    fn emit<F>(&mut self, dir: Dir, event: impl Fn(Side) -> Event<'static>, out: &mut F)
    where
        F: FnMut(&mut Connection, &mut T, Event<'_>) -> Verdict,
    {
        self.offer(event(self.side(dir)), |side| event(side), dir, out);
    }

    fn output<F>(&mut self, dir: Dir, acked: u64, output: Output<'_>, out: &mut F)
    where
        F: FnMut(&mut Connection, &mut T, Event<'_>) -> Verdict,
    {
        let event = |side| match output {
            Output::Data { at, offset, bytes } => Event::Data(Chunk { at, side, offset, bytes }),
            Output::Gap { at, offset, len } => Event::Gap { at, side, offset, len },
        };
        if let Output::Gap { offset, len, .. } = output {
            let received = acked.saturating_sub(offset).min(len);
            let facts = self.facts(dir);
            facts.lost_by_capture += received;
            facts.missing += len - received;
        }
        self.offer(event(self.side(dir)), event, dir, out);
    }

    fn offer<'e, F>(
        &mut self,
        event: Event<'e>,
        again: impl Fn(Side) -> Event<'e>,
        dir: Dir,
        out: &mut F,
    ) where
        F: FnMut(&mut Connection, &mut T, Event<'_>) -> Verdict,
    {
        if self.ignored {
            return;
        }
        let mut verdict = out(&mut self.connection, &mut self.state, event);
        if verdict == Verdict::Swap && !self.swapped {
            self.swapped = true;
            self.swap();
            let event = again(self.side(dir));
            verdict = out(&mut self.connection, &mut self.state, event);
        }
        self.ignored |= verdict == Verdict::Ignore;
    }
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
        let subject =
            Subject { connection, state: T::default(), client, ignored: false, swapped: false };
        Self { subject, key, halves: Both::default(), mirrors: Both::default(), closed_at: None }
    }

    /// Whether `segment` begins another connection between the same ports.
    pub fn superseded_by(&self, dir: Dir, segment: &Segment<'_>) -> bool {
        let known = self.halves.of(dir).base();
        let other = known.is_some_and(|base| base != Seq(segment.seq).plus(1));
        match (segment.flags.has(Flags::SYN), segment.flags.has(Flags::ACK)) {
            (true, false) => other || (known.is_none() && self.begun(dir.other())),
            (true, true) => other && self.closed_at.is_some(),
            _ => false,
        }
    }

    fn begun(&self, dir: Dir) -> bool {
        self.closed_at.is_some() || self.halves.of(dir).next() > 0
    }

    /// Takes a segment.
    pub fn push<F>(&mut self, dir: Dir, segment: &Segment<'_>, budget: &mut Budget, out: &mut F)
    where
        F: FnMut(&mut Connection, &mut T, Event<'_>) -> Verdict,
    {
        self.subject.connection.seen(segment.at);
        if self.mirrors.of_mut(dir).repeats(segment) {
            self.subject.facts(dir).duplicate_frames += 1;
            return;
        }
        self.count(dir, segment);
        if segment.flags.has(Flags::SYN) {
            self.synchronize(dir, segment);
        }
        if segment.flags.has(Flags::RST) {
            self.reset(dir, segment, budget, out);
        } else {
            self.window(dir, segment);
            self.acknowledge(dir, segment);
            self.data(dir, segment, budget, out);
            self.settle(segment.at, budget, out);
        }
        if self.subject.ignored {
            self.clear(budget);
        }
    }

    fn count(&mut self, dir: Dir, segment: &Segment<'_>) {
        let facts = self.subject.facts(dir);
        if facts.packets == 0 {
            (facts.ttl_first, facts.ttl_min) = (segment.ttl, segment.ttl);
        }
        facts.packets += 1;
        facts.payload_bytes += u64::from(segment.wire_len);
        facts.ttl_min = facts.ttl_min.min(segment.ttl);
        facts.ttl_max = facts.ttl_max.max(segment.ttl);
        facts.ip_id = segment.ip_id;
    }

    fn synchronize(&mut self, dir: Dir, segment: &Segment<'_>) {
        let acked = segment.flags.has(Flags::ACK);
        self.halves.of_mut(dir).begin(Seq(segment.seq).plus(1));
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
                _ => {}
            }
        }
    }

    fn window(&mut self, dir: Dir, segment: &Segment<'_>) {
        if segment.flags.has(Flags::SYN) || !segment.flags.has(Flags::ACK) {
            return;
        }
        let other = self.subject.facts(dir.other()).window_scale;
        let facts = self.subject.facts(dir);
        let shift = facts.window_scale.filter(|_| other.is_some()).unwrap_or(0).min(14);
        facts.window = u64::from(segment.window) << shift;
        let room = facts.zero_windows.len() < ZERO_WINDOWS;
        let open = facts.zero_windows.last_mut().filter(|period| period.end.is_none());
        match (open, segment.window) {
            (None, 0) if room => {
                let (start, started) = (segment.at, segment.at.time);
                facts.zero_windows.push(ZeroWindow { start, end: None, started, ended: None });
            }
            (Some(period), 1..) => {
                (period.end, period.ended) = (Some(segment.at), Some(segment.at.time))
            }
            _ => {}
        }
    }

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
            return;
        };
        let end = half.fin.map_or(u64::MAX, |(end, _)| end);
        half.fin_acked |= offset > end;
        half.acknowledge(offset.min(end), segment.at.time);
        let (acked, next) = (half.acked, half.highest());
        let facts = self.subject.facts(dir.other());
        facts.acked = acked;
        facts.sent = facts.sent.max(acked).max(next);
    }

    fn data<F>(&mut self, dir: Dir, segment: &Segment<'_>, budget: &mut Budget, out: &mut F)
    where
        F: FnMut(&mut Connection, &mut T, Event<'_>) -> Verdict,
    {
        let fin = segment.flags.has(Flags::FIN);
        if segment.wire_len == 0 && !fin {
            return self.bare(dir, segment);
        }
        let first = Seq(segment.seq).plus(u64::from(segment.flags.has(Flags::SYN)));
        self.start(dir, first);
        let half = self.halves.of_mut(dir);
        let facts = self.subject.connection.side_mut(self.subject.side(dir));
        let Some(offset) = half.offset(first) else {
            facts.out_of_window += 1;
            return;
        };
        let len = u64::from(segment.wire_len);
        if half.ended {
            facts.after_end += if offset >= half.next() as i64 { len } else { 0 };
            return;
        }
        if self.probe(dir, segment, offset) {
            return;
        }
        let half = self.halves.of_mut(dir);
        let facts = self.subject.facts(dir);
        let before = u64::try_from(-offset).unwrap_or(0).min(len);
        facts.before_start += before;
        let bytes = segment.payload.get(before as usize..).unwrap_or_default();
        let part = Part { at: segment.at, offset: offset.max(0) as u64, bytes, len: len - before };
        let end = part.offset + part.len;
        if fin && half.fin.is_none() {
            half.fin = Some((end, segment.at));
            facts.fin = Some(segment.at);
        }
        if part.len == 0 {
            return;
        }
        Self::judge(half, facts, part);
        let (acked, subject) = (half.acked, &mut self.subject);
        if subject.ignored {
            half.skip_to(end);
        } else {
            half.push(part, budget, &mut |output| subject.output(dir, acked, output, out));
        }
    }

    /// Facts of a segment with data, before any of it is delivered.
    fn judge(half: &Half, facts: &mut SideFacts, part: Part<'_>) {
        facts.last_data = Some(part.at);
        facts.cut += part.len - part.bytes.len() as u64;
        facts.sent = facts.sent.max(part.offset + part.len);
        if part.offset == half.next() && half.highest() == half.next() {
            return;
        }
        let overlap = half.overlap(part);
        // A byte that probed a closed window comes again with what follows it.
        if overlap.repeated > 1 || overlap.repeated == part.len {
            facts.retransmitted += 1;
            facts.retransmitted_bytes += overlap.repeated;
        } else if part.offset + part.len <= half.highest() {
            facts.out_of_order += 1;
        }
        if overlap.differs {
            facts.differing += 1;
            facts.first_differing.get_or_insert(part.at);
        }
    }

    /// Offset 0 of a direction whose SYN is not in the capture.
    fn start(&mut self, dir: Dir, first: Seq) {
        if self.halves.of(dir).base().is_some() {
            return;
        }
        self.halves.of_mut(dir).begin(first);
        let connection = &self.subject.connection;
        let unknown = connection.midstream && connection.client.port() == connection.server.port();
        let silent = self.halves.of(dir.other()).base().is_none();
        // Nothing tells who is who but that clients speak first.
        if unknown && silent && self.subject.side(dir) == Side::Server {
            self.subject.swap();
        }
    }

    /// A segment without data may be a keep-alive.
    fn bare(&mut self, dir: Dir, segment: &Segment<'_>) {
        if segment.flags.has(Flags::SYN) {
            return;
        }
        if let Some(offset) = self.halves.of(dir).offset(Seq(segment.seq)) {
            self.probe(dir, segment, offset);
        }
    }

    /// Whether a segment at `offset` only asks whether the other side is there, or has room.
    fn probe(&mut self, dir: Dir, segment: &Segment<'_>, offset: i64) -> bool {
        let quiet = Flags::SYN | Flags::FIN;
        if segment.wire_len > 1 || segment.flags.0 & quiet != 0 {
            return false;
        }
        let half = self.halves.of(dir);
        let (next, acked) = (half.next(), half.acked);
        let closed = self
            .subject
            .facts(dir.other())
            .zero_windows
            .last()
            .is_some_and(|period| period.end.is_none());
        let behind = next as i64 - offset == 1 && (closed || acked >= next);
        let ahead = next as i64 == offset && closed && segment.wire_len == 1;
        let facts = self.subject.facts(dir);
        match closed {
            true if behind || ahead => facts.window_probes += 1,
            false if behind => facts.keep_alives += 1,
            _ => {}
        }
        behind
    }

    fn reset<F>(&mut self, dir: Dir, segment: &Segment<'_>, budget: &mut Budget, out: &mut F)
    where
        F: FnMut(&mut Connection, &mut T, Event<'_>) -> Verdict,
    {
        let Some(seq_fits) = self.reset_fits(dir, segment) else {
            self.subject.connection.resets_ignored += 1;
            return;
        };
        let side = self.subject.side(dir);
        let connection = &mut self.subject.connection;
        connection.resets += 1;
        connection.reset.get_or_insert(Reset {
            at: segment.at,
            time: segment.at.time,
            side,
            ttl: segment.ttl,
            ip_id: segment.ip_id,
            window: segment.window,
            seq_fits,
            acked: segment.flags.has(Flags::ACK),
        });
        self.end(segment.at, End::Reset, budget, out);
    }

    /// Whether RST comes at exactly the next sequence number; `None` if it is far off.
    fn reset_fits(&mut self, dir: Dir, segment: &Segment<'_>) -> Option<bool> {
        let half = self.halves.of(dir);
        if half.base().is_none() {
            // It answers a SYN, or the capture lacks what it follows: only the acknowledgement can be judged.
            let other = self.halves.of(dir.other());
            let judged = segment.flags.has(Flags::ACK) && other.base().is_some();
            return (!judged || other.offset(Seq(segment.ack)).is_some()).then_some(true);
        }
        let offset = half.offset(Seq(segment.seq))?;
        let window = self.subject.facts(dir.other()).window.max(RESET_SLACK);
        let low = half.acked.min(half.next()) as i64 - RESET_SLACK as i64;
        let high = half.highest().max(half.acked).saturating_add(window) as i64;
        let end = half.next() + u64::from(half.ended);
        let exact = [half.next(), half.acked, end].iter().any(|&next| next as i64 == offset);
        (low..=high).contains(&offset).then_some(exact)
    }

    /// What time, FIN and acknowledgements settle after a segment.
    fn settle<F>(&mut self, at: At, budget: &mut Budget, out: &mut F)
    where
        F: FnMut(&mut Connection, &mut T, Event<'_>) -> Verdict,
    {
        let over = [Dir::Up, Dir::Down].iter().all(|&dir| self.halves.of(dir).fin_acked);
        for dir in [self.subject.client, self.subject.client.other()] {
            let (half, subject) = (self.halves.of_mut(dir), &mut self.subject);
            if half.ended {
                continue;
            }
            let acked = half.acked;
            if !subject.ignored {
                let sink = &mut |output: Output<'_>| subject.output(dir, acked, output, out);
                if over { half.flush(at, budget, sink) } else { half.tick(at, budget, sink) }
            }
            if half.complete() || (subject.ignored && half.fin.is_some()) {
                half.ended = true;
                let at =
                    half.fin.map_or(at, |(_, fin)| if fin.frame > at.frame { fin } else { at });
                subject.emit(dir, |side| Event::End { at, side, why: End::Fin }, out);
            }
        }
        self.close(at, budget);
    }

    /// Ends both directions, after what is known to come before.
    pub fn end<F>(&mut self, at: At, why: End, budget: &mut Budget, out: &mut F)
    where
        F: FnMut(&mut Connection, &mut T, Event<'_>) -> Verdict,
    {
        for dir in [self.subject.client, self.subject.client.other()] {
            let (half, subject) = (self.halves.of_mut(dir), &mut self.subject);
            if half.ended {
                continue;
            }
            let acked = half.acked;
            if !subject.ignored {
                half.flush(at, budget, &mut |output| subject.output(dir, acked, output, out));
            }
            half.ended = true;
            let why = if half.complete() { End::Fin } else { why };
            subject.emit(dir, |side| Event::End { at, side, why }, out);
        }
        self.close(at, budget);
    }

    /// Both directions have ended: only the facts are still needed.
    fn close(&mut self, at: At, budget: &mut Budget) {
        let over = self.halves.of(Dir::Up).ended && self.halves.of(Dir::Down).ended;
        if over && self.closed_at.is_none() {
            self.closed_at = Some(at);
            self.clear(budget);
        }
    }

    fn clear(&mut self, budget: &mut Budget) {
        self.halves.of_mut(Dir::Up).clear(budget);
        self.halves.of_mut(Dir::Down).clear(budget);
    }
}
