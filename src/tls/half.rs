//! One direction: bytes in, records out, and where decryption stands.

use std::ops::Range;

use crate::at::At;
use crate::stream::{Carriage, Chunk, Event, Side};

use super::effort::Effort;
use super::opener::{Opened, Opener, Window};
use super::record::{APPLICATION_DATA, HEADER, LONGEST_RECORD, Messages, record_len};

/// What records that fail one after the other weigh before a direction is given up: 16 that should have opened, or 256
/// behind a gap that need not have.
const MOST_FAILURES: u32 = 16 * FAILURE;
/// What one weighs that should have opened.
const FAILURE: u32 = 16;
/// How many sequence numbers are tried behind any gap.
const NEAR: u64 = 65;
/// What a record weighs at least that something was lost with: its header and a tag.
const LEAST_RECORD: u64 = (HEADER + 16) as u64;

/// Which keys of TLS 1.3 a direction uses; TLS 1.2 has one kind only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    #[default]
    Clear,
    Early,
    Handshake,
    Application,
}

/// Where bytes stand in the stream that carries them all, and what their sender had of the other direction.
#[derive(Clone, Copy, Debug, Default)]
struct Origin {
    place: u64,
    acked: u64,
    /// Bytes that the carrier adds to each piece.
    extra: u64,
}

impl Origin {
    const fn advance(&mut self, len: usize) {
        self.place = self.place.saturating_add(len as u64);
    }
}

/// One direction of a connection.
pub(super) struct Half {
    pub(super) side: Side,
    /// Begins with a record header; longer than that record only behind a gap.
    pub(super) buffer: Vec<u8>,
    /// Bytes of that record that came behind those in the buffer and were not kept.
    passed_by: usize,
    /// Where the next bytes come from.
    next: Origin,
    /// Where the record in front came from.
    front: Origin,
    pub(super) messages: Messages,
    pub(super) phase: Phase,
    pub(super) opener: Option<Opener>,
    /// ChangeCipherSpec of TLS 1.2 has come.
    pub(super) sealed: bool,
    /// Which handshake of TLS 1.2 the keys in use are from.
    pub(super) handshake: u32,
    /// Looking for the next record header behind a gap.
    pub(super) scanning: bool,
    pub(super) ended: bool,
    /// How far it came, as acknowledgements count.
    pub(super) seen: u64,
    /// Nothing that follows can be opened, whatever the keys.
    pub(super) hopeless: bool,
    /// The capture lacks some of it.
    pub(super) holed: bool,
    lost: u64,
    failures: u32,
    /// What was done to try more than [`NEAR`].
    far_worked: Effort,
    offset: u64,
}

impl Half {
    pub(super) fn new(side: Side) -> Self {
        Self {
            side,
            buffer: Vec::new(),
            passed_by: 0,
            next: Origin::default(),
            front: Origin::default(),
            messages: Messages::default(),
            phase: Phase::Clear,
            opener: None,
            sealed: false,
            handshake: 0,
            scanning: false,
            ended: false,
            seen: 0,
            hopeless: false,
            holed: false,
            lost: 0,
            failures: 0,
            far_worked: Effort::default(),
            offset: 0,
        }
    }

    /// Bytes of this direction arrive.
    pub(super) const fn arrive(&mut self, chunk: &Chunk<'_>) {
        let (acked, extra) = (chunk.acked, chunk.carriage.extra);
        self.next = Origin { place: chunk.place(), acked, extra };
    }

    /// Takes what the next record lacks off `bytes`; whether the record is whole now, and worth an attempt. Where there
    /// are no keys for whatever comes, only the headers of protected records are kept.
    pub(super) fn fill(&mut self, bytes: &mut &[u8], keyless: bool) -> bool {
        while !self.is_hopeless() {
            let missing = self.missing();
            if missing == 0 {
                return true;
            }
            if self.len() == 0 {
                self.front = self.next;
            }
            let part = bytes.split_off(..missing.min(bytes.len())).unwrap_or_default();
            self.next.advance(part.len());
            if keyless && self.buffer.len() >= HEADER && self.is_protected() {
                self.passed_by += part.len();
            } else {
                self.buffer.extend_from_slice(part);
            }
            if part.len() < missing {
                return false;
            }
        }
        false
    }

