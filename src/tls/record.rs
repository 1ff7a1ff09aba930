//! Records and handshake messages out of a byte stream (RFC 8446 5.1, RFC 5246 6.2).

use crate::stream::Side;

/// Bytes of a record header.
pub(super) const HEADER: usize = 5;
/// Longest body of a protected record (RFC 5246 6.2.3).
const LONGEST: usize = (1 << 14) + 2048;
/// Longest protected record with its header.
pub(super) const LONGEST_RECORD: usize = HEADER + LONGEST;
/// Longest handshake message that is looked into; hellos stay far below, chains of certificates hardly come near.
const LONGEST_MESSAGE: usize = 64 << 10;

/// Content types.
pub(super) const CHANGE_CIPHER_SPEC: u8 = 20;
pub(super) const ALERT: u8 = 21;
pub(super) const HANDSHAKE: u8 = 22;
pub(super) const APPLICATION_DATA: u8 = 23;

/// Length of the record, header included, whose header could begin here.
pub(super) fn record_len(bytes: &[u8]) -> Option<usize> {
    let &[kind, 3, minor, high, low, ..] = bytes else { return None };
    let len = usize::from(u16::from_be_bytes([high, low]));
    let plausible =
        (CHANGE_CIPHER_SPEC..=24).contains(&kind) && minor <= 4 && (1..=LONGEST).contains(&len);
    plausible.then_some(HEADER + len)
}

/// Whether a stream that begins with these bytes, six or fewer of them at least, is TLS: hellos, or, where the capture
/// began later, any record of a version from SSL 3.0 on.
pub fn looks_like_tls(first_bytes: &[u8]) -> bool {
    let (header, rest) = first_bytes.split_at_checked(HEADER).unwrap_or((first_bytes, &[]));
    match *header {
        [kind, 3, 0..=4, high, low] => {
            let len = usize::from(u16::from_be_bytes([high, low]));
            let begins = match (kind, rest.first()) {
                // A hello may be in as many records as it has bytes (RFC 8446 5.1).
                (HANDSHAKE, Some(1 | 2)) => len >= 1,
                (HANDSHAKE, Some(0)) => len >= 4,
                (CHANGE_CIPHER_SPEC, _) => len == 1,
                (ALERT, _) => len == 2 || len >= 16,
                (HANDSHAKE | APPLICATION_DATA, _) => len >= 16,
                _ => false,
            };
            begins && len <= LONGEST
        }
        // No text begins with this octet.
        [HANDSHAKE] | [HANDSHAKE, 3] | [HANDSHAKE, 3, 0..=4] | [HANDSHAKE, 3, 0..=4, _] => true,
        _ => false,
    }
}

/// Who sends a record that begins with a hello, whose type tells.
pub fn sender_of(first_bytes: &[u8]) -> Option<Side> {
    match first_bytes {
        [HANDSHAKE, 3, 0..=4, _, _, 1, 0, ..] => Some(Side::Client),
        [HANDSHAKE, 3, 0..=4, _, _, 2, 0, ..] => Some(Side::Server),
        _ => None,
    }
}

/// Handshake messages of one direction, whole again.
#[derive(Debug, Default)]
pub(super) struct Messages {
    bytes: Vec<u8>,
    /// Bytes still to come of a message nobody looks into.
    skip: usize,
}

impl Messages {
    /// Takes a record's text in and hands every message that is whole to `each`: its type and its body.
    pub(super) fn push(&mut self, mut text: &[u8], mut each: impl FnMut(u8, &[u8])) {
        while !text.is_empty() {
            let skipped = self.skip.min(text.len());
            self.skip -= skipped;
            text = text.get(skipped..).unwrap_or_default();
            let want = self.want();
            let part = text.get(..want - self.bytes.len().min(want)).unwrap_or(text);
            self.bytes.extend_from_slice(part);
            text = text.get(part.len()..).unwrap_or_default();
            self.finish_message(&mut each);
        }
    }

    /// Forgets what has come of a message.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.skip = 0;
    }

    fn want(&self) -> usize {
        match *self.bytes.as_slice() {
            [_, a, b, c, ..] => 4 + u32::from_be_bytes([0, a, b, c]) as usize,
            _ => 4,
        }
    }

    fn finish_message(&mut self, each: &mut impl FnMut(u8, &[u8])) {
        let Some((&[kind, ..], body)) = self.bytes.split_first_chunk::<4>() else { return };
        let (len, want) = (self.bytes.len(), self.want());
        // Of a longer one only its presence counts.
        if len == want || want > LONGEST_MESSAGE {
            each(kind, body);
            self.skip = want - len;
            self.bytes.clear();
        }
    }
}
