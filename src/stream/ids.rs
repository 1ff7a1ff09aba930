//! IPv4 identifications of one side: whether they follow each other, and which packets are copies.

use crate::at::At;

use super::side_facts::SideFacts;

/// How far apart the identifications of successive packets of one host may be: it talks to others too.
const STEP: u16 = 63;

/// How far behind the last identification of a host one may be that came late.
const LATE: u16 = 1_024;

/// Identifications that did not come when those behind them did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unseen {
    /// One bit for each of the last 64 before `upto`, which is the lowest.
    bits: u64,
    /// Behind this one, all came.
    upto: u16,
    /// The last frame with an identification that was there before, or came too late to know.
    copy: u64,
}

impl Unseen {
    /// All but `id`.
    const fn but(self, id: u16) -> Self {
        Self { bits: !1, upto: id, ..self }
    }

    /// The `skipped` ones before `id` did not come.
    fn skip(&mut self, id: u16, skipped: u16) {
        let shift = u32::from(id.wrapping_sub(self.upto));
        let fresh = (1 << (skipped + 1)) - 2;
        self.bits = self.bits.checked_shl(shift).unwrap_or(0) | fresh;
        self.upto = id;
    }

    /// Whether `id` came for the first time.
    fn take(&mut self, id: u16) -> bool {
        let place = 1_u64.checked_shl(self.upto.wrapping_sub(id).into()).unwrap_or(0);
        let first = self.bits & place > 0;
        self.bits &= !place;
        first
    }
}

impl SideFacts {
    /// Takes the identification of a packet.
    #[inline(always)]
    pub(super) fn identify(&mut self, id: Option<u16>, at: &At) {
        // Systems that do not count write 0.
        let Some(id) = id.filter(|id| *id != 0) else { return };
        match self.ip_id.replace(id).map(|last| id.wrapping_sub(last)) {
            Some(1) => self.ip_id_steps += 1,
            Some(ahead) => self.out_of_step(id, ahead, at),
            None => self.unseen = Unseen::default().but(id),
        }
    }

    /// Takes one that is so far ahead of the last one, by modulus.
    #[inline(never)]
    fn out_of_step(&mut self, id: u16, ahead: u16, at: &At) {
        if (1..=STEP).contains(&ahead) {
            self.ip_id_steps += 1;
            self.unseen.skip(id, ahead - 1);
        } else if ahead.wrapping_neg() <= LATE {
            self.ip_id = Some(id.wrapping_sub(ahead));
            if !self.unseen.take(id) {
                self.unseen.copy = at.frame;
            }
        } else {
            self.ip_id_jumps += 1;
            self.unseen = self.unseen.but(id);
        }
    }

    /// Whether a frame is a copy of another: sent again, it would have an identification of its own.
    pub(super) const fn is_copy(&self, at: At) -> bool {
        self.unseen.copy == at.frame
            && self.ip_id_steps >= 1
            && self.ip_id_jumps <= self.ip_id_steps
    }
}
