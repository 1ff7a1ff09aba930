//! Opening one protected record.

use std::ops::Range;

use aes::cipher::{Array, BlockModeDecrypt, InnerIvInit, KeyInit};
use aes::{Aes128, Aes256};
use hmac::{Hmac, Mac};
use ring::aead::{
    AES_128_GCM, AES_256_GCM, Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey,
};
use sha1::Sha1;
use sha2::{Sha256, Sha384};

use super::kdf;
use super::record::HEADER;
use super::suite::{Digest, Protection, Suite};

const TAG: usize = 16;
const BLOCK: usize = 16;

/// The keys of one direction during one epoch.
pub(super) struct Opener {
    suite: Suite,
    cipher: Cipher,
    /// The implicit part of the nonce: 4 bytes for GCM in TLS 1.2, otherwise 12.
    iv: Vec<u8>,
    framing: Framing,
    /// What the keys came from: the master secret, or the traffic secret of TLS 1.3, which a key update goes on from.
    secret: Vec<u8>,
    /// Sequence number of the next record.
    pub(super) seq: u64,
}

/// A record opened: its inner type, and where the plaintext lies, as in the record.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Opened {
    pub(super) kind: u8,
    pub(super) plain: Range<usize>,
    pub(super) seq: u64,
}

/// Sequence numbers to try, counted from the next one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Window {
    /// So many from the next one on.
    pub(super) near: u64,
    /// Then these.
    pub(super) far: Range<u64>,
}

impl Window {
    /// The window for keys that begin within what is lost, if anything is: at least `least`.
    pub(super) fn with_new_keys(self, least: u64) -> Self {
        let near = self.near.max(least);
        let skipped = self.far.start.saturating_sub(near);
        Self { near, far: near..self.far.end.saturating_sub(skipped) }
    }

