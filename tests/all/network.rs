//! Whatever the network did to the packets, the report is the same.

use proptest::prelude::*;
use serde_json::Value;

use crate::support::build::{
    Order, Record, behind, mistreated, of_client, pcap, pcap_of, pcapng, records, resegmented,
};
use crate::support::{facts, report, sample, transcript};

const UPLOADS: [&str; 3] = ["good.pcap", "resumed.pcap", "balanced.pcap"];

/// Numbers below a bound, from a seed.
fn random(mut state: u64) -> impl FnMut(usize) -> usize {
    move |bound| {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (state >> 33) as usize % bound.max(1)
    }
}

fn facts_of(files: &[Vec<u8>]) -> Value {
    let files: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
    facts(&report(&files))
}

/// The records dealt out to `count` files of alternating formats.
fn dealt(records: &[Record], count: usize, mut random: impl FnMut(usize) -> usize) -> Vec<Vec<u8>> {
    let mut hands = vec![Vec::new(); count];
    records.iter().for_each(|record| hands[random(count)].push(record.clone()));
    let store = |(number, hand): (usize, &Vec<Record>)| match number % 3 {
        0 => pcap(hand, Order::Big),
        1 => pcapng(hand, Order::Little),
        _ => pcap(hand, Order::Little),
    };
    hands.iter().enumerate().map(store).collect()
}

/// Link types with a header that leads to IPv4.
const LINKS: [(u32, &[u8]); 9] = [
    (1, &[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x81, 0, 0, 7, 8, 0]),
    (9, &[0xff, 3, 0, 0x21]),
    (0, &[2, 0, 0, 0]),
    (101, &[]),
    (104, &[0x0f, 0, 8, 0]),
    (107, &[0x18, 0x41, 3, 0xcc]),
    (113, &[0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0]),
    (228, &[]),
    (276, &[8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_same_conversation_in_other_segments_is_the_same(
        name in prop::sample::select(&UPLOADS[..]),
        size in 50_usize..1500,
        files in 1_usize..4,
        seed in any::<u64>(),
    ) {
        let bytes = sample(name);
        let mut random = random(seed);
        let changed = mistreated(&resegmented(&records(&bytes), size), &mut random);
        let found = facts_of(&dealt(&changed, files, &mut random));
        prop_assert_eq!(found, facts(&report(&[&bytes])));
    }

    #[test]
    fn the_link_type_makes_no_difference((link, header) in prop::sample::select(&LINKS[..]), big in any::<bool>()) {
        let bytes = sample("good.pcap");
        let order = if big { Order::Big } else { Order::Little };
        let found = facts_of(&[pcap_of(link, &behind(header, &records(&bytes)), order)]);
        prop_assert_eq!(found, facts(&report(&[&bytes])));
    }
}

#[test]
fn a_segment_that_the_capture_lost_costs_its_bytes_alone() {
    // Heads are in segments that are shorter, or that begin with them.
    let is_body =
        |record: &&Record| record.payload().len() > 1000 && !record.payload().starts_with(b"BITS_");
    let but_digest = |mut facts: Value| {
        facts[0].as_object_mut().unwrap().remove("sha256");
        facts
    };
    for name in UPLOADS {
        let bytes = sample(name);
        let (whole, expected) = (records(&bytes), but_digest(facts(&report(&[&bytes]))));
        for lost in whole.iter().filter(is_body) {
            let rest: Vec<Record> =
                whole.iter().filter(|record| *record != lost).cloned().collect();
            let found = but_digest(facts_of(&[pcap(&rest, Order::Little)]));
            assert_eq!(found, expected, "{name} without the frame at {}", lost.nanos);
        }
    }
}

#[test]
fn a_hundred_interleaved_clients_are_told_apart() {
    let bytes = sample("good.pcap");
    let (records, expected) = (records(&bytes), facts(&report(&[&bytes]))[0].clone());
    let mut all: Vec<Record> = (0..100_u8)
        .flat_map(|client| of_client([10, 9, 8, client], i64::from(client) * 1_000, &records))
        .collect();
    all.sort_by_key(|record| record.nanos);
    let found = facts_of(&[pcap(&all, Order::Little)]);
    assert_eq!(found.as_array().unwrap().len(), 100);
    found.as_array().unwrap().iter().for_each(|session| assert_eq!(*session, expected));
}

#[test]
fn a_segment_from_before_the_capture_does_not_mean_that_a_direction_is_missing() {
    let upload = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/10\n< 200\n";
    let all = records(&transcript(&format!("{upload}= connection\n{upload}")));
    let data: Vec<_> = (0..all.len()).filter(|at| !all[*at].payload().is_empty()).collect();
    let one_sided =
        |kept: &[Record]| report(&[&pcap(kept, Order::Little)])["quality"]["one_sided"].as_u64();
    for rest in &data[..4] {
        let rest = [all[*rest].clone()];
        assert_eq!(one_sided(&[&rest[..], &all[data[4]..]].concat()), None);
        assert_eq!(one_sided(&rest), Some(1));
    }
}

#[test]
fn what_closed_a_connection_within_a_request_is_the_first_fin() {
    let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9999/20000 sent=4000\n\
                ! server closes\n... 1 s\n! client closes\n";
    let report = report(&[&transcript(text)]);
    let findings = report["sessions"][0]["findings"].as_array().unwrap();
    let found = findings.iter().find(|found| found["rule"] == "connection-closed-mid-request");
    let frames = found.unwrap()["frames"].as_array().unwrap();
    let fin = frames[1].as_u64().unwrap();
    let all = records(&transcript(text));
    let closes = |record: &Record| record.flags() & 1 == 1;
    assert_eq!(all.iter().position(closes).map(|at| at as u64 + 1), Some(fin));
}
