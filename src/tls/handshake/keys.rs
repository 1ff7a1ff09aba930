//! The keys that open a record, from what both sides agreed on and the secrets at hand.

use super::{Agreed, Handshake, TLS12, TLS13};
use crate::stream::Side;
use crate::tls::half::{Half, Phase};
use crate::tls::keylog::{KeyLine, KeyLog, Secret, Secrets};
use crate::tls::opener::{Opened, Opener};
use crate::tls::suite::Suite;

/// The suites of TLS 1.3 that are supported.
const SUITES13: [u16; 3] = [0x1301, 0x1302, 0x1303];

impl Handshake {
    pub(in crate::tls) fn has_secrets(&self, keys: &KeyLog) -> bool {
        self.secrets(keys).is_some()
            || self.agreed.as_ref().is_some_and(|agreed| !agreed.masters.is_empty())
    }

    /// Whether keys are missing that `half` needs to go on.
    pub(in crate::tls) fn lacks_keys(&self, half: &Half, keys: &KeyLog) -> bool {
        let Some(agreed) = &self.agreed else {
            return self.is_early(half) && self.secrets(keys).is_none();
        };
        let secrets = self.secrets(keys);
        if agreed.version == TLS12 {
            return half.handshake < self.count
                && agreed.masters.is_empty()
                && secrets.is_none_or(|s| s.master.is_empty());
        }
        half.phase < Phase::Application
            && secrets.is_none_or(|s| s.of(half.side, Phase::Application).is_empty())
    }

    /// Whether early data may come, which keys are often missing for.
    pub(in crate::tls) fn is_early(&self, half: &Half) -> bool {
        let offered = self.offer.as_ref().is_some_and(|offer| offer.early_data);
        offered && half.side == Side::Client && half.phase == Phase::Clear
    }

    /// Whether the next record may be of the handshake, whose secret is missing.
    pub(in crate::tls) fn lacks_handshake_secret(&self, half: &Half, keys: &KeyLog) -> bool {
        let modern = self.agreed.as_ref().is_some_and(|agreed| agreed.version == TLS13);
        let secrets = self.secrets(keys).map(|secrets| secrets.of(half.side, Phase::Handshake));
        modern && half.phase < Phase::Handshake && secrets.is_none_or(<[_]>::is_empty)
    }

    /// The line of the key log that is to blame if the first protected record of `half` does not open. Where the secret
    /// of the handshake is missing, that of what follows it is not.
    pub(in crate::tls) fn misfit(&self, half: &Half, keys: &KeyLog) -> Option<KeyLine> {
        if half.holed || self.is_early(half) {
            return None;
        }
        let (agreed, secrets) = (self.agreed.as_ref()?, self.secrets(keys)?);
        let tried: &[Secret] = match (agreed.version, half.phase) {
            (TLS12, _) if half.handshake < self.count => &secrets.master,
            (TLS13, Phase::Clear | Phase::Early) => secrets.of(half.side, Phase::Handshake),
            (TLS13, Phase::Handshake) => secrets.of(half.side, Phase::Application),
            _ => &[],
        };
        tried.last().map(|secret| keys.line_of(secret))
    }

    /// Opens a record into `plain` with the present keys of `half`, or else with those that can follow.
    pub(in crate::tls) fn open(
        &self,
        half: &mut Half,
        record: &[u8],
        plain: &mut Vec<u8>,
        keys: &KeyLog,
    ) -> Option<Opened> {
        let window = half.window(record.len());
        if let Some(opened) =
            half.opener.as_ref().and_then(|opener| opener.open(record, &window, plain))
        {
            return Some(opened);
        }
        // Finished of TLS 1.2 may have been lost, or mistaken for a plain record, behind a gap.
        let window = window.with_new_keys(if self.is_classic() { 2 } else { 1 });
        for (phase, opener) in self.following(half, keys) {
            if let Some(opened) = opener.open(record, &window, plain) {
                self.learn(opener.secret(), keys);
                (half.phase, half.opener, half.handshake) = (phase, Some(opener), self.count);
                // Behind a gap that took the ChangeCipherSpec with it.
                half.sealed |= self.is_classic();
                return Some(opened);
            }
        }
        None
    }

