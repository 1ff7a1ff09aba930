//! How a capture was taken and stored makes no difference to what it says.

use std::io::Write;

use serde_json::Value;

use crate::support::build::{Order, Record, doubled, pcap, pcapng, records, resegmented, swapped};
use crate::support::{facts, report, run_on, sample, stderr, transcript};

const UPLOADS: [&str; 3] = ["good.pcap", "resumed.pcap", "balanced.pcap"];

fn each(claim: impl Fn(&[Record], &Value)) {
    for name in UPLOADS {
        let bytes = sample(name);
        let expected = facts(&report(&[&bytes]));
        assert_eq!(expected[0]["outcome"], "completed", "{name}");
        assert!(expected[0]["sha256"].is_string(), "{name}");
        claim(&records(&bytes), &expected);
    }
}

fn facts_of(records: &[Record]) -> Value {
    facts(&report(&[&pcap(records, Order::Little)]))
}

#[test]
fn format_and_byte_order_make_no_difference() {
    each(|records, expected| {
        for order in [Order::Little, Order::Big] {
            assert_eq!(facts(&report(&[&pcap(records, order)])), *expected, "{order:?}");
            assert_eq!(facts(&report(&[&pcapng(records, order)])), *expected, "{order:?}");
        }
    });
}

#[test]
fn two_files_in_either_order_are_one_capture() {
    each(|records, expected| {
        let (first, second) = records.split_at(records.len() / 2);
        let (first, second) = (pcap(first, Order::Little), pcapng(second, Order::Big));
        assert_eq!(facts(&report(&[&first, &second])), *expected);
        assert_eq!(facts(&report(&[&second, &first])), *expected);
    });
}

#[test]
fn two_interleaved_files_are_one_capture() {
    each(|records, expected| {
        let every_other = |from: usize| -> Vec<u8> {
            let half: Vec<_> = records.iter().skip(from).step_by(2).cloned().collect();
            pcap(&half, Order::Little)
        };
        let (even, odd) = (every_other(0), every_other(1));
        assert_eq!(facts(&report(&[&even, &odd])), *expected);
        assert_eq!(facts(&report(&[&odd, &even])), *expected);
    });
}

#[test]
fn taps_of_either_direction_make_one_capture_though_their_clocks_differ() {
    each(|records, expected| {
        for nanos in [300_000, 5_000_000, 500_000_000, 5_000_000_000] {
            for nanos in [nanos, -nanos] {
                let (mut server, client): (Vec<_>, Vec<_>) =
                    records.iter().cloned().partition(|record| record.flow().1);
                server.iter_mut().for_each(|record| record.nanos += nanos);
                let (server, client) = (pcap(&server, Order::Little), pcap(&client, Order::Little));
                let found = facts(&report(&[&client, &server]));
                for fact in ["id", "outcome", "outcome_qualifiers", "bytes_acknowledged"] {
                    assert_eq!(found[0][fact], expected[0][fact], "{nanos}: {fact}");
                }
                // Which of two copies the server took may no longer be clear.
                let (sha256, known) = (&found[0]["sha256"], &expected[0]["sha256"]);
                assert!(sha256 == known || sha256.is_null(), "{nanos}: {sha256}");
                assert_eq!(found.as_array().map(Vec::len), Some(1), "{nanos}");
            }
        }
    });
}

#[test]
fn an_answer_that_is_lost_beside_clocks_that_differ_makes_no_verdict() {
    each(|records, _| {
        let places = (0..records.len())
            .filter(|place| records[*place].flow().1 && !records[*place].payload().is_empty());
        for place in places {
            let mut rest = records.to_vec();
            rest.remove(place);
            let known = [verdicts(records), verdicts(&rest)].concat();
            for nanos in [500_000, 5_000_000, -500_000, -5_000_000] {
                let mut moved = rest.clone();
                let answers = moved.iter_mut().filter(|record| record.flow().1);
                answers.for_each(|record| record.nanos += nanos);
                moved.sort_by_key(|record| record.nanos);
                let fresh: Vec<_> =
                    verdicts(&moved).into_iter().filter(|it| !known.contains(it)).collect();
                assert!(fresh.is_empty(), "frame {}, {nanos}: {fresh:?}", place + 1);
            }
        }
    });
}