    /// Bytes that the record in front lacks, or its header.
    fn missing(&self) -> usize {
        record_len(&self.buffer).unwrap_or(HEADER).saturating_sub(self.len())
    }

    /// Whether the record in front is protected, as far as its header tells. Behind a gap it may be no header.
    fn is_protected(&self) -> bool {
        let sealed = self.sealed || self.buffer.first() == Some(&APPLICATION_DATA);
        sealed && !self.scanning
    }

    /// Bytes that the buffer stands for.
    fn len(&self) -> usize {
        self.buffer.len() + self.passed_by
    }

    /// Whether no attempt is worth it any more; too many that failed are a reason, too.
    pub(super) const fn is_hopeless(&self) -> bool {
        self.hopeless || self.failures >= MOST_FAILURES
    }

    /// Sequence numbers to try for a record of `len` bytes, from the next one on.
    pub(super) fn window(&self, len: usize) -> Window {
        if self.lost == 0 {
            return Window { near: 1, far: 0..0 };
        }
        let most = self.lost / self.overhead().max(LEAST_RECORD) + 1;
        let start = (self.lost / LONGEST_RECORD as u64).max(NEAR);
        let far = start..most.min(start.saturating_add(self.far_worked.attempts(len)));
        Window { near: NEAR, far }
    }

    fn overhead(&self) -> u64 {
        self.opener.as_ref().map_or(0, Opener::overhead)
    }

    /// The capture lacks `len` bytes.
    pub(super) fn gap(&mut self, len: u64) {
        self.lost = self.lost.saturating_add(len).saturating_add(self.len() as u64);
        self.buffer.clear();
        self.passed_by = 0;
        self.messages.clear();
        (self.scanning, self.holed) = (true, true);
    }

    /// What is in the buffer and `len` bytes more go by unread.
    pub(super) fn ignore(&mut self, len: usize) {
        self.lose(self.len().saturating_add(len));
        self.buffer = Vec::new();
        self.passed_by = 0;
    }

    /// Moves on to the next place where a record header may begin.
    pub(super) fn resynchronise(&mut self) {
        self.scanning = true;
        let tail = self.buffer.len().saturating_sub(HEADER - 1);
        let found = (1..tail).find(|&at| self.buffer.get(at..).and_then(record_len).is_some());
        self.discard(found.unwrap_or(tail.max(1)));
    }

    /// A record in step was read without keys.
    pub(super) fn passed(&mut self) {
        (self.scanning, self.lost) = (false, 0);
    }

    /// The record in front, `len` bytes long, did not open, and the keys should have been able to if `counts`.
    pub(super) fn failed(&mut self, len: usize, counts: bool) {
        // Behind a gap each place that looks like a header is tried, with many sequence numbers.
        let weight = if counts { FAILURE } else { u32::from(self.scanning) };
        self.failures = self.failures.saturating_add(weight);
        let far = self.window(len).far;
        self.far_worked.spend(far.end.saturating_sub(far.start), len);
        if self.scanning { self.resynchronise() } else { self.discard(len) }
    }

    /// The record in front opened; returns how many plaintext bytes were lost before it, as an estimate.
    pub(super) fn opened(&mut self, opened: &Opened) -> u64 {
        self.account(opened);
        let Some(opener) = &mut self.opener else { return 0 };
        // TLS 1.2 spends sequence number 0 on Finished.
        let expected = opener.seq.max(u64::from(self.sealed));
        let skipped = opened.seq.saturating_sub(expected);
        let headers = skipped.saturating_mul(opener.overhead());
        let missing = if skipped > 0 { self.lost.saturating_sub(headers) } else { 0 };
        opener.seq = opened.seq.saturating_add(1);
        self.failures = 0;
        self.passed();
        missing
    }

    /// Counts what it took to open a record, and what that pays back.
    fn account(&mut self, opened: &Opened) {
        let far = self.window(opened.plain.end).far;
        let ahead = opened.seq.saturating_sub(self.opener.as_ref().map_or(0, |opener| opener.seq));
        if !far.is_empty() {
            self.far_worked.spend(ahead.saturating_sub(far.start), opened.plain.end);
        }
        self.far_worked.pay_back(opened.plain.len());
    }