    fn from(&self, seq: u64) -> impl Iterator<Item = u64> + use<> {
        let all = (0..self.near).chain(self.far.clone());
        all.map(move |ahead| seq.saturating_add(ahead))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Framing {
    Tls12,
    EncryptThenMac,
    Tls13,
}

enum Cipher {
    Aead(Box<LessSafeKey>),
    Aes128Cbc(Box<Aes128>, Tagger),
    Aes256Cbc(Box<Aes256>, Tagger),
}

#[derive(Clone)]
enum Tagger {
    Sha1(Hmac<Sha1>),
    Sha256(Hmac<Sha256>),
    Sha384(Hmac<Sha384>),
}

impl Opener {
    /// The client's and the server's keys from a master secret (RFC 5246 6.3).
    pub(super) fn tls12(
        suite: Suite,
        master: &[u8],
        client: &[u8; 32],
        server: &[u8; 32],
        encrypt_then_mac: bool,
    ) -> Option<(Self, Self)> {
        let (mac, key, iv) = match suite.protection {
            Protection::Gcm(key) => (0, key, 4),
            Protection::ChaCha => (0, 32, 12),
            Protection::Cbc(key, digest) => (digest.len(), key, 0),
            Protection::Other => return None,
        };
        let seed = [*server, *client].concat();
        let block = kdf::prf(suite.prf, master, b"key expansion", &seed, 2 * (mac + key + iv));
        let mut rest = block.as_slice();
        let mut part = |len| rest.split_off(..len).unwrap_or_default();
        let (macs, keys, ivs) =
            ((part(mac), part(mac)), (part(key), part(key)), (part(iv), part(iv)));
        let framing =
            if encrypt_then_mac && mac > 0 { Framing::EncryptThenMac } else { Framing::Tls12 };
        let build = |mac, key, iv: &[u8]| {
            let cipher = Cipher::new(suite.protection, key, mac)?;
            Some(Self { suite, cipher, iv: iv.to_vec(), framing, secret: master.to_vec(), seq: 0 })
        };
        Some((build(macs.0, keys.0, ivs.0)?, build(macs.1, keys.1, ivs.1)?))
    }

    /// The keys from a traffic secret (RFC 8446 7.3).
    pub(super) fn tls13(suite: Suite, secret: &[u8]) -> Option<Self> {
        let len = match suite.protection {
            Protection::Gcm(len) => len,
            Protection::ChaCha => 32,
            Protection::Cbc(..) | Protection::Other => return None,
        };
        let key = kdf::expand_label(suite.prf, secret, "key", len)?;
        let iv = kdf::expand_label(suite.prf, secret, "iv", 12)?;
        let cipher = Cipher::new(suite.protection, &key, &[])?;
        Some(Self { suite, cipher, iv, framing: Framing::Tls13, secret: secret.to_vec(), seq: 0 })
    }

    /// The keys after a key update (RFC 8446 7.2).
    pub(super) fn updated(&self) -> Option<Self> {
        let prf = self.suite.prf;
        let next = kdf::expand_label(prf, &self.secret, "traffic upd", prf.len())?;
        Self::tls13(self.suite, &next)
    }

    /// The suite that the keys are for.
    pub(super) const fn suite(&self) -> Suite {
        self.suite
    }

    /// What the keys came from.
    pub(super) fn secret(&self) -> &[u8] {
        &self.secret
    }

    /// Bytes that protection adds to a record, at least; header included.
    pub(super) const fn overhead(&self) -> u64 {
        let inner = match (&self.cipher, self.framing) {
            (_, Framing::Tls13) => TAG + 1,
            (Cipher::Aead(_), _) => TAG + self.explicit(),
            (Cipher::Aes128Cbc(_, tagger) | Cipher::Aes256Cbc(_, tagger), _) => {
                tagger.len() + BLOCK + 1
            }
        };
        (HEADER + inner) as u64
    }

    /// The part of the nonce that each record carries, in bytes: 8 for GCM in TLS 1.2 (RFC 5288 3).
    const fn explicit(&self) -> usize {
        if self.iv.len() == 4 { 8 } else { 0 }
    }

    /// Opens `record`, header included, as one of the next records; the caller moves [`Self::seq`] on. The plaintext is
    /// then in `plain`, in the place that it has in the record.
    pub(super) fn open(
        &self,
        record: &[u8],
        window: &Window,
        plain: &mut Vec<u8>,
    ) -> Option<Opened> {
        let header = record.first_chunk()?;
        let seqs = window.from(self.seq);
        let (seq, range) = match &self.cipher {
            Cipher::Aead(key) => self.aead(key, record, seqs, plain)?,
            Cipher::Aes128Cbc(aes, tagger) => {
                self.cbc(&**aes, tagger, header, refilled(plain, record)?, seqs)?
            }
            Cipher::Aes256Cbc(aes, tagger) => {
                self.cbc(&**aes, tagger, header, refilled(plain, record)?, seqs)?
            }
        };
        let (kind, end) = match self.framing {
            Framing::Tls13 => inner_kind(plain.get(HEADER..)?.get(range.clone())?, range.start)?,
            _ => (header[0], range.end),
        };
        Some(Opened { kind, plain: range.start + HEADER..end + HEADER, seq })
    }

    fn aead(
        &self,
        key: &LessSafeKey,
        record: &[u8],
        mut seqs: impl Iterator<Item = u64>,
        plain: &mut Vec<u8>,
    ) -> Option<(u64, Range<usize>)> {
        let explicit = self.explicit();
        let (header, body) = record.split_first_chunk()?;
        let len = body.len().checked_sub(TAG + explicit)?;
        let sent = body.get(..explicit)?;
        let seq = seqs.find(|&seq| {
            let nonce = if explicit > 0 { joined(&self.iv, sent) } else { mixed(&self.iv, seq) };
            let short = short_header(seq, header, len);
            let aad: &[u8] = if self.framing == Framing::Tls13 { header } else { &short };
            // What does not open is destroyed by the attempt.
            let text = refilled(plain, record).and_then(|body| body.get_mut(explicit..));
            let nonce = Nonce::assume_unique_for_key(nonce);
            text.is_some_and(|text| key.open_in_place(nonce, Aad::from(aad), text).is_ok())
        })?;
        Some((seq, explicit..explicit + len))
    }

    fn cbc<C>(
        &self,
        aes: &C,
        tagger: &Tagger,
        header: &[u8; HEADER],
        body: &mut [u8],
        mut seqs: impl Iterator<Item = u64>,
    ) -> Option<(u64, Range<usize>)>
    where
        C: Clone
            + aes::cipher::BlockCipherDecrypt
            + aes::cipher::BlockSizeUser<BlockSize = aes::cipher::consts::U16>,
    {
        if self.framing == Framing::EncryptThenMac {
            // RFC 7366 3: the MAC covers the IV and the ciphertext.
            let len = body.len().checked_sub(tagger.len())?;
            let (text, tag) = body.split_at_mut_checked(len)?;
            let seq = seqs.find(|&seq| tagger.fits(&short_header(seq, header, len), text, tag))?;
            let end = decrypt_cbc(aes, text)?;
            return Some((seq, BLOCK..end));
        }
        let end = decrypt_cbc(aes, body)?;
        let len = end.checked_sub(BLOCK + tagger.len())?;
        let (text, tag) = body.get(BLOCK..end)?.split_at_checked(len)?;
        let seq = seqs.find(|&seq| tagger.fits(&short_header(seq, header, len), text, tag))?;
        Some((seq, BLOCK..BLOCK + len))
    }
}

/// The body of `record`, in `plain`, where the whole record is.
fn refilled<'p>(plain: &'p mut Vec<u8>, record: &[u8]) -> Option<&'p mut [u8]> {
    plain.clear();
    plain.extend_from_slice(record);
    plain.get_mut(HEADER..)
}

