//! The samples are recorded connections: three from BITS uploads, the others from OpenSSL 3.0 talking to itself.

use std::ops::Range;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::at::At;
use crate::stream::{Carriage, Chunk, End, Event, Side};

use super::kdf::{expand_label, prf};
use super::opener::{Opener, Window};
use super::suite::{Digest, Suite};
use super::*;

macro_rules! sample {
    ($name:literal) => {
        Sample::new(
            include_bytes!(concat!("../../samples/tls/", $name, ".bin")),
            include_bytes!(concat!("../../samples/tls/", $name, ".keys")),
        )
    };
}

/// A recorded connection: `C` or `S`, a length of two bytes, that many bytes; and again.
struct Sample {
    flights: Vec<(Side, &'static [u8])>,
    keys: &'static [u8],
}

/// What came out: the plaintext of both sides with gaps as `~`, the gaps, and how many directions ended.
#[derive(Debug, Default, PartialEq, Eq)]
struct Plain {
    client: Vec<u8>,
    server: Vec<u8>,
    gaps: Vec<(Side, Range<u64>)>,
    ends: usize,
}

impl Plain {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Data(chunk) => {
                let side = self.side(chunk.side);
                assert_eq!(chunk.offset, side.len() as u64);
                assert!(!chunk.bytes.is_empty());
                side.extend_from_slice(chunk.bytes);
            }
            Event::Gap { side, offset, len, .. } => {
                self.gaps.push((side, offset..offset + len));
                let bytes = self.side(side);
                assert_eq!(offset, bytes.len() as u64);
                bytes.resize(bytes.len() + len as usize, b'~');
            }
            Event::End { .. } => self.ends += 1,
        }
    }

    fn side(&mut self, side: Side) -> &mut Vec<u8> {
        if side == Side::Client { &mut self.client } else { &mut self.server }
    }
}

impl Sample {
    fn new(mut file: &'static [u8], keys: &'static [u8]) -> Self {
        let mut flights = Vec::new();
        while let [side, high, low, rest @ ..] = file {
            let (bytes, rest) = rest.split_at(usize::from(u16::from_be_bytes([*high, *low])));
            flights.push((if *side == b'C' { Side::Client } else { Side::Server }, bytes));
            file = rest;
        }
        Self { flights, keys }
    }

    fn keys(&self) -> KeyLog {
        let mut keys = KeyLog::default();
        keys.add(self.keys);
        keys
    }

    fn run(&self, split: usize, keys: &KeyLog) -> (Plain, Facts) {
        self.run_without(split, keys, Side::Client, 0..0)
    }

    /// Without these bytes of one side.
    fn run_without(
        &self,
        split: usize,
        keys: &KeyLog,
        side: Side,
        hole: Range<u64>,
    ) -> (Plain, Facts) {
        let (mut decryptor, mut plain) = (Decryptor::new(1 << 20), Plain::default());
        self.feed(&mut decryptor, split, keys, (side, hole), &mut plain);
        end(&mut decryptor, keys, &mut plain);
        (plain, decryptor.facts().clone())
    }

    fn feed(
        &self,
        to: &mut Decryptor,
        split: usize,
        keys: &KeyLog,
        (holed, hole): (Side, Range<u64>),
        plain: &mut Plain,
    ) {
        let (mut client, mut server) = (0, 0);
        for (frame, &(side, flight)) in (1..).zip(&self.flights) {
            let next = if side == Side::Client { &mut client } else { &mut server };
            let at = At { frame, ..At::default() };
            for bytes in flight.chunks(split) {
                let (offset, len) = (*next, bytes.len() as u64);
                *next += len;
                let event = if side == holed && offset < hole.end && hole.start < *next {
                    Event::Gap { at, side, offset, len }
                } else {
                    Event::Data(Chunk {
                        at,
                        side,
                        offset,
                        acked: 0,
                        carriage: Carriage::default(),
                        bytes,
                    })
                };
                to.push(event, keys, &mut |event| plain.take(event));
            }
        }
    }
}

fn end(decryptor: &mut Decryptor, keys: &KeyLog, plain: &mut Plain) {
    for side in [Side::Client, Side::Server] {
        let event = Event::End { at: At::default(), side, why: End::Fin };
        decryptor.push(event, keys, &mut |event| plain.take(event));
    }
    decryptor.give_up(keys, &mut |event| plain.take(event));
}