    /// The record in front, `len` bytes long, is done with.
    pub(super) fn take_off(&mut self, len: usize) {
        self.buffer.drain(..len.min(self.buffer.len()));
        self.front.advance(len);
    }

    /// What was lost and not accounted for yet.
    pub(super) fn take_lost(&mut self) -> u64 {
        std::mem::take(&mut self.lost)
    }

    /// Hands on the plaintext of the record in front.
    pub(super) fn emit(
        &mut self,
        at: At,
        plain: Range<usize>,
        bytes: &[u8],
        out: &mut impl FnMut(Event<'_>),
    ) {
        let (offset, Origin { place, acked, extra }) = (self.offset, self.front);
        let shift = place.saturating_add(plain.start as u64).saturating_sub(offset);
        let extra = extra.saturating_add(self.overhead());
        let carriage = Carriage { shift, extra };
        if !bytes.is_empty() {
            out(Event::Data(Chunk { at, side: self.side, offset, acked, carriage, bytes }));
            self.offset = self.offset.saturating_add(bytes.len() as u64);
        }
    }

    /// Hands on a gap in the plaintext.
    pub(super) fn emit_gap(&mut self, at: At, len: u64, out: &mut impl FnMut(Event<'_>)) {
        if len > 0 {
            out(Event::Gap { at, side: self.side, offset: self.offset, len });
            self.offset = self.offset.saturating_add(len);
        }
    }

    const fn lose(&mut self, len: usize) {
        self.lost = self.lost.saturating_add(len as u64);
    }

    fn discard(&mut self, len: usize) {
        let len = len.min(self.len());
        self.lose(len);
        self.take_off(len);
        self.passed_by = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::super::suite::Suite;
    use super::*;

    #[test]
    fn records_that_need_not_open_are_not_tried_without_end_behind_a_gap() {
        let mut half = Half::new(Side::Client);
        let fail = |half: &mut Half| {
            half.buffer = [APPLICATION_DATA, 3, 3, 0x40, 0].repeat(2);
            half.failed(5, false);
        };
        (0..1_000).for_each(|_| fail(&mut half));
        assert!(!half.is_hopeless());
        half.gap(1);
        (0..100).for_each(|_| fail(&mut half));
        assert!(!half.is_hopeless());
        (0..200).for_each(|_| fail(&mut half));
        assert!(half.is_hopeless());
    }

    #[test]
    fn large_gap_may_hold_as_many_records_as_fit() {
        let mut half = Half::new(Side::Client);
        assert_eq!(half.window(1000), Window { near: 1, far: 0..0 });
        half.gap(1000);
        assert!(half.window(1000).far.is_empty());
        half.gap(1_000_000);
        assert_eq!(half.window(1000).far, 65..65 + 1669);
        assert_eq!(half.window(100).far, 65..65 + 5890);
        half.gap(9_000_000);
        assert_eq!(half.window(16_384).far, 542..542 + 126);
        (0..3).for_each(|_| half.failed(16_384, true));
        assert!(half.window(16_384).far.is_empty());
    }

    #[test]
    fn records_far_ahead_are_sought_as_long_as_what_opens_pays_for_it() {
        for (len, behind, gaps) in [(1, 9, 3), (16_000, 2, 50)] {
            let mut half = Half::new(Side::Client);
            half.opener = Opener::tls13(Suite::of(0x1301), &[7; 32]);
            let found = (0..50).take_while(|_| {
                half.gap(9_000_000);
                let far = half.window(len + HEADER).far.last();
                for ahead in far.into_iter().chain(std::iter::repeat_n(0, behind)) {
                    let seq = half.opener.as_ref().unwrap().seq + ahead;
                    half.opened(&Opened {
                        kind: APPLICATION_DATA,
                        plain: HEADER..HEADER + len,
                        seq,
                    });
                }
                far.is_some()
            });
            assert_eq!(found.count(), gaps, "{len}");
        }
    }
}