/// Decrypts all but the IV in front; where the text ends once the padding is off.
fn decrypt_cbc<C>(aes: &C, body: &mut [u8]) -> Option<usize>
where
    C: Clone
        + aes::cipher::BlockCipherDecrypt
        + aes::cipher::BlockSizeUser<BlockSize = aes::cipher::consts::U16>,
{
    let all = body.len();
    let (iv, text) = body.split_first_chunk_mut::<BLOCK>()?;
    let (blocks, odd) = Array::slice_as_chunks_mut(text);
    if !odd.is_empty() || blocks.is_empty() {
        return None;
    }
    cbc::Decryptor::inner_iv_init(aes.clone(), &Array::from(*iv)).decrypt_blocks(blocks);
    let padding = *body.last()?;
    let end = all.checked_sub(usize::from(padding) + 1).filter(|&end| end >= BLOCK)?;
    body.get(end..)?.iter().all(|&b| b == padding).then_some(end)
}

/// The type behind the text, and where the text ends (RFC 8446 5.2).
fn inner_kind(text: &[u8], start: usize) -> Option<(u8, usize)> {
    let last = text.iter().rposition(|&b| b != 0)?;
    Some((*text.get(last)?, start + last))
}

fn joined(fixed: &[u8], sent: &[u8]) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce.iter_mut().zip(fixed.iter().chain(sent)).for_each(|(to, from)| *to = *from);
    nonce
}

fn mixed(iv: &[u8], seq: u64) -> [u8; 12] {
    let mut nonce = joined(iv, &[]);
    nonce.iter_mut().rev().zip(seq.to_be_bytes().iter().rev()).for_each(|(to, from)| *to ^= from);
    nonce
}

/// What TLS 1.2 authenticates besides the text (RFC 5246 6.2.3.3).
fn short_header(seq: u64, &[kind, major, minor, ..]: &[u8; HEADER], len: usize) -> [u8; 13] {
    let [s0, s1, s2, s3, s4, s5, s6, s7] = seq.to_be_bytes();
    let [high, low] = u16::try_from(len).unwrap_or(u16::MAX).to_be_bytes();
    [s0, s1, s2, s3, s4, s5, s6, s7, kind, major, minor, high, low]
}

impl Cipher {
    fn new(protection: Protection, key: &[u8], mac: &[u8]) -> Option<Self> {
        let aead = |algorithm| {
            Some(Self::Aead(Box::new(LessSafeKey::new(UnboundKey::new(algorithm, key).ok()?))))
        };
        match protection {
            Protection::Gcm(16) => aead(&AES_128_GCM),
            Protection::Gcm(_) => aead(&AES_256_GCM),
            Protection::ChaCha => aead(&CHACHA20_POLY1305),
            Protection::Cbc(16, digest) => Some(Self::Aes128Cbc(
                Box::new(Aes128::new_from_slice(key).ok()?),
                Tagger::new(digest, mac)?,
            )),
            Protection::Cbc(_, digest) => Some(Self::Aes256Cbc(
                Box::new(Aes256::new_from_slice(key).ok()?),
                Tagger::new(digest, mac)?,
            )),
            Protection::Other => None,
        }
    }
}

impl Tagger {
    fn new(digest: Digest, key: &[u8]) -> Option<Self> {
        Some(match digest {
            Digest::Sha1 => Self::Sha1(Hmac::new_from_slice(key).ok()?),
            Digest::Sha256 => Self::Sha256(Hmac::new_from_slice(key).ok()?),
            Digest::Sha384 => Self::Sha384(Hmac::new_from_slice(key).ok()?),
        })
    }

    const fn len(&self) -> usize {
        match self {
            Self::Sha1(_) => Digest::Sha1.len(),
            Self::Sha256(_) => Digest::Sha256.len(),
            Self::Sha384(_) => Digest::Sha384.len(),
        }
    }

    fn fits(&self, header: &[u8], text: &[u8], tag: &[u8]) -> bool {
        fn verifies(mac: &(impl Mac + Clone), parts: [&[u8]; 2], tag: &[u8]) -> bool {
            let mac = parts.iter().fold(mac.clone(), Mac::chain_update);
            mac.verify_slice(tag).is_ok()
        }
        match self {
            Self::Sha1(mac) => verifies(mac, [header, text], tag),
            Self::Sha256(mac) => verifies(mac, [header, text], tag),
            Self::Sha384(mac) => verifies(mac, [header, text], tag),
        }
    }
}
