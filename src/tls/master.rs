//! Master secrets of TLS 1.2 that no key log names: by a server's RSA key, or from the session that is resumed.

use sha1::Digest as _;
use sha2::{Sha256, Sha384};

use crate::stream::Side;

use super::kdf::prf;
use super::keylog::KeyLog;
use super::suite::{Digest, Suite};

/// Length of a master secret (RFC 5246 8.1).
const MASTER: usize = 48;
/// Bytes of handshake messages kept for the session hash.
const LONGEST_TRANSCRIPT: usize = 256 << 10;

/// What both sides said up to ClientKeyExchange, for the session hash of RFC 7627 3.
///
/// Client and server take turns: the ClientHello, the flight of the server, the flight of the client. Keeping the flights
/// apart makes the order of capture irrelevant; a flight ends with ServerHelloDone or ClientKeyExchange.
#[derive(Debug, Default)]
pub(super) struct Transcript {
    client_hello: Vec<u8>,
    server: Vec<u8>,
    client: Vec<u8>,
    len: usize,
    /// Whether the flight of the server is over, and that of the client.
    over: (bool, bool),
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
        self.len = self.len.saturating_add(body.len());
        if self.len <= LONGEST_TRANSCRIPT
            && let Ok(len) = u32::try_from(body.len())
        {
            let [_, a, b, c] = len.to_be_bytes();
            place.extend([kind, a, b, c]);
            place.extend(body);
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

    fn hash(&self, digest: Digest) -> Vec<u8> {
        let parts = [&self.client_hello, &self.server, &self.client];
        match digest {
            Digest::Sha384 => {
                parts.iter().fold(Sha384::new(), Sha384::chain_update).finalize().to_vec()
            }
            _ => parts.iter().fold(Sha256::new(), Sha256::chain_update).finalize().to_vec(),
        }
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
        Some(transcript) if transcript.holed => return None,
        Some(transcript) => (&b"extended master secret"[..], transcript.hash(suite.prf)),
        None => (&b"master secret"[..], [*randoms.0, *randoms.1].concat()),
    };
    Some(prf(suite.prf, &premaster, label, &seed, MASTER))
}
