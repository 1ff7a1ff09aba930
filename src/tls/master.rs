//! Master secrets of TLS 1.2 that no key log names: by a server's RSA key, or from the session that is resumed.

use sha1::Digest as _;
use sha2::{Sha256, Sha384};

use crate::stream::Side;

use super::kdf::prf;
use super::keylog::KeyLog;
use super::suite::{Digest, Suite};

/// Length of a master secret (RFC 5246 8.1).
const MASTER: usize = 48;
/// Length of the header of a handshake message: its type, and how long it is (RFC 5246 7.4).
const HEADER: usize = 4;
/// Bytes of handshake messages kept for the session hash.
const LONGEST_TRANSCRIPT: usize = 256 << 10;

/// What both sides said up to ClientKeyExchange, for the session hash of RFC 7627 3.
///
/// Client and server take turns: the ClientHello, the flight of the server, the flight of the client. Keeping the
/// flights apart makes the order of capture irrelevant; a flight ends with ServerHelloDone or ClientKeyExchange.
#[derive(Debug, Default)]
pub(super) struct Transcript {
    client_hello: Vec<u8>,
    server: Vec<u8>,
    client: Vec<u8>,
    len: usize,
    /// Whether the flight of the server is over, and that of the client.
    over: (bool, bool),
    /// Some of it was lost, or not kept.
    holed: bool,
}

impl Transcript {
    /// Takes in a message.
    pub(super) fn push(&mut self, side: Side, kind: u8, body: &[u8]) {
        let over = match side {
            Side::Server => &mut self.over.0,
            Side::Client => &mut self.over.1,
        };
        if *over && kind != 1 {
            return;
        }
        *over = matches!((kind, side), (14, Side::Server) | (16, Side::Client));
        let place = match (kind, side) {
            // HelloRequest is not part of it (RFC 5246 7.4.1.1).
            (0, _) => return,
            (1, _) => {
                *self = Self::default();
                &mut self.client_hello
            }
            (_, Side::Server) => &mut self.server,
            (_, Side::Client) => &mut self.client,
        };
        self.len = self.len.saturating_add(HEADER).saturating_add(body.len());
        match u32::try_from(body.len()) {
            Ok(len) if self.len <= LONGEST_TRANSCRIPT => {
                let [_, a, b, c] = len.to_be_bytes();
                place.extend([kind, a, b, c]);
                place.extend(body);
            }
            _ => self.holed = true,
        }
    }

    /// The capture lacks some of a side.
    pub(super) const fn gap(&mut self, side: Side) {
        self.holed |= match side {
            Side::Server => !self.over.0,
            Side::Client => !self.over.1,
        };
    }

    /// Whether both flights are over.
    pub(super) fn is_over(&self) -> bool {
        self.over == (true, true)
    }

    /// The session hash; `None` where some is missing.
    fn hash(&self, digest: Digest) -> Option<Vec<u8>> {
        let parts = [&self.client_hello, &self.server, &self.client];
        (!self.holed).then(|| match digest {
            Digest::Sha384 => {
                parts.iter().fold(Sha384::new(), Sha384::chain_update).finalize().to_vec()
            }
            _ => parts.iter().fold(Sha256::new(), Sha256::chain_update).finalize().to_vec(),
        })
    }
}

/// The master secret of a handshake whose ClientKeyExchange message one of the RSA keys opens.
pub(super) fn from_rsa(
    suite: Suite,
    exchange: &[u8],
    keys: &KeyLog,
    randoms: (&[u8; 32], &[u8; 32]),
    extended: Option<&Transcript>,
) -> Option<Vec<u8>> {
    let premaster = suite.is_static_rsa().then(|| keys.premaster(exchange))??;
    let (label, seed) = match extended {
        Some(transcript) => (&b"extended master secret"[..], transcript.hash(suite.prf)?),
        None => (&b"master secret"[..], [*randoms.0, *randoms.1].concat()),
    };
    Some(prf(suite.prf, &premaster, label, &seed, MASTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The hash of messages of these types, before one of which some of a side may be lost.
    fn hash(messages: &[(Side, u8)], lost: Option<(usize, Side)>) -> Option<Vec<u8>> {
        let mut transcript = Transcript::default();
        for (number, &(side, kind)) in messages.iter().enumerate() {
            if let Some((_, side)) = lost.filter(|&(at, _)| at == number) {
                transcript.gap(side);
            }
            transcript.push(side, kind, &[kind; 5]);
        }
        assert!(transcript.is_over());
        transcript.hash(Digest::Sha256)
    }

    use Side::{Client as C, Server as S};

    const MESSAGES: [(Side, u8); 7] = [(C, 1), (S, 2), (S, 11), (S, 14), (C, 16), (C, 20), (S, 4)];

    #[test]
    fn order_of_capture_and_what_follows_do_not_matter() {
        let other = [(C, 1), (S, 2), (C, 16), (C, 15), (S, 11), (S, 14)];
        assert_eq!(hash(&other, None), hash(&MESSAGES, None));
    }

    #[test]
    fn flight_that_is_too_long_leaves_no_hash_and_is_not_kept() {
        let mut transcript = Transcript::default();
        (0..LONGEST_TRANSCRIPT).for_each(|_| transcript.push(S, 11, &[]));
        assert!(transcript.server.len() <= LONGEST_TRANSCRIPT);
        assert_eq!(transcript.hash(Digest::Sha256), None);
    }

    #[test]
    fn hole_in_a_flight_leaves_no_hash_and_one_behind_it_does() {
        assert_eq!(hash(&MESSAGES, Some((2, S))), None);
        assert_eq!(hash(&MESSAGES, Some((4, C))), None);
        assert_eq!(hash(&MESSAGES, Some((4, S))), hash(&MESSAGES, None));
        assert_eq!(hash(&MESSAGES, Some((0, C))), hash(&MESSAGES, None));
    }
}
