//! TLS 1.3 with TLS_AES_128_GCM_SHA256 whose secrets are known, and what opening its records costs at least.

use aes_gcm::Aes128Gcm;
use aes_gcm::aead::{AeadInOut, KeyInit};
use hkdf::Hkdf;
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use sha2::Sha256;

use super::talk::Message;

/// The longest plaintext of a record.
const TEXT: usize = 16 << 10;
const HEADER: usize = 5;
const TAG: usize = 16;

/// One direction, record after record (RFC 8446 5.2).
pub struct Seal {
    cipher: Aes128Gcm,
    iv: [u8; 12],
    records: u64,
}

impl Seal {
    /// Both directions of a connection, the client's first.
    pub fn both(number: u64) -> [Self; 2] {
        [false, true].map(|server| Self::new(&secret(number, server)))
    }

    fn new(secret: &[u8; 32]) -> Self {
        let (mut key, mut iv) = ([0; 16], [0; 12]);
        expand(secret, "key", &mut key);
        expand(secret, "iv", &mut iv);
        Self { cipher: Aes128Gcm::new_from_slice(&key).unwrap(), iv, records: 0 }
    }

    fn nonce(&mut self) -> [u8; 12] {
        let mut nonce = self.iv;
        let number = self.records.to_be_bytes();
        nonce[4..].iter_mut().zip(number).for_each(|(byte, with)| *byte ^= with);
        self.records += 1;
        nonce
    }

    /// The records that carry `text`.
    pub fn seal(&mut self, text: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len() + (text.len() / TEXT + 1) * 22);
        for part in text.chunks(TEXT) {
            let [high, low] = ((part.len() + 1 + TAG) as u16).to_be_bytes();
            let (header, mut body) = ([23, 3, 3, high, low], [part, &[23]].concat());
            let nonce = self.nonce().into();
            let tag = self
                .cipher
                .encrypt_inout_detached(&nonce, &header, body.as_mut_slice().into())
                .unwrap();
            out.extend([&header[..], &body, &tag].concat());
        }
        out
    }
}

/// The ClientHello and the ServerHello of a connection.
pub fn hellos(number: u64) -> [Message; 2] {
    // No session; the suite; supported_versions with TLS 1.3.
    let client = hello(1, number, &[0, 0, 2, 0x13, 1, 1, 0, 0, 7, 0, 43, 0, 3, 2, 3, 4]);
    let server = hello(2, number, &[0, 0x13, 1, 0, 0, 6, 0, 43, 0, 2, 3, 4]);
    [Message::raw(true, client), Message::raw(false, server)]
}

fn hello(kind: u8, number: u64, rest: &[u8]) -> Vec<u8> {
    let body = [&[3, 3][..], &random(number), rest].concat();
    let len = body.len() as u8;
    [&[22, 3, 3, 0, len + 4, kind, 0, 0, len], body.as_slice()].concat()
}

/// The secrets of the first `connections`, as lines of a key log.
pub fn key_log(connections: u64) -> String {
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    let line = |number, server| {
        let side = if server { "SERVER" } else { "CLIENT" };
        let (random, secret) = (hex(&random(number)), hex(&secret(number, server)));
        format!("{side}_TRAFFIC_SECRET_0 {random} {secret}\n")
    };
    (0..connections).map(|number| line(number, false) + &line(number, true)).collect()
}

fn random(number: u64) -> [u8; 32] {
    [0x80 | number as u8; 32]
}

fn secret(number: u64, server: bool) -> [u8; 32] {
    [number as u8 * 2 + u8::from(server); 32]
}

fn expand(secret: &[u8], label: &str, out: &mut [u8]) {
    let lens = [0, out.len() as u8, 6 + label.len() as u8];
    let info = [&lens[..], b"tls13 ", label.as_bytes(), &[0]].concat();
    Hkdf::<Sha256>::from_prk(secret).unwrap().expand(&info, out).unwrap();
}

/// A library: its name, and what opening records with it takes at least.
type Library = (&'static str, fn(usize) -> usize);

/// Each opens records until so many bytes of plaintext came out, in one buffer that stays in the cache: opening
/// destroys what it reads. The program uses the first one.
pub const LIBRARIES: [Library; 2] = [("ring", ring), ("aes-gcm", aes_gcm)];

fn ring(bytes: usize) -> usize {
    let (mut key, mut seal) = ([0; 16], Seal::new(&secret(0, false)));
    expand(&secret(0, false), "key", &mut key);
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key).unwrap());
    let record = seal.seal(&[b'x'; TEXT]);
    seal.records = 0;
    let nonce = seal.nonce();
    repeat(bytes, &record, |header, body| {
        let nonce = Nonce::assume_unique_for_key(nonce);
        key.open_in_place(nonce, Aad::from(header), body).unwrap();
    })
}

fn aes_gcm(bytes: usize) -> usize {
    let mut seal = Seal::new(&secret(0, false));
    let record = seal.seal(&[b'x'; TEXT]);
    seal.records = 0;
    let nonce = seal.nonce().into();
    repeat(bytes, &record, |header, body| {
        let (text, tag) = body.split_at_mut(TEXT + 1);
        let tag = <[u8; TAG]>::try_from(&*tag).unwrap();
        seal.cipher.decrypt_inout_detached(&nonce, header, text.into(), &tag.into()).unwrap();
    })
}

fn repeat(bytes: usize, record: &[u8], mut open: impl FnMut(&[u8], &mut [u8])) -> usize {
    let (mut buffer, mut opened) = (record.to_vec(), 0);
    while opened < bytes {
        buffer.copy_from_slice(record);
        let (header, body) = buffer.split_at_mut(HEADER);
        open(header, body);
        opened += TEXT;
    }
    opened
}
