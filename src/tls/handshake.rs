//! What both sides agreed on, and the keys that follow from it.

use crate::at::At;
use crate::stream::Side;

use super::facts::{CipherSuite, Facts, Opaque, version_name};
use super::half::{Half, Phase};
use super::hello::{ClientHello, ServerHello, encrypted_alpn};
use super::keylog::{KeyLog, Secrets};
use super::opener::{Opened, Opener};
use super::suite::{Protection, Suite};

const TLS12: u16 = 0x0303;
const TLS13: u16 = 0x0304;
/// The suites of TLS 1.3 that are supported.
const SUITES13: [u16; 3] = [0x1301, 0x1302, 0x1303];

/// The state of the handshake.
#[derive(Default)]
pub(super) struct Handshake {
    offer: Option<ClientHello>,
    agreed: Option<Agreed>,
    /// ServerHellos so far.
    count: u32,
    unsupported: Option<Opaque>,
}

struct Agreed {
    version: u16,
    suite: Suite,
    client_random: [u8; 32],
    server_random: [u8; 32],
    encrypt_then_mac: bool,
}

impl Handshake {
    pub(super) const fn is_agreed(&self) -> bool {
        self.agreed.is_some()
    }

    pub(super) fn is_tls12(&self) -> bool {
        self.agreed.as_ref().is_some_and(|agreed| agreed.version == TLS12)
    }

    /// Why this connection cannot be decrypted, whatever the keys.
    pub(super) const fn unsupported(&self) -> Option<Opaque> {
        self.unsupported
    }

    pub(super) fn has_secrets(&self, keys: &KeyLog) -> bool {
        self.secrets(keys).is_some()
    }

    /// Whether keys are missing that `half` needs to go on.
    pub(super) fn lacks_keys(&self, half: &Half, keys: &KeyLog) -> bool {
        let Some(agreed) = &self.agreed else { return false };
        let secrets = self.secrets(keys);
        if agreed.version == TLS12 {
            return half.handshake < self.count && secrets.is_none_or(|s| s.master.is_none());
        }
        half.phase < Phase::Application
            && secrets.is_none_or(|s| s.of(half.side, Phase::Application).is_none())
    }

    /// Opens a record with the present keys of `half`, or else with those that can follow.
    pub(super) fn open(
        &self,
        half: &mut Half,
        record: &mut [u8],
        spare: &mut Vec<u8>,
        keys: &KeyLog,
    ) -> Option<Opened> {
        let window = half.window();
        if let Some(opened) =
            half.opener.as_ref().and_then(|opener| attempt(opener, record, window, spare))
        {
            return Some(opened);
        }
        // Finished of TLS 1.2 may have been lost, or mistaken for a plain record, behind a gap.
        let window = window.max(if self.is_tls12() { 2 } else { 1 });
        for (phase, opener) in self.following(half, keys) {
            if let Some(opened) = attempt(&opener, record, window, spare) {
                (half.phase, half.opener, half.handshake) = (phase, Some(opener), self.count);
                // Behind a gap that took the ChangeCipherSpec with it.
                half.sealed |= self.is_tls12();
                return Some(opened);
            }
        }
        None
    }

    /// Takes in a handshake message.
    pub(super) fn message(&mut self, side: Side, at: At, kind: u8, body: &[u8], facts: &mut Facts) {
        match (kind, side) {
            (1, Side::Client) => self.client_hello(at, body, facts),
            (2, Side::Server) => self.server_hello(at, body, facts),
            (8, Side::Server) => facts.alpn = encrypted_alpn(body).or(facts.alpn.take()),
            (11, Side::Server) if self.count < 2 && self.is_tls12() => facts.resumed = false,
            (13, Side::Server) => facts.client_certificate_requested = true,
            _ => {}
        }
    }

    fn client_hello(&mut self, at: At, body: &[u8], facts: &mut Facts) {
        let Some(hello) = ClientHello::decode(body) else { return };
        if facts.client_hello_at.is_none() {
            facts.client_hello_at = Some(at.into());
            facts.versions_offered =
                hello.versions.iter().map(|&version| version_name(version)).collect();
            facts.sni.clone_from(&hello.sni);
            facts.alpn_offered.clone_from(&hello.alpn);
            facts.early_data_offered = hello.early_data;
        }
        self.offer = Some(hello);
    }

