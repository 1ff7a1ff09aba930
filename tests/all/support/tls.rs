//! What is inside TLS: the plaintext of captures, and plain captures put into TLS 1.3.

use std::collections::BTreeMap;
use std::ops::Range;

use aes_gcm::Aes128Gcm;
use aes_gcm::aead::{AeadInOut, KeyInit};
use bitsleuth::capture::{Item, Reader};
use bitsleuth::limits::Limits;
use bitsleuth::packet::{Decoder, Packet};
use bitsleuth::stream::{Connection, Event, Side, Table, Verdict};
use bitsleuth::tls::{Decryptor, Facts, KeyLog};
use hkdf::Hkdf;
use sha2::Sha256;

use super::build::Record;

/// What both sides of all TLS connections said, with `~` for gaps, where these are, and what is known of each
/// connection.
#[derive(Debug, Default)]
pub struct Plain {
    pub client: Vec<u8>,
    pub server: Vec<u8>,
    pub gaps: Vec<(Side, Range<usize>)>,
    pub facts: Vec<Facts>,
}

impl Plain {
    fn take(&mut self, event: Event<'_>) {
        let (side, bytes) = match event {
            Event::Data(chunk) => (chunk.side, chunk.bytes.to_vec()),
            Event::Gap { side, len, .. } => (side, vec![b'~'; len as usize]),
            Event::End { .. } => return,
        };
        let said = if side == Side::Client { &mut self.client } else { &mut self.server };
        if matches!(event, Event::Gap { .. }) {
            self.gaps.push((side, said.len()..said.len() + bytes.len()));
        }
        said.extend(bytes);
    }
}

/// Decrypts a capture with the secrets in it, if `inside`, and with others.
pub fn decrypt(capture: &[u8], keys: KeyLog, inside: bool) -> Plain {
    decrypt_some(capture, keys, inside, |_| true)
}

/// As [`decrypt`], without the frames that are not kept.
pub fn decrypt_some(
    capture: &[u8],
    mut keys: KeyLog,
    inside: bool,
    keep: impl Fn(u64) -> bool,
) -> Plain {
    let limits = Limits::default();
    let mut reader = Reader::new(capture, &limits).unwrap();
    let (mut decoder, mut table) = (Decoder::new(&limits), Table::<Decryptor>::new(&limits));
    if inside {
        secrets(capture).iter().for_each(|text| keys.add(text.as_bytes()));
    }
    let (mut plain, mut last) = (Plain::default(), bitsleuth::at::At::default());
    let deliver =
        |plain: &mut Plain, keys: &KeyLog, decryptor: &mut Decryptor, event: &Event<'_>| {
            decryptor.push(*event, keys, &mut |event| plain.take(event));
            Verdict::Go
        };
    while let Some(item) = reader.next().unwrap() {
        match item {
            Item::Secrets(_) => {}
            Item::Frame(frame) if !keep(frame.at.frame) => {}
            Item::Frame(frame) => {
                last = frame.at;
                let Ok(Packet::Tcp(segment)) = decoder.push(&frame) else { continue };
                let mut hand =
                    |_: &mut Connection, decryptor: &mut Decryptor, event: &Event<'_>| {
                        deliver(&mut plain, &keys, decryptor, event)
                    };
                table.push(&segment, &mut hand);
            }
        }
    }
    let mut hand = |_: &mut Connection, decryptor: &mut Decryptor, event: &Event<'_>| {
        deliver(&mut plain, &keys, decryptor, event)
    };
    while table.finish(last, &mut hand) {}
    while let Some((_, mut decryptor)) = table.closed() {
        decryptor.give_up(&keys, &mut |event| plain.take(event));
        plain.facts.push(decryptor.into_facts());
    }
    plain.facts.retain(|facts| facts.client_hello_at.is_some());
    plain
}

/// The key logs inside a capture, wherever they stand.
pub fn secrets(capture: &[u8]) -> Vec<String> {
    let mut reader = Reader::new(capture, &Limits::default()).unwrap();
    let mut found = Vec::new();
    while let Some(item) = reader.next().unwrap() {
        if let Item::Secrets(text) = item {
            found.push(String::from_utf8(text.to_vec()).unwrap());
        }
    }
    found
}

/// Bytes that a record adds to what it carries.
const OVERHEAD: u32 = 5 + 1 + 16;

