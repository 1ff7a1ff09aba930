//! Bulk decryption of TLS 1.3 with AES-128-GCM, against what the cipher alone takes for the same bytes.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

use bitsleuth::at::At;
use bitsleuth::stream::{Carriage, Chunk, Event, Side};
use bitsleuth::tls::{Decryptor, KeyLog};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use hkdf::Hkdf;
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use sha2::Sha256;

const RECORDS: u64 = 1024;
const TEXT: usize = 16 << 10;
const HEADER: usize = 5;
const TAG: usize = 16;
const SECRET: [u8; 32] = [7; 32];
const RANDOM: [u8; 32] = [9; 32];

fn expand(label: &str, out: &mut [u8]) {
    let lens = [0, out.len() as u8, 6 + label.len() as u8];
    let info = [&lens[..], b"tls13 ", label.as_bytes(), &[0]].concat();
    Hkdf::<Sha256>::from_prk(&SECRET).unwrap().expand(&info, out).unwrap();
}

fn cipher() -> LessSafeKey {
    let mut key = [0; 16];
    expand("key", &mut key);
    LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key).unwrap())
}

fn nonce(number: u64) -> [u8; 12] {
    let mut nonce = [0; 12];
    expand("iv", &mut nonce);
    nonce[4..].iter_mut().zip(number.to_be_bytes()).for_each(|(byte, with)| *byte ^= with);
    nonce
}

fn nonces() -> Vec<[u8; 12]> {
    (0..RECORDS).map(nonce).collect()
}

/// The records of one direction.
fn records() -> Vec<u8> {
    let cipher = cipher();
    let [high, low] = ((TEXT + 1 + TAG) as u16).to_be_bytes();
    let header = [23, 3, 3, high, low];
    let record = |number| {
        let mut text = vec![b'x'; TEXT];
        text.push(23);
        let nonce = Nonce::assume_unique_for_key(nonce(number));
        cipher.seal_in_place_append_tag(nonce, Aad::from(header), &mut text).unwrap();
        [&header[..], &text].concat()
    };
    (0..RECORDS).flat_map(record).collect()
}

/// Opens record after record in one buffer that stays in the cache, as opening destroys what it reads.
fn cipher_alone(cipher: &LessSafeKey, nonces: &[[u8; 12]], records: &[u8]) {
    let mut buffer = [0; HEADER + TEXT + 1 + TAG];
    for (nonce, record) in nonces.iter().zip(records.chunks(buffer.len())) {
        buffer.copy_from_slice(record);
        let (header, body) = buffer.split_at_mut(HEADER);
        let nonce = Nonce::assume_unique_for_key(*nonce);
        cipher.open_in_place(nonce, Aad::from(header), body).unwrap();
    }
}

fn hello(kind: u8, rest: &[u8]) -> Vec<u8> {
    let body = [&[3, 3][..], &RANDOM, rest].concat();
    let len = body.len() as u8;
    [&[22, 3, 3, 0, len + 4, kind, 0, 0, len], body.as_slice()].concat()
}

fn data(side: Side, bytes: &[u8]) -> Event<'_> {
    Event::Data(Chunk {
        at: At::default(),
        side,
        offset: 0,
        acked: 0,
        carriage: Carriage::default(),
        bytes,
    })
}

fn ready(keys: &KeyLog) -> Decryptor {
    let mut decryptor = Decryptor::default();
    let client = hello(1, &[0, 0, 2, 0x13, 1, 1, 0, 0, 7, 0, 43, 0, 3, 2, 3, 4]);
    let server = hello(2, &[0, 0x13, 1, 0, 0, 6, 0, 43, 0, 2, 3, 4]);
    decryptor.push(data(Side::Client, &client), keys, &mut |_| {});
    decryptor.push(data(Side::Server, &server), keys, &mut |_| {});
    decryptor
}

fn keys() -> KeyLog {
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    let mut keys = KeyLog::default();
    let line = format!("CLIENT_TRAFFIC_SECRET_0 {} {}", hex(&RANDOM), hex(&SECRET));
    keys.add(line.as_bytes());
    keys
}

/// The plaintext of a stream in segments.
fn decrypted(mut decryptor: Decryptor, keys: &KeyLog, records: &[u8], segment: usize) -> usize {
    let mut len = 0;
    for bytes in records.chunks(segment) {
        decryptor.push(data(Side::Client, bytes), keys, &mut |event| {
            if let Event::Data(chunk) = event {
                len += chunk.bytes.len();
            }
        });
    }
    len
}

fn bulk(criterion: &mut Criterion) {
    let (records, nonces, cipher, keys) = (records(), nonces(), cipher(), keys());
    assert_eq!(decrypted(ready(&keys), &keys, &records, 1460), RECORDS as usize * TEXT);
    let mut group = criterion.benchmark_group("tls13-aes128gcm");
    group.throughput(Throughput::Bytes(records.len() as u64)).sample_size(30);
    group.bench_function("cipher-alone", |bencher| {
        bencher.iter(|| cipher_alone(&cipher, &nonces, &records));
    });
    for segment in [1460, 65_535] {
        group.bench_function(format!("decryptor-{segment}"), |bencher| {
            let run = |decryptor| decrypted(decryptor, &keys, &records, segment);
            bencher.iter_batched(|| ready(&keys), run, BatchSize::LargeInput);
        });
    }
    group.finish();
}

criterion_group!(benches, bulk);
criterion_main!(benches);