/// The first session of a capture whose tap of the server was early by more than all of it took.
fn ahead(records: Vec<Record>) -> Value {
    let (mut all, client): (Vec<_>, Vec<_>) = records.into_iter().partition(|it| it.flow().1);
    let shift = client.last().unwrap().nanos - all.first().unwrap().nanos + 1_000_000;
    all.extend(client.into_iter().map(|it| Record { nanos: it.nanos + shift, ..it }));
    report(&[&pcap(&all, Order::Little)])["sessions"][0].clone()
}

fn place_of(text: &str, records: &[Record]) -> usize {
    let holds = |it: &Record| it.payload().windows(text.len()).any(|it| it == text.as_bytes());
    records.iter().position(holds).unwrap()
}

#[test]
fn what_came_behind_a_close_did_so_though_all_answers_stand_ahead() {
    let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/10\n< 200\n> CLOSE-SESSION\n< 200\n\
                > FRAGMENT 10-19/20\n< 500 error=0x8020001F context=0x5\n";
    assert_eq!(ahead(records(&transcript(text)))["diagnosis"]["cause"], "message-after-close");
}

#[test]
fn a_fragment_was_sent_before_the_close_of_another_connection_though_all_answers_stand_ahead() {
    let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< 200\n! client closes\n= connection\n\
                > FRAGMENT 10-19/20\n< 200\n  Server: last\n! client closes\n= connection\n\
                > CLOSE-SESSION\n< 200\n! client closes\n";
    let mut rest = records(&transcript(text));
    rest.remove(place_of("last", &rest));
    let session = ahead(rest);
    assert_eq!(session["outcome"], "completed", "{session:#}");
    assert_eq!(session["exchanges"].as_array().unwrap().last().unwrap()["type"], "Close-Session");
}

/// The outcomes and whatever else a report on records takes for certain and for more than a note.
fn verdicts(records: &[Record]) -> Vec<String> {
    let report = report(&[&pcap(records, Order::Little)]);
    let mut verdicts = Vec::new();
    for session in report["sessions"].as_array().unwrap() {
        verdicts
            .extend([&session["outcome"], &session["outcome_qualifiers"]].map(Value::to_string));
        let findings = session["findings"].as_array().unwrap().iter();
        let sure = findings.filter(|it| it["confidence"] == "certain" && it["severity"] != "note");
        verdicts.extend(sure.map(|it| it["rule"].to_string()));
    }
    verdicts
}

#[test]
fn compression_makes_no_difference() {
    each(|records, expected| {
        let plain = pcap(records, Order::Little);
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&plain).unwrap();
        let gzip = gzip.finish().unwrap();
        let zstd = zstd::encode_all(&plain[..], 1).unwrap();
        for (bytes, name) in [(&plain, None), (&gzip, Some("gzip")), (&zstd, Some("zstd"))] {
            let found = report(&[bytes]);
            assert_eq!(found["captures"][0]["compression"].as_str(), name);
            assert_eq!(facts(&found), *expected);
            let output = run_on(bytes, &["sessions", "--json", "--digest", "sha256", "-"]);
            assert_eq!(stderr(&output), "");
            assert_eq!(facts(&serde_json::from_slice(&output.stdout).unwrap()), *expected);
        }
    });
}

#[test]
fn size_of_segments_makes_no_difference() {
    each(|records, expected| {
        for size in [1, 7, 100] {
            assert_eq!(facts_of(&resegmented(records, size)), *expected, "{size} bytes");
        }
    });
}

#[test]
fn duplicates_make_no_difference() {
    each(|records, expected| assert_eq!(facts_of(&doubled(records)), *expected));
}

#[test]
fn swapped_segments_make_no_difference() {
    each(|records, expected| {
        let swapped = swapped(records);
        assert_ne!(swapped, records);
        assert_eq!(facts_of(&swapped), *expected);
        let fine = resegmented(records, 100);
        assert_eq!(facts_of(&crate::support::build::swapped(&fine)), *expected);
    });
}

#[test]
fn what_the_first_bytes_of_a_body_tell_does_not_depend_on_how_they_are_cut() {
    let bytes = transcript(
        "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/10\n  | %PDF-1.7 x\n\
         < 403 plain\n  Content-Type: text/html; charset=utf-8\n  | <title>Заблокировано</title>\n",
    );
    let expected = facts(&report(&[&bytes]));
    assert_eq!(expected[0]["file_types"][1], "application/pdf");
    assert!(expected[0]["pages"][1].as_str().unwrap().contains("Заблокировано"));
    for size in [1, 3, 7] {
        assert_eq!(facts_of(&resegmented(&records(&bytes), size)), expected, "{size} bytes");
    }
}