    fn server_hello(&mut self, at: At, body: &[u8], facts: &mut Facts) {
        let Some(hello) = ServerHello::decode(body) else { return };
        if hello.is_retry() {
            facts.hello_retry = true;
            return;
        }
        let suite = Suite::of(hello.suite);
        facts.server_hello_at.get_or_insert(at.into());
        facts.version = Some(version_name(hello.version));
        facts.cipher_suite = Some(CipherSuite { code: suite.code, name: suite.name.into() });
        facts.alpn = hello.alpn.clone().or(facts.alpn.take());
        self.count = self.count.saturating_add(1);
        if self.count == 1 {
            facts.resumed = self.resumes(&hello);
        }
        self.unsupported = match (hello.version, suite.protection) {
            (TLS12 | TLS13, Protection::Other) => Some(Opaque::UnsupportedCipher),
            (TLS13, Protection::Cbc(..)) => Some(Opaque::UnsupportedCipher),
            (TLS12 | TLS13, _) => None,
            _ => Some(Opaque::UnsupportedVersion),
        };
        self.agree(&hello, suite);
    }

    fn agree(&mut self, hello: &ServerHello, suite: Suite) {
        self.agreed = self.offer.as_ref().map(|offer| Agreed {
            version: hello.version,
            suite,
            client_random: offer.random,
            server_random: hello.random,
            encrypt_then_mac: hello.encrypt_then_mac,
        });
    }

    // With a ticket the server need not echo the identifier; a Certificate message then tells (RFC 5077 3.4).
    fn resumes(&self, hello: &ServerHello) -> bool {
        let Some(offer) = &self.offer else { return false };
        let echoed = !offer.session_id.is_empty() && offer.session_id == hello.session_id;
        hello.pre_shared_key || (hello.version <= TLS12 && (echoed || offer.ticket))
    }

    fn secrets<'k>(&self, keys: &'k KeyLog) -> Option<&'k Secrets> {
        let agreed = self.agreed.as_ref().map(|agreed| &agreed.client_random);
        keys.secrets(agreed.or(self.offer.as_ref().map(|offer| &offer.random))?)
    }

    /// Keys that can come after those in use.
    fn following(&self, half: &Half, keys: &KeyLog) -> Vec<(Phase, Opener)> {
        let secrets = self.secrets(keys);
        match &self.agreed {
            None => secrets.map(|secrets| self.early(half, secrets)).unwrap_or_default(),
            Some(agreed) if agreed.version == TLS12 => {
                let master = secrets
                    .and_then(|s| s.master.as_deref())
                    .filter(|_| half.handshake < self.count);
                let opener = master.and_then(|master| agreed.tls12(half.side, master));
                opener.map(|opener| (Phase::Application, opener)).into_iter().collect()
            }
            Some(agreed) if half.phase == Phase::Application => {
                let updated = half.opener.as_ref().and_then(|opener| opener.updated(agreed.suite));
                updated.map(|opener| (Phase::Application, opener)).into_iter().collect()
            }
            Some(agreed) => secrets.map(|secrets| agreed.tls13(half, secrets)).unwrap_or_default(),
        }
    }

    // Early data comes before the ServerHello names a suite; the length of the secret leaves one or two.
    fn early(&self, half: &Half, secrets: &Secrets) -> Vec<(Phase, Opener)> {
        let offered = self.offer.as_ref().is_some_and(|offer| offer.early_data);
        let fresh = offered && half.side == Side::Client && half.phase == Phase::Clear;
        let Some(secret) = secrets.early.as_deref().filter(|_| fresh) else { return Vec::new() };
        SUITES13
            .iter()
            .filter_map(|&code| Some((Phase::Early, Opener::tls13(Suite::of(code), secret)?)))
            .collect()
    }
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

    fn tls13(&self, half: &Half, secrets: &Secrets) -> Vec<(Phase, Opener)> {
        [Phase::Early, Phase::Handshake, Phase::Application]
            .into_iter()
            .filter(|&phase| phase > half.phase)
            .filter_map(|phase| {
                Some((phase, Opener::tls13(self.suite, secrets.of(half.side, phase)?)?))
            })
            .collect()
    }
}

impl Secrets {
    fn of(&self, side: Side, phase: Phase) -> Option<&[u8]> {
        let secret = match (phase, side) {
            (Phase::Early, Side::Client) => &self.early,
            (Phase::Handshake, Side::Client) => &self.client_handshake,
            (Phase::Handshake, Side::Server) => &self.server_handshake,
            (Phase::Application, Side::Client) => &self.client_traffic,
            (Phase::Application, Side::Server) => &self.server_traffic,
            (Phase::Clear, _) | (Phase::Early, Side::Server) => return None,
        };
        secret.as_deref()
    }
}

/// Opens `record`, which a failure leaves as it was.
fn attempt(opener: &Opener, record: &mut [u8], window: u64, spare: &mut Vec<u8>) -> Option<Opened> {
    if !opener.spoils() {
        return opener.open(record, window);
    }
    spare.clear();
    spare.extend_from_slice(record);
    let opened = opener.open(record, window);
    if opened.is_none() {
        record.copy_from_slice(spare);
    }
    opened
}
