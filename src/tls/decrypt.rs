//! One record after the other: opened where there are keys, and taken to heart where it tells of new ones.

use crate::at::At;
use crate::stream::{Event, Side};

use super::connection::Decryptor;
use super::facts::Opaque;
use super::keylog::KeyLog;
use super::opener::Opened;
use super::record::{ALERT, APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE, record_len};

/// What became of a record.
enum Outcome {
    Passed,
    Opened(Opened),
    Wait,
    Failed,
    /// Neither this record nor what follows in its direction can ever be opened.
    Hopeless(Opaque),
}

impl Decryptor {
    /// Deals with the record in front of the buffer; false if it has to wait.
    pub(super) fn record(
        &mut self,
        side: Side,
        at: At,
        keys: &KeyLog,
        out: &mut impl FnMut(Event<'_>),
    ) -> bool {
        let half = self.half(side);
        let Some(len) = record_len(&half.buffer) else {
            half.resynchronise();
            return true;
        };
        let buffer = std::mem::take(&mut half.buffer);
        let record = buffer.get(..len).unwrap_or(&buffer);
        let mut plain = keys.shared().take_buffer();
        let outcome = self.open(side, at, record, &mut plain, keys);
        if let Outcome::Opened(opened) = &outcome {
            self.opened(side, at, opened, (&plain, keys), out);
        }
        keys.shared().give_buffer(plain);
        self.half(side).buffer = buffer;
        match outcome {
            Outcome::Wait => return false,
            Outcome::Failed => self.failed(side, len, keys),
            Outcome::Hopeless(reason) => {
                self.facts.opaque = Some(reason);
                self.facts.traffic(side).unread = true;
                self.half(side).hopeless = true;
            }
            Outcome::Passed | Outcome::Opened(_) => {
                self.half(side).take_off(len);
            }
        }
        true
    }

    fn open(
        &mut self,
        side: Side,
        at: At,
        record: &[u8],
        plain: &mut Vec<u8>,
        keys: &KeyLog,
    ) -> Outcome {
        let Some((&kind, body)) =
            record.split_first().and_then(|(kind, rest)| Some((kind, rest.get(4..)?)))
        else {
            return Outcome::Failed;
        };
        let half = self.half(side);
        if half.sealed || kind == APPLICATION_DATA {
            return self.unseal(side, record, plain, keys);
        }
        half.passed();
        match kind {
            CHANGE_CIPHER_SPEC => self.half(side).sealed = self.handshake.is_classic(),
            ALERT => self.facts.alert(side, at, body),
            HANDSHAKE => self.messages(side, at, body, keys),
            _ => {}
        }
        Outcome::Passed
    }

    fn unseal(&mut self, side: Side, record: &[u8], plain: &mut Vec<u8>, keys: &KeyLog) -> Outcome {
        if let Some(reason) = self.handshake.unsupported() {
            return Outcome::Hopeless(reason);
        }
        let half = match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        };
        match self.handshake.open(half, record, plain, keys) {
            Some(opened) => Outcome::Opened(opened),
            None if !self.handshake.lacks_keys(half, keys) => Outcome::Failed,
            None if !self.gave_up => Outcome::Wait,
            None if self.facts.decrypted || self.handshake.has_secrets(keys) => Outcome::Failed,
            None => Outcome::Hopeless(Opaque::NoKeys),
        }
    }

    fn opened(
        &mut self,
        side: Side,
        at: At,
        opened: &Opened,
        (plain, keys): (&[u8], &KeyLog),
        out: &mut impl FnMut(Event<'_>),
    ) {
        (self.facts.decrypted, self.facts.opaque) = (true, None);
        self.facts.traffic(side).unread = false;
        let half = self.half(side);
        let lost = half.opened(opened);
        half.emit_gap(at, lost, out);
        let plain = plain.get(opened.plain.clone()).unwrap_or_default();
        match opened.kind {
            APPLICATION_DATA => {
                half.emit(at, opened.plain.clone(), plain, out);
                self.facts.traffic(side).decrypted_bytes += plain.len() as u64;
            }
            ALERT => self.facts.alert(side, at, plain),
            HANDSHAKE => self.messages(side, at, plain, keys),
            _ => {}
        }
    }

    fn failed(&mut self, side: Side, len: usize, keys: &KeyLog) {
        let half = match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        };
        let early =
            self.handshake.is_early(half) || self.handshake.lacks_handshake_secret(half, keys);
        if self.facts.misfit.is_none() {
            self.facts.misfit = self.handshake.misfit(half, keys);
        }
        let traffic = self.facts.traffic(side);
        traffic.failed += u64::from(!half.scanning);
        traffic.unread = true;
        self.half(side).failed(len, !early);
        if !self.facts.decrypted {
            self.facts.opaque = Some(match self.handshake.is_agreed() {
                false => Opaque::NoHandshake,
                true if self.handshake.has_secrets(keys) => Opaque::KeysDoNotFit,
                true => Opaque::NoKeys,
            });
        }
    }

    fn messages(&mut self, side: Side, at: At, text: &[u8], keys: &KeyLog) {
        let half = match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        };
        let (handshake, facts) = (&mut self.handshake, &mut self.facts);
        half.messages
            .push(text, |kind, body| handshake.message(side, at, (kind, body), keys, facts));
    }
}