    /// A master secret opened a record: remember it for sessions that resume this one.
    fn learn(&self, master: &[u8], keys: &KeyLog) {
        if let Some(agreed) = self.agreed.as_ref().filter(|agreed| agreed.version == TLS12) {
            keys.shared().learn(&agreed.session_id, master);
            keys.shared().learn(&agreed.ticket, master);
        }
    }

    fn secrets<'k>(&self, keys: &'k KeyLog) -> Option<&'k Secrets> {
        let agreed = self.agreed.as_ref().map(|agreed| &agreed.client_random);
        keys.secrets(agreed.or(self.offer.as_ref().map(|offer| &offer.random))?)
    }

    /// Keys that can come after those in use.
    fn following(&self, half: &Half, keys: &KeyLog) -> Vec<(Phase, Opener)> {
        let secrets = self.secrets(keys);
        match &self.agreed {
            None => secrets.map(|secrets| guessed(half, secrets)).unwrap_or_default(),
            Some(agreed) if agreed.version == TLS12 => {
                if half.handshake >= self.count {
                    return Vec::new();
                }
                let named = secrets.map(|secrets| secrets.master.as_slice()).unwrap_or_default();
                let masters = named.iter().map(|secret| &secret.bytes).chain(&agreed.masters);
                let openers = masters.filter_map(|master| agreed.tls12(half.side, master));
                openers.map(|opener| (Phase::Application, opener)).collect()
            }
            Some(_) if half.phase == Phase::Application => {
                let updated = half.opener.as_ref().and_then(Opener::updated);
                updated.map(|opener| (Phase::Application, opener)).into_iter().collect()
            }
            Some(agreed) => secrets
                .map(|secrets| keys13(agreed.suite, half, secrets).collect())
                .unwrap_or_default(),
        }
    }
}

/// The keys that secrets of TLS 1.3 lead to with each suite; the length of a secret leaves one or two.
///
/// Early data comes before the ServerHello names a suite, and a gap may take the ServerHello along.
fn guessed(half: &Half, secrets: &Secrets) -> Vec<(Phase, Opener)> {
    let suites = match &half.opener {
        Some(opener) => vec![opener.suite()],
        None => SUITES13.iter().map(|&code| Suite::of(code)).collect(),
    };
    let updated = half.opener.as_ref().filter(|_| half.phase == Phase::Application);
    let updated = updated.and_then(Opener::updated).map(|opener| (Phase::Application, opener));
    let next = suites.into_iter().flat_map(|suite| keys13(suite, half, secrets));
    next.chain(updated).collect()
}

/// The keys of TLS 1.3 behind those that `half` uses.
fn keys13<'s>(
    suite: Suite,
    half: &Half,
    secrets: &'s Secrets,
) -> impl Iterator<Item = (Phase, Opener)> + use<'s> {
    let (side, now) = (half.side, half.phase);
    [Phase::Early, Phase::Handshake, Phase::Application]
        .into_iter()
        .filter(move |&phase| phase > now)
        .flat_map(move |phase| secrets.of(side, phase).iter().map(move |secret| (phase, secret)))
        .filter_map(move |(phase, secret)| Some((phase, Opener::tls13(suite, &secret.bytes)?)))
}

impl Agreed {
    fn tls12(&self, side: Side, master: &[u8]) -> Option<Opener> {
        let (client, server) = Opener::tls12(
            self.suite,
            master,
            &self.client_random,
            &self.server_random,
            self.encrypt_then_mac,
        )?;
        Some(if side == Side::Client { client } else { server })
    }
}

impl Secrets {
    fn of(&self, side: Side, phase: Phase) -> &[Secret] {
        match (phase, side) {
            (Phase::Early, Side::Client) => &self.early,
            (Phase::Handshake, Side::Client) => &self.client_handshake,
            (Phase::Handshake, Side::Server) => &self.server_handshake,
            (Phase::Application, Side::Client) => &self.client_traffic,
            (Phase::Application, Side::Server) => &self.server_traffic,
            (Phase::Clear, _) | (Phase::Early, Side::Server) => &[],
        }
    }
}
