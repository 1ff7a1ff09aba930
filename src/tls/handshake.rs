//! What both sides offered and agreed on.

mod keys;

use crate::at::At;
use crate::stream::Side;

use super::certificate;
use super::facts::{CipherSuite, Facts, Opaque, version_name};
use super::fingerprint::{ja3, ja4};
use super::hello::{ClientHello, ServerHello, encrypted_alpn};
use super::keylog::KeyLog;
use super::master::{self, Transcript};
use super::suite::{Protection, Suite};

const TLS12: u16 = 0x0303;
const TLS13: u16 = 0x0304;
/// Longest ClientKeyExchange message kept: one with RSA has the length of the server's key.
const LONGEST_EXCHANGE: usize = 2 << 10;

/// The state of the handshake.
#[derive(Default)]
pub(super) struct Handshake {
    offer: Option<ClientHello>,
    agreed: Option<Agreed>,
    /// ServerHellos so far.
    count: u32,
    unsupported: Option<Opaque>,
    transcript: Transcript,
}

struct Agreed {
    version: u16,
    suite: Suite,
    client_random: [u8; 32],
    server_random: [u8; 32],
    session_id: Vec<u8>,
    encrypt_then_mac: bool,
    extended_master_secret: bool,
    /// Master secrets that no key log names.
    masters: Vec<Vec<u8>>,
    /// It does not resume a session.
    full: bool,
    /// The ClientKeyExchange message, of which there is one; empty once the master secret was sought in it.
    exchange: Option<Vec<u8>>,
    /// A ticket the server gave in this handshake.
    ticket: Vec<u8>,
}

impl Handshake {
    /// Whether a ClientHello was read.
    pub(super) const fn is_offered(&self) -> bool {
        self.offer.is_some()
    }

    pub(super) const fn is_agreed(&self) -> bool {
        self.agreed.is_some()
    }

    /// Whether a version before TLS 1.3 was agreed on, where ChangeCipherSpec means what it says.
    pub(super) fn is_classic(&self) -> bool {
        self.agreed.as_ref().is_some_and(|agreed| agreed.version <= TLS12)
    }

    /// Why this connection cannot be decrypted, whatever the keys.
    pub(super) const fn unsupported(&self) -> Option<Opaque> {
        self.unsupported
    }

    /// Takes in a handshake message.
    pub(super) fn message(
        &mut self,
        side: Side,
        at: At,
        (kind, body): (u8, &[u8]),
        keys: &KeyLog,
        facts: &mut Facts,
    ) {
        if keys.has_rsa_keys() {
            self.transcript.push(side, kind, body);
        }
        match (kind, side) {
            (1, Side::Client) => self.client_hello(at, body, facts),
            (2, Side::Server) => self.server_hello(at, body, keys, facts),
            (4, Side::Server) => self.ticket(body),
            (8, Side::Server) => facts.alpn = encrypted_alpn(body).or(facts.alpn.take()),
            (11, _) => self.certificate(side, body, facts),
            (13, Side::Server) => facts.client_certificate_requested = true,
            (16, Side::Client) if keys.has_rsa_keys() => self.key_exchange(body),
            _ => {}
        }
        if matches!((kind, side), (11 | 12 | 14, Side::Server) | (16, Side::Client)) {
            self.full(facts);
        }
        self.find_master(keys);
    }

    /// The capture lacks some of a side.
    pub(super) const fn gap(&mut self, side: Side) {
        self.transcript.gap(side);
    }

    /// A message came that a handshake of TLS 1.2 which resumes has not.
    fn full(&mut self, facts: &mut Facts) {
        if self.is_classic() {
            facts.resumed &= self.count > 1;
            if let Some(agreed) = self.agreed.as_mut().filter(|agreed| !agreed.full) {
                agreed.full = true;
                agreed.masters.clear();
            }
        }
    }

    fn client_hello(&mut self, at: At, body: &[u8], facts: &mut Facts) {
        let Some(hello) = ClientHello::decode(body) else { return };
        if facts.client_hello_at.is_none() {
            facts.client_hello_at = Some(at);
            facts.versions_offered =
                hello.versions.iter().map(|&version| version_name(version)).collect();
            facts.sni.clone_from(&hello.sni);
            facts.alpn_offered = hello.protocols();
            facts.early_data_offered = hello.early_data;
            (facts.ja3, facts.ja4) = (Some(ja3(&hello)), Some(ja4(&hello)));
        }
        self.offer = Some(hello);
    }

    fn server_hello(&mut self, at: At, body: &[u8], keys: &KeyLog, facts: &mut Facts) {
        let Some(hello) = ServerHello::decode(body) else { return };
        if hello.is_retry() {
            facts.hello_retry = true;
            return;
        }
        let suite = Suite::of(hello.suite);
        facts.server_hello_at.get_or_insert(at);
        facts.version = Some(version_name(hello.version));
        facts.cipher_suite = Some(CipherSuite { code: suite.code, name: suite.name.into() });
        facts.alpn = hello.alpn.clone().or(facts.alpn.take());
        self.count = self.count.saturating_add(1);
        facts.handshakes = self.count;
        let resumes = self.resumes(&hello);
        if self.count == 1 {
            facts.resumed = resumes;
        }
        self.unsupported = match (hello.version, suite.protection) {
            (TLS12 | TLS13, Protection::Other) => Some(Opaque::UnsupportedCipher),
            (TLS12, _) if hello.altered => Some(Opaque::AlteredRecords),
            (TLS13, Protection::Cbc(..)) => Some(Opaque::UnsupportedCipher),
            (TLS12 | TLS13, _) => None,
            _ => Some(Opaque::UnsupportedVersion),
        };
        self.agree(hello, suite, resumes, keys);
    }