fn all() -> [Sample; 3] {
    [sample!("tls12-ecdhe-gcm"), sample!("tls13-aes256"), sample!("tls13-tunnel")]
}

#[test]
fn plaintext_is_the_same_however_the_stream_is_split() {
    for sample in all() {
        let (whole, facts) = sample.run(usize::MAX, &sample.keys());
        assert!(whole.client.starts_with(b"BITS_POST "));
        assert!(whole.server.starts_with(b"HTTP/1.1 200"));
        assert!(facts.decrypted && facts.opaque.is_none());
        assert_eq!((facts.from_client.failed, facts.from_server.failed, whole.ends), (0, 0, 2));
        for split in [1, 2, 5, 7, 1000] {
            assert_eq!(sample.run(split, &sample.keys()), (clone(&whole), facts.clone()));
        }
    }
}

fn clone(plain: &Plain) -> Plain {
    let Plain { client, server, gaps, ends } = plain;
    Plain { client: client.clone(), server: server.clone(), gaps: gaps.clone(), ends: *ends }
}

fn suite_opens(sample: &Sample, version: &str, suite: &str) {
    let (plain, facts) = sample.run(usize::MAX, &sample.keys());
    let text = String::from_utf8_lossy(&plain.client);
    assert!(
        text.starts_with("BITS_POST /a HTTP/1.1") && text.contains("BITS_POST /b"),
        "{text}\n{facts:#?}"
    );
    assert!(
        plain.server.starts_with(b"HTTP/1.1 200 OK\n")
            || plain.server.starts_with(b"HTTP/1.1 200 OK\r\n")
    );
    assert_eq!(facts.version.as_deref(), Some(version));
    assert_eq!(facts.cipher_suite.unwrap().name, suite);
    assert_eq!((facts.from_client.failed, facts.from_server.failed), (0, 0));
    assert_eq!(sample.run(1, &sample.keys()).0, plain);
}

