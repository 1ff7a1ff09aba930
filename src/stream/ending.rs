//! How a connection ends: FIN, RST, or not within the capture.

use crate::at::At;
use crate::packet::{Flags, Segment};

use super::ahead::Budget;
use super::connection::Reset;
use super::flow::Flow;
use super::flows::Dir;
use super::half::Output;
use super::part::{Part, Seq};
use super::{End, Event, Owner, Side};

/// Slack behind the window for RST, since the capture may lack the latest acknowledgement.
const RESET_SLACK: u64 = 1 << 16;

impl<T: Default> Flow<T> {
    /// The first FIN of a direction ends it behind `part`.
    #[inline(never)]
    pub fn finish(&mut self, dir: Dir, part: &Part<'_>) {
        let other = self.halves.of(dir.other()).fin;
        let (half, facts) = (self.halves.of_mut(dir), self.subject.facts(dir));
        let seen = half.highest().max(half.acked);
        let acked = half.finish(part.end(), part.at);
        facts.end(part.end(), acked.is_some(), part.at);
        if part.offset > seen {
            facts.run_ahead(part.at);
        } else if let Some(resent) = facts.resent.as_mut() {
            // It is told now what came before: all of that, and this FIN.
            resent.beyond = None;
        }
        // Who acknowledges a FIN no later than by its own had got it before (RFC 9293 3.6).
        if acked.zip(other).is_some_and(|(acked, (_, fin))| acked.frame <= fin.frame) {
            facts.resent.edit().fin_first = true;
        }
    }

    pub fn reset(
        &mut self,
        dir: Dir,
        segment: Segment<'_>,
        budget: &mut Budget,
        out: &mut impl Owner<T>,
    ) {
        let Some(seq_fits) = self.reset_fits(dir, segment) else {
            self.subject.connection.resets_ignored += 1;
            return;
        };
        let side = self.subject.side(dir);
        let tells_of_more = self.tells_of_more(side, segment);
        let is_answer = self.answers_late(dir, segment);
        let connection = &mut self.subject.connection;
        connection.resets += 1;
        let reset = Reset {
            at: segment.at,
            time: segment.at.time,
            side,
            ttl: segment.ttl,
            ip_id: segment.ip_id,
            window: segment.window,
            seq_fits,
            acked: segment.flags.has(Flags::ACK),
            tells_of_more,
        };
        if connection.reset.get_or_insert(reset).side != side && !is_answer {
            connection.reset_back.get_or_insert(reset);
        }
        self.end(segment.at, End::Reset, budget, out);
    }

    /// Whether RST is what a closed socket answers to a segment that came after an RST of its sender (RFC 9293
    /// 3.10.7.1).
    fn answers_late(&self, dir: Dir, segment: Segment<'_>) -> bool {
        let first = self.subject.connection.reset.filter(|_| !segment.flags.has(Flags::ACK));
        let mirror = self.mirrors.of(dir.other());
        first.is_some_and(|first| mirror.acknowledged(segment.seq, first.time))
    }

    /// Whether RST, by its own number or by what it acknowledges, comes behind more bytes of the server than were seen.
    fn tells_of_more(&self, side: Side, segment: Segment<'_>) -> bool {
        let half = self.halves.of(self.subject.client.other());
        let number = match side {
            Side::Server => Some(segment.seq),
            Side::Client => segment.flags.has(Flags::ACK).then_some(segment.ack),
        };
        // FIN takes a number, too.
        let seen = half.highest().max(half.acked).saturating_add(1);
        let offset = number.and_then(|number| half.offset(Seq(number)));
        offset.is_some_and(|offset| u64::try_from(offset).is_ok_and(|offset| offset > seen))
    }

    /// Whether RST comes at exactly the next sequence number; `None` if it is far off.
    fn reset_fits(&mut self, dir: Dir, segment: Segment<'_>) -> Option<bool> {
        let half = self.halves.of(dir);
        if half.base().is_none() {
            // It answers a SYN, or the capture lacks what it follows: only the acknowledgement can be judged.
            let other = self.halves.of(dir.other());
            let judged = segment.flags.has(Flags::ACK) && other.base().is_some();
            return (!judged || other.offset(Seq(segment.ack)).is_some()).then_some(true);
        }
        let offset = half.offset(Seq(segment.seq))?;
        let window = self.subject.facts(dir.other()).window.max(RESET_SLACK);
        // What the other side has taken is behind its window for good (RFC 9293 3.10.7.4).
        let low = half.acked.min(half.next()) as i64;
        let high = half.highest().max(half.acked).saturating_add(window) as i64;
        let end = half.next() + u64::from(half.ended);
        let exact = [half.next(), half.acked, end].iter().any(|&next| next as i64 == offset);
        (low..=high).contains(&offset).then_some(exact)
    }

    /// What time, FIN and acknowledgements settle after a segment.
    pub fn settle(
        &mut self,
        from: Dir,
        (at, seq): (At, Seq),
        budget: &mut Budget,
        out: &mut impl Owner<T>,
    ) {
        let over = [Dir::Up, Dir::Down].iter().all(|&dir| self.halves.of(dir).fin_acked);
        for dir in [self.subject.client, self.subject.client.other()] {
            let (half, subject) = (self.halves.of_mut(dir), &mut self.subject);
            if half.ended {
                continue;
            }
            let acked = half.acked;
            if !subject.ignored {
                let sink = &mut |output: Output<'_>| subject.output(dir, acked, output, out);
                match over {
                    true => half.flush(at, budget, sink),
                    false => half.tick(at, (dir == from).then_some(seq), budget, sink),
                }
            }
            if half.complete() || (subject.ignored && half.fin.is_some()) {
                half.ended = true;
                let at =
                    half.fin.map_or(at, |(_, fin)| if fin.frame > at.frame { fin } else { at });
                let side = subject.side(dir);
                subject.emit(&Event::End { at, side, why: End::Fin }, out);
            }
        }
        self.close(at, budget);
    }

    /// Ends both directions, after what is known to come before.
    pub fn end(&mut self, at: At, why: End, budget: &mut Budget, out: &mut impl Owner<T>) {
        for dir in [self.subject.client, self.subject.client.other()] {
            let (half, subject) = (self.halves.of_mut(dir), &mut self.subject);
            if half.ended {
                continue;
            }
            if let Some(at) = half.conclude() {
                let facts = subject.facts(dir);
                facts.end(half.next(), true, at);
                facts.resent.edit().fin_unseen = true;
            }
            let acked = half.acked;
            if !subject.ignored {
                half.flush(at, budget, &mut |output| subject.output(dir, acked, output, out));
            }
            half.ended = true;
            let why = if half.complete() { End::Fin } else { why };
            let side = subject.side(dir);
            subject.emit(&Event::End { at, side, why }, out);
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

    pub fn clear(&mut self, budget: &mut Budget) {
        self.halves.of_mut(Dir::Up).clear(budget);
        self.halves.of_mut(Dir::Down).clear(budget);
    }
}