    fn agree(&mut self, hello: ServerHello, suite: Suite, resumes: bool, keys: &KeyLog) {
        self.agreed = self.offer.as_ref().map(|offer| {
            let names = [&offer.ticket, &hello.session_id].into_iter();
            let known = names.filter(|_| resumes).filter_map(|name| keys.shared().master(name));
            Agreed {
                version: hello.version,
                suite,
                client_random: offer.random,
                server_random: hello.random,
                masters: known.collect(),
                full: false,
                exchange: None,
                session_id: hello.session_id,
                encrypt_then_mac: hello.encrypt_then_mac,
                extended_master_secret: hello.extended_master_secret,
                ticket: Vec::new(),
            }
        });
    }

    // With a ticket the server need not echo the identifier; a Certificate message then tells (RFC 5077 3.4).
    fn resumes(&self, hello: &ServerHello) -> bool {
        let Some(offer) = &self.offer else { return false };
        let echoed = !offer.session_id.is_empty() && offer.session_id == hello.session_id;
        hello.pre_shared_key || (hello.version <= TLS12 && (echoed || !offer.ticket.is_empty()))
    }

    fn certificate(&mut self, side: Side, body: &[u8], facts: &mut Facts) {
        let decoded = certificate::decode(body, !self.is_classic());
        if side == Side::Client {
            facts.client_certificate_sent = decoded.as_ref().map(|list| !list.is_empty());
            facts.client_certificates = decoded.unwrap_or_default();
            return;
        }
        facts.certificates = decoded.unwrap_or_default();
    }

    // RFC 5077 3.3; the tickets of TLS 1.3 lead to other secrets, which key logs name.
    fn ticket(&mut self, body: &[u8]) {
        if let Some(agreed) = self.agreed.as_mut().filter(|agreed| agreed.version == TLS12) {
            agreed.ticket = body.get(6..).unwrap_or_default().to_vec();
        }
    }

    fn key_exchange(&mut self, body: &[u8]) {
        if let Some(agreed) = self.agreed.as_mut().filter(|agreed| agreed.version == TLS12) {
            let kept = || body.get(..LONGEST_EXCHANGE).unwrap_or(body).to_vec();
            agreed.exchange.get_or_insert_with(kept);
        }
    }

    fn find_master(&mut self, keys: &KeyLog) {
        let over = self.transcript.is_over();
        let ready = |agreed: &&mut Agreed| over || !agreed.extended_master_secret;
        let Some(agreed) = self.agreed.as_mut().filter(ready) else { return };
        let Some(exchange) = agreed.exchange.as_mut().map(std::mem::take) else { return };
        if exchange.is_empty() {
            return;
        }
        let transcript = agreed.extended_master_secret.then_some(&self.transcript);
        let randoms = (&agreed.client_random, &agreed.server_random);
        agreed.masters.extend(master::from_rsa(agreed.suite, &exchange, keys, randoms, transcript));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compression_and_shortened_tags_are_not_supported() {
        let hello = |tail: &[u8]| [&[3, 3], &[7; 32][..], &[0, 0xc0, 0x2f], tail].concat();
        let (plain, squeezed, shortened) =
            (hello(&[0]), hello(&[1]), hello(&[0, 0, 4, 0, 4, 0, 0]));
        let reason = |body: &[u8]| {
            let (mut handshake, mut facts) = (Handshake::default(), Facts::default());
            handshake.server_hello(At::default(), body, &KeyLog::default(), &mut facts);
            handshake.unsupported()
        };
        assert_eq!(reason(&plain), None);
        assert_eq!(reason(&squeezed), Some(Opaque::AlteredRecords));
        assert_eq!(reason(&shortened), Some(Opaque::AlteredRecords));
    }

    #[test]
    fn only_the_first_key_exchange_of_a_handshake_counts() {
        let (mut handshake, mut facts) = (Handshake::default(), Facts::default());
        let hello = [&[3, 3], &[7; 32][..], &[0, 0, 0x9c, 0]].concat();
        handshake.offer = Some(ClientHello::default());
        handshake.server_hello(At::default(), &hello, &KeyLog::default(), &mut facts);
        let kept = |handshake: &Handshake| handshake.agreed.as_ref().unwrap().exchange.clone();
        handshake.key_exchange(b"first");
        handshake.key_exchange(b"second");
        assert_eq!(kept(&handshake).as_deref(), Some(&b"first"[..]));
        handshake.find_master(&KeyLog::default());
        handshake.key_exchange(b"third");
        assert_eq!(kept(&handshake).as_deref(), Some(&b""[..]));
    }

    #[test]
    fn ticket_that_was_not_taken_is_no_resumption_whatever_is_lost() {
        let hello = |tail: &[u8]| [&[3, 3], &[7; 32][..], &[0], tail].concat();
        let offer = hello(&[0, 2, 0xc0, 0x2f, 1, 0, 0, 6, 0, 35, 0, 2, 1, 2]);
        let agreed = hello(&[0xc0, 0x2f, 0]);
        for sign in [(11, Side::Server), (12, Side::Server), (14, Side::Server), (16, Side::Client)]
        {
            let (mut handshake, mut facts) = (Handshake::default(), Facts::default());
            let mut say = |side, kind, body: &[u8], facts: &mut Facts| {
                handshake.message(side, At::default(), (kind, body), &KeyLog::default(), facts);
            };
            say(Side::Client, 1, &offer, &mut facts);
            say(Side::Server, 2, &agreed, &mut facts);
            assert!(facts.resumed);
            say(sign.1, sign.0, &[], &mut facts);
            assert!(!facts.resumed, "{}", sign.0);
        }
    }
}