#[test]
fn every_supported_kind_of_suite_opens() {
    suite_opens(&sample!("tls12-gcm256"), "TLS 1.2", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384");
    suite_opens(
        &sample!("tls12-chacha"),
        "TLS 1.2",
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    );
    suite_opens(&sample!("tls12-cbc-etm"), "TLS 1.2", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256");
    suite_opens(&sample!("tls12-cbc-sha1"), "TLS 1.2", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA");
    suite_opens(&sample!("tls12-cbc-sha384"), "TLS 1.2", "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384");
    suite_opens(&sample!("tls13-chacha"), "TLS 1.3", "TLS_CHACHA20_POLY1305_SHA256");
}

#[test]
fn renegotiated_keys_open_what_follows() {
    suite_opens(
        &sample!("tls12-renegotiation"),
        "TLS 1.2",
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    );
}

#[test]
fn hello_retry_and_key_updates_are_followed() {
    let sample = sample!("tls13-retry-update");
    suite_opens(&sample, "TLS 1.3", "TLS_AES_128_GCM_SHA256");
    let (plain, facts) = sample.run(usize::MAX, &sample.keys());
    assert!(facts.hello_retry);
    assert_eq!(String::from_utf8_lossy(&plain.client).matches("BITS_POST /b").count(), 2);
}

#[test]
fn early_data_comes_first() {
    let sample = sample!("tls13-early");
    let (plain, facts) = sample.run(usize::MAX, &sample.keys());
    assert!(plain.client.starts_with(b"BITS_POST /early"), "{facts:#?}");
    assert!(String::from_utf8_lossy(&plain.client).contains("BITS_POST /b"));
    assert!(facts.resumed && facts.early_data_offered);
}

#[test]
fn facts_name_what_was_offered_and_chosen() {
    let sample = sample!("tls13-aes256");
    let (_, facts) = sample.run(usize::MAX, &sample.keys());
    assert_eq!(facts.sni.as_deref(), Some("bits.dev.test"));
    assert_eq!(facts.versions_offered, ["TLS 1.3"]);
    assert_eq!(facts.version.as_deref(), Some("TLS 1.3"));
    assert_eq!(facts.cipher_suite.unwrap().code, 0x1302);
    assert_eq!(
        (facts.client_hello_at.unwrap().frame, facts.server_hello_at.unwrap().frame),
        (1, 2)
    );
}

#[test]
fn without_keys_the_hellos_are_still_read() {
    for sample in all() {
        let (plain, facts) = sample.run(1000, &KeyLog::default());
        assert_eq!(plain, Plain { ends: 2, ..Plain::default() });
        assert_eq!((facts.decrypted, facts.opaque), (false, Some(Opaque::NoKeys)));
        assert_eq!(facts.sni.as_deref(), Some("bits.dev.test"));
    }
}

#[test]
fn keys_that_come_late_open_what_waits() {
    for sample in all() {
        let (mut decryptor, mut plain) = (Decryptor::new(1 << 20), Plain::default());
        sample.feed(&mut decryptor, 100, &KeyLog::default(), (Side::Client, 0..0), &mut plain);
        assert_eq!(plain, Plain::default());
        assert!(decryptor.waiting_bytes() > 9000);
        end(&mut decryptor, &sample.keys(), &mut plain);
        assert_eq!(
            (plain, decryptor.waiting_bytes()),
            (sample.run(usize::MAX, &sample.keys()).0, 0)
        );
    }
}

#[test]
fn nothing_waits_once_the_secrets_are_complete() {
    for sample in all() {
        let (waited, facts) = sample.run(100, &KeyLog::default());
        let (mut decryptor, mut plain) = (Decryptor::new(1 << 20), Plain::default());
        let mut keys = KeyLog::default();
        keys.complete();
        sample.feed(&mut decryptor, 100, &keys, (Side::Client, 0..0), &mut plain);
        assert_eq!(decryptor.waiting_bytes(), 0);
        end(&mut decryptor, &sample.keys(), &mut plain);
        assert_eq!((plain, decryptor.into_facts()), (waited, facts));
    }
}

#[test]
fn what_no_key_can_open_is_not_kept() {
    let (mut none, mut others) = (KeyLog::default(), KeyLog::default());
    others.add(format!("CLIENT_RANDOM {} {}", "00".repeat(32), "00".repeat(48)).as_bytes());
    assert!(!others.is_empty());
    [&mut none, &mut others].into_iter().for_each(KeyLog::complete);
    for (sample, start) in all().iter().flat_map(|sample| [0, 250, 1200].map(|n| (sample, n))) {
        for (side, split) in [(Side::Client, 7), (Side::Server, 1000)] {
            let hole = start..start + 30;
            let kept = sample.run_without(split, &others, side, hole.clone());
            let (mut decryptor, mut plain) = (Decryptor::new(1 << 20), Plain::default());
            sample.feed(&mut decryptor, split, &none, (side, hole), &mut plain);
            end(&mut decryptor, &none, &mut plain);
            assert_eq!((plain, decryptor.into_facts()), kept);
        }
    }
}

#[test]
fn records_of_an_unsupported_suite_count_unread() {
    let sample = sample!("tls12-gcm256");
    let (_, expected) = sample.run(100, &KeyLog::default());
    let suite = [0xc0, 0x2c];
    let ccm = [0xc0, 0xac];
    let flights = sample.flights.iter().map(|&(side, bytes)| {
        let at = bytes.windows(2).position(|pair| pair == suite);
        let mut bytes = bytes.to_vec();
        if let (Side::Server, Some(at)) = (side, at) {
            bytes[at..at + 2].copy_from_slice(&ccm);
        }
        (side, &*bytes.leak())
    });
    let sample = Sample { flights: flights.collect(), keys: sample.keys };
    let (plain, facts) = sample.run(100, &sample.keys());
    assert_eq!((plain.client.len(), facts.opaque), (0, Some(Opaque::UnsupportedCipher)));
    assert_eq!(
        (facts.from_client, facts.from_server, facts.shape),
        (expected.from_client, expected.from_server, expected.shape)
    );
}

#[test]
fn waiting_stops_at_the_limit() {
    let (sample, mut decryptor, mut plain) =
        (sample!("tls13-aes256"), Decryptor::new(4096), Plain::default());
    sample.feed(&mut decryptor, 100, &KeyLog::default(), (Side::Client, 0..0), &mut plain);
    assert_eq!((decryptor.waiting_bytes(), decryptor.facts().opaque), (0, Some(Opaque::NoKeys)));
    end(&mut decryptor, &sample.keys(), &mut plain);
    assert_eq!(plain, Plain { ends: 2, ..Plain::default() });
}

#[test]
fn keys_of_another_handshake_do_not_fit() {
    let sample = sample!("tls12-ecdhe-gcm");
    let mut keys = KeyLog::default();
    let (head, _) = sample.keys.split_at(sample.keys.len() - 21);
    keys.add(&[head, b"00000000000000000000"].concat());
    let (plain, facts) = sample.run(1000, &keys);
    assert_eq!((plain.client.len(), facts.opaque), (0, Some(Opaque::KeysDoNotFit)));
}

#[test]
fn gap_in_the_ciphertext_leaves_a_gap_of_the_same_place_in_the_plaintext() {
    for sample in all() {
        let (whole, _) = sample.run(usize::MAX, &sample.keys());
        for start in [1200, 2000, 2700, 3500] {
            let (holed, _) =
                sample.run_without(100, &sample.keys(), Side::Client, start..start + 300);
            let [(Side::Client, gap)] = holed.gaps.as_slice() else { panic!("{:?}", holed.gaps) };
            assert_eq!(holed.server, whole.server);
            assert_eq!(holed.client.len(), whole.client.len());
            let same = holed.client.iter().zip(&whole.client).enumerate();
            assert!(same.filter(|(at, _)| !gap.contains(&(*at as u64))).all(|(_, (a, b))| a == b));
        }
    }
}

#[test]
fn gap_in_the_handshake_costs_no_plaintext() {
    for (sample, hole) in
        [(sample!("tls12-ecdhe-gcm"), 170..250), (sample!("tls13-aes256"), 250..300)]
    {
        let (whole, _) = sample.run(usize::MAX, &sample.keys());
        let (holed, facts) = sample.run_without(10, &sample.keys(), Side::Client, hole);
        assert_eq!(holed, whole, "{facts:#?}");
    }
}

#[test]
fn flights_out_of_order_are_read_in_theirs() {
    let cases =
        [(0, None), (0, Some(0)), (0, Some(1)), (500, None), (500, Some(0)), (500, Some(1))];
    for (sample, (before, first)) in
        all().iter().flat_map(|sample| cases.map(move |case| (sample, case)))
    {
        let (mut sent, mut chunks) = ([0, 0], Vec::new());
        for &(side, bytes) in &sample.flights {
            let (own, other) = if side == Side::Client { (0, 1) } else { (1, 0) };
            let (at, carriage) = (At::default(), Carriage { shift: before, extra: 0 });
            let (offset, acked) = (sent[own], sent[other] + before);
            chunks.push(Chunk { at, side, offset, acked, carriage, bytes });
            sent[own] += bytes.len() as u64;
        }
        if let Some(first) = first {
            chunks.swap(first, first + 1);
        }
        let (mut decryptor, mut plain) = (Decryptor::new(1 << 20), Plain::default());
        for chunk in chunks {
            decryptor.push(Event::Data(chunk), &sample.keys(), &mut |event| plain.take(event));
        }
        end(&mut decryptor, &sample.keys(), &mut plain);
        let expected = sample.run(usize::MAX, &sample.keys()).0;
        assert_eq!(plain, expected, "{before} {first:?} {:?}", decryptor.facts());
    }
}

#[test]
fn a_direction_whose_clock_is_ahead_waits_for_the_other_to_its_end() {
    for sample in all() {
        let (mut sent, mut sides) = ([0, 0], [Vec::new(), Vec::new()]);
        for &(side, bytes) in &sample.flights {
            let (own, other) = if side == Side::Client { (0, 1) } else { (1, 0) };
            let (at, carriage) = (At::default(), Carriage::default());
            let (offset, acked) = (sent[own], sent[other]);
            sides[own].push(Chunk { at, side, offset, acked, carriage, bytes });
            sent[own] += bytes.len() as u64;
        }
        let mut decryptor = Decryptor::new(1 << 20);
        let (mut plain, keys) = (Plain::default(), sample.keys());
        for (side, chunks) in [(Side::Server, &sides[1]), (Side::Client, &sides[0])] {
            let data = chunks.iter().map(|chunk| Event::Data(*chunk));
            let fin = Event::End { at: At::default(), side, why: End::Fin };
            for event in data.chain([fin]) {
                decryptor.push(event, &keys, &mut |event| plain.take(event));
            }
        }
        assert_eq!(plain, sample.run(usize::MAX, &keys).0, "{:?}", decryptor.facts());
    }
}

#[test]
fn without_the_client_hello_nothing_opens() {
    for sample in all() {
        let (plain, facts) = sample.run_without(100, &sample.keys(), Side::Client, 0..100);
        assert_eq!(
            (plain, facts.opaque),
            (Plain { ends: 2, ..Plain::default() }, Some(Opaque::NoHandshake))
        );
    }
}

fn only(sample: &Sample, labels: &[&str]) -> KeyLog {
    let (mut keys, text) = (KeyLog::default(), String::from_utf8_lossy(sample.keys));
    let known = |line: &&str| labels.contains(&line.split(' ').next().unwrap());
    text.lines().filter(known).for_each(|line| keys.add(line.as_bytes()));
    keys
}

#[test]
fn traffic_secrets_are_enough() {
    let sample = sample!("tls13-aes256");
    let keys = only(&sample, &["CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"]);
    let (plain, facts) = sample.run(100, &keys);
    assert_eq!((plain, facts.opaque), (sample.run(100, &sample.keys()).0, None));
}

#[test]
fn long_handshake_without_its_secrets_leaves_the_rest_readable() {
    let sample = sample!("tls13-aes256");
    let keys = only(&sample, &["CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"]);
    let record = [&[23, 3, 3, 0, 40][..], &[7; 40]].concat().repeat(40);
    let flights = sample.flights.iter().enumerate().map(|(number, &(side, bytes))| {
        if number != 1 {
            return (side, bytes);
        }
        let (hello, rest) = bytes.split_at(super::record::record_len(bytes).unwrap());
        (side, &*[hello, &record, rest].concat().leak())
    });
    let longer = Sample { flights: flights.collect(), keys: sample.keys };
    assert_eq!(longer.run(100, &keys).0, sample.run(100, &sample.keys()).0);
}

#[test]
fn one_side_opens_without_the_other() {
    let sample = sample!("tls13-aes256");
    let (plain, facts) = sample.run(100, &only(&sample, &["CLIENT_TRAFFIC_SECRET_0"]));
    assert_eq!(plain.client, sample.run(100, &sample.keys()).0.client);
    assert!(matches!(*plain.gaps, [(Side::Server, Range { start: 0, .. })]) && facts.decrypted);
}

#[test]
fn gap_in_cbc_is_passed() {
    let sample = sample!("tls12-cbc-sha1");
    let (whole, _) = sample.run(usize::MAX, &sample.keys());
    let len = sample
        .flights
        .iter()
        .filter(|flight| flight.0 == Side::Server)
        .map(|flight| flight.1.len() as u64)
        .sum::<u64>();
    let (holed, facts) = sample.run_without(1, &sample.keys(), Side::Server, len - 180..len - 170);
    assert!(
        facts.opaque.is_none() && holed.client == whole.client && holed.gaps.len() == 1,
        "{holed:?} {facts:#?}"
    );
}

#[test]
fn key_log_skips_what_it_does_not_know() {
    let (mut keys, client) = (KeyLog::default(), "ab".repeat(32));
    keys.add(b"# comment\n\nRSA 00 11\nCLIENT_RANDOM zz 00\nCLIENT_RANDOM 00\n\xff\xfe\n");
    assert_eq!((keys.generation(), keys.is_empty()), (0, true));
    keys.add(format!("CLIENT_RANDOM {client} 0102\r\n").as_bytes());
    keys.add(format!("CLIENT_RANDOM {client} 0102\r\n").as_bytes());
    assert_eq!(keys.generation(), 1);
    let [master] = keys.secrets(&[0xab; 32]).unwrap().master.as_slice() else { panic!() };
    assert_eq!(master.bytes, [1, 2]);
    assert_eq!(keys.line_of(master), KeyLine { source: "secrets block 2".into(), line: 1 });
}

#[test]
fn lines_that_are_known_count_and_the_newest_clients_stay() {
    let (mut keys, mut text) = (KeyLog::default(), String::new());
    for number in 0..=1 << 18 {
        text.push_str(&format!("CLIENT_RANDOM {number:064x} 01\n"));
    }
    assert_eq!(keys.add_from("a", text.as_bytes()), (1 << 18) + 1);
    let (first, last) = ([0; 32], std::array::from_fn(|at| u8::from(at == 29) * 4));
    assert!(keys.secrets(&first).is_none() && keys.secrets(&last).is_some());
    assert_eq!(keys.forgotten(), 1);
    let line = text.lines().next_back().unwrap();
    assert_eq!((keys.add_from("b", line.as_bytes()), keys.generation()), (1, 1));
}

#[test]
fn tls_is_told_from_http() {
    assert!(looks_like_tls(&[22, 3, 1, 0, 0xf2, 1]));
    assert!(looks_like_tls(&[22, 3, 1, 0, 1, 1]) && !looks_like_tls(&[22, 3, 1, 0, 0, 1]));
    assert!(!looks_like_tls(b"BITS_POST /"));
    assert!(looks_like_tls(&[22]) && looks_like_tls(&[23, 3, 3, 0, 40]));
    assert!(!looks_like_tls(&[22, 3, 9]) && !looks_like_tls(&[20, 3, 3, 0, 40]));
}

// RFC 8448 3: the client's handshake traffic keys.
#[test]
fn labels_expand_as_in_rfc_8448() {
    let secret = hex("b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21");
    let expand = |label, len| expand_label(Digest::Sha256, &secret, label, len).unwrap();
    assert_eq!(expand("key", 16), hex("dbfaa693d1762c5b666af5d950258d01"));
    assert_eq!(expand("iv", 12), hex("5bd3c71b836e0b76bb73265f"));
}

// RFC 8448 3: the client's application data, 50 octets counting up.
#[test]
fn record_opens_as_in_rfc_8448() {
    let secret = hex("9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5");
    let record = hex(concat!(
        "1703030043a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab3f2b9819a8a5b46b395bd54a9a20",
        "441e2b62974e1f5a6292a2977014bd1e3deae63aeebb21694915e4"
    ));
    let opener = Opener::tls13(Suite::of(0x1301), &secret).unwrap();
    let mut plain = Vec::new();
    let opened = opener.open(&record, &Window { near: 1, far: 0..0 }, &mut plain).unwrap();
    assert_eq!((opened.kind, opened.seq), (23, 0));
    assert_eq!(plain[opened.plain], (0..50).collect::<Vec<u8>>());
}

// The vector for P_SHA256 that the TLS working group published with RFC 5246.
#[test]
fn prf_is_that_of_tls12() {
    let secret = hex("9bbe436ba940f017b17652849a71db35");
    let seed = hex("a0ba9f936cda311827a6f796ffd5198c");
    assert_eq!(
        prf(Digest::Sha256, &secret, b"test label", &seed, 32),
        hex("e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a")
    );
}

fn hex(text: &str) -> Vec<u8> {
    text.as_bytes()
        .chunks(2)
        .map(|b| u8::from_str_radix(std::str::from_utf8(b).unwrap(), 16).unwrap())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn damaged_streams_neither_panic_nor_pile_up(
        damage in vec((0..60_000_usize, any::<u8>(), 0..4_u8), 1..12), split in 1..2000_usize, which in 0..3_usize,
    ) {
        let sample = &all()[which];
        let (mut decryptor, keys) = (Decryptor::new(1 << 16), sample.keys());
        let mut offsets = [0_u64; 2];
        for (number, (side, flight)) in sample.flights.iter().flat_map(|(s, f)| f.chunks(split).map(move |c| (*s, c))).enumerate() {
            let offset = &mut offsets[usize::from(side == Side::Client)];
            let mut bytes = flight.to_vec();
            let mut lost = false;
            for &(at, value, kind) in &damage {
                if at % 50 == number % 50 {
                    let index = at % bytes.len();
                    bytes[index] = value;
                    lost |= kind == 0;
                }
            }
            let (at, len) = (At::default(), bytes.len() as u64);
            let event = if lost {
                Event::Gap { at, side, offset: *offset, len: len << (number % 50) }
            } else {
                Event::Data(Chunk { at, side, offset: *offset, acked: 0, carriage: Carriage::default(), bytes: &bytes })
            };
            *offset += len;
            decryptor.push(event, &keys, &mut |_| {});
            prop_assert!(decryptor.waiting_bytes() <= 1 << 17);
        }
        for side in [Side::Client, Side::Server] {
            decryptor.push(Event::End { at: At::default(), side, why: End::Reset }, &keys, &mut |_| {});
        }
        decryptor.give_up(&keys, &mut |_| {});
        prop_assert_eq!(decryptor.waiting_bytes(), 0);
    }
}