/// A plain capture with two frames without data behind each TCP handshake, and the same conversation inside TLS, whose
/// hellos are in these frames. Also the key log.
pub fn in_tls(records: &[Record]) -> (Vec<Record>, Vec<Record>, String) {
    let (mut plain, mut sealed, mut keys) = (Vec::new(), Vec::new(), String::new());
    let mut flows: BTreeMap<Vec<u8>, Flow> = BTreeMap::new();
    for record in records {
        let syn = record.flags() & 0x12;
        let (key, side) = record.flow();
        let number = flows.len() as u8;
        let flow = flows.entry(key).or_insert_with(|| Flow::new(number + 1));
        plain.push(record.clone());
        sealed.push(flow.seal(record, side));
        if syn == 0x10 && !flow.greeted && record.payload().is_empty() {
            flow.greeted = true;
            let (again, back) = (record.clone().renamed(), record.reply().renamed());
            for (record, side) in [(&again, side), (&back, !side)] {
                plain.push(record.clone());
                let hello = flow.hello(side);
                sealed.push(flow.seal(record, side).with_payload(&hello));
                flow.lanes[usize::from(side)].hello = hello.len() as u32;
            }
            keys.push_str(&flow.key_log());
        }
    }
    (plain, sealed, keys)
}

/// One connection; what belongs to the server is at index 1.
struct Flow {
    number: u8,
    greeted: bool,
    lanes: [Lane; 2],
}

#[derive(Default)]
struct Lane {
    first: Option<u32>,
    hello: u32,
    /// What became of each segment, by where it began.
    sealed: BTreeMap<u32, Vec<u8>>,
}

impl Lane {
    /// The sequence number that stands for this one.
    fn moved(&self, seq: u32) -> u32 {
        let offset = seq.wrapping_sub(self.first.unwrap_or(seq));
        let hello = if offset > 0 { self.hello } else { 0 };
        let before = self.sealed.range(..offset).count() as u32;
        seq.wrapping_add(hello + OVERHEAD * before)
    }
}

impl Flow {
    fn new(number: u8) -> Self {
        Self { number, greeted: false, lanes: Default::default() }
    }

    fn seal(&mut self, record: &Record, side: bool) -> Record {
        let (seq, ack) = record.numbers();
        let secret = self.secret(side);
        let lane = &mut self.lanes[usize::from(side)];
        let offset = seq.wrapping_sub(*lane.first.get_or_insert(seq));
        let mut out = record.clone();
        if !record.payload().is_empty() {
            let number = lane.sealed.len() as u64;
            let bytes = lane
                .sealed
                .entry(offset)
                .or_insert_with(|| protect(&secret, number, record.payload()));
            out = out.with_payload(bytes);
        }
        let (own, other) = (&self.lanes[usize::from(side)], &self.lanes[usize::from(!side)]);
        out.with_numbers(own.moved(seq), other.moved(ack))
    }

    fn secret(&self, side: bool) -> [u8; 32] {
        [self.number * 2 + u8::from(side); 32]
    }

    fn hello(&self, side: bool) -> Vec<u8> {
        let mut body = vec![3, 3];
        body.extend([self.number; 32]);
        // No session; TLS_AES_128_GCM_SHA256; supported_versions with TLS 1.3.
        body.extend(match side {
            false => &[0, 0, 2, 0x13, 1, 1, 0, 0, 7, 0, 43, 0, 3, 2, 3, 4][..],
            true => &[0, 0x13, 1, 0, 0, 6, 0, 43, 0, 2, 3, 4],
        });
        let len = body.len() as u8;
        [&[22, 3, 3, 0, len + 4, 1 + u8::from(side), 0, 0, len], body.as_slice()].concat()
    }

    fn key_log(&self) -> String {
        let line = |name: &str, side| {
            let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
            format!(
                "{name}_TRAFFIC_SECRET_0 {} {}\n",
                hex(&[self.number; 32]),
                hex(&self.secret(side))
            )
        };
        line("CLIENT", false) + &line("SERVER", true)
    }
}

/// A record of TLS 1.3 (RFC 8446 5.2).
pub fn protect(secret: &[u8], number: u64, text: &[u8]) -> Vec<u8> {
    let expand = |label: &str, out: &mut [u8]| {
        let lens = [0, out.len() as u8, 6 + label.len() as u8];
        let info = [&lens[..], b"tls13 ", label.as_bytes(), &[0]].concat();
        Hkdf::<Sha256>::from_prk(secret).unwrap().expand(&info, out).unwrap();
    };
    let (mut key, mut nonce) = ([0; 16], [0; 12]);
    expand("key", &mut key);
    expand("iv", &mut nonce);
    nonce[4..].iter_mut().zip(number.to_be_bytes()).for_each(|(byte, with)| *byte ^= with);
    let [high, low] = (text.len() as u16 + 17).to_be_bytes();
    let aad = [23, 3, 3, high, low];
    let msg = [text, &[23]].concat();
    let mut sealed = msg;
    let tag = Aes128Gcm::new_from_slice(&key)
        .unwrap()
        .encrypt_inout_detached(&nonce.into(), &aad, sealed.as_mut_slice().into())
        .unwrap();
    [&aad[..], &sealed, &tag].concat()
}
