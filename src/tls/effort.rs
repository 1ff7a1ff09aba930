//! How much is done to find records far behind a gap: a hostile capture must not make that endless.

/// Bytes that are worked through at most to try more for a record, where more may be missing.
const FAR: u64 = 2 << 20;
/// Bytes worked through for all records together, as far as it is not paid back.
const FAR_IN_ALL: u64 = 2 * FAR;
/// Bytes that one attempt costs at least, however short the record.
const ATTEMPT: u64 = 256;
/// Bytes that each byte of plaintext pays back.
const PAID_BACK: u64 = 64;

/// Bytes that were worked through for records far ahead, less those that opened records paid back.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Effort(u64);

impl Effort {
    /// How many sequence numbers may be tried for a record of `len` bytes.
    pub(super) const fn attempts(self, len: usize) -> u64 {
        if self.0 < FAR_IN_ALL { FAR / cost(len) } else { 0 }
    }

    /// So many were tried.
    pub(super) const fn spend(&mut self, tried: u64, len: usize) {
        self.0 = self.0.saturating_add(tried.saturating_mul(cost(len)));
    }

    /// So many bytes of plaintext were found.
    pub(super) const fn pay_back(&mut self, plain: usize) {
        self.0 = self.0.saturating_sub(PAID_BACK.saturating_mul(plain as u64));
    }
}

/// What one attempt at a record costs, in bytes.
const fn cost(len: usize) -> u64 {
    (len as u64).saturating_add(ATTEMPT)
}
