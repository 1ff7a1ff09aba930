//! What a capture lacks is named, and the rest is told all the same.

use serde_json::json;

use crate::support::build::{Order, Record, pcap, records, snapped};
use crate::support::{bitsleuth, report, sample, stderr, stdout, store, transcript};

fn good() -> Vec<Record> {
    records(&sample("good.pcap"))
}

#[test]
fn a_missed_segment_is_missing_from_the_file_alone() {
    let mut records = good();
    // Frame 9 holds the second of four pieces of the body.
    assert_eq!(records.remove(8).payload().len(), 1460);
    let report = report(&[&pcap(&records, Order::Little)]);
    let session = &report["sessions"][0];
    assert_eq!(session["outcome"], "completed");
    assert_eq!(session["bytes_acknowledged"], 4892);
    let missing = json!([{"start": 1460, "end": 2919}]);
    assert_eq!(session["file"], json!({"size": 4892, "whole": false, "missing": missing}));
    assert_eq!(report["quality"]["lost_bytes"], 1460);
}

#[test]
fn frames_cut_within_the_head_still_show_the_session() {
    let records = snapped(&good(), 128);
    let report = report(&[&pcap(&records, Order::Little)]);
    assert_eq!(report["captures"][0]["cut_frames"], 12);
    assert_eq!(report["sessions"].as_array().map(Vec::len), Some(1), "{report:#}");
    assert_eq!(report["sessions"][0]["outcome"], "incomplete");
}

#[test]
fn frames_cut_behind_the_head_lack_parts_of_the_body_alone() {
    // The longest head ends at byte 357 of its frame; 346 bytes of each piece of the body are left.
    let report = report(&[&pcap(&snapped(&good(), 400), Order::Little)]);
    let session = &report["sessions"][0];
    assert_eq!(session["outcome"], "completed");
    assert_eq!(session["bytes_acknowledged"], 4892);
    let missing = json!([
        {"start": 346, "end": 1459},
        {"start": 1806, "end": 2919},
        {"start": 3266, "end": 4379},
        {"start": 4726, "end": 4891},
    ]);
    assert_eq!(session["file"], json!({"size": 4892, "whole": false, "missing": missing}));
}

#[test]
fn what_the_server_refused_was_seen_all_the_same() {
    let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/10\n< 500 error=0x80070070\n";
    let report = report(&[&transcript(text)]);
    let file = &report["sessions"][0]["file"];
    // The bytes 0 to 9, each of its own value.
    let sha256 = "1f825aa2f0020ef7cf91dfa30da4668d791c5d4824fc8e41354b89ec05795ab3";
    assert_eq!(*file, json!({"size": 10, "sha256": sha256, "whole": true, "missing": []}));
}

#[test]
fn a_file_cut_within_a_frame_is_told_up_to_there() {
    let mut records = good();
    let whole = pcap(&records, Order::Little).len();
    records.extend(crate::support::build::records(&sample("refused.pcap")));
    let mut bytes = pcap(&records, Order::Little);
    bytes.truncate(whole + 20);
    let dir = tempfile::tempdir().unwrap();
    store(&dir, "cut.pcap", &bytes);
    let output = bitsleuth()
        .current_dir(dir.path())
        .args(["sessions", "--json", "cut.pcap"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        stderr(&output),
        format!("bitsleuth: cut.pcap: cut off within frame 25, at byte {whole}\n")
    );
    let report: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(report["sessions"][0]["outcome"], "completed");
    assert_eq!(report["captures"][0]["frames"], 24);
}

#[test]
fn a_capture_that_ends_within_a_fragment_leaves_it_incomplete() {
    let records = good();
    for end in 7..=12 {
        let report = report(&[&pcap(&records[..end], Order::Little)]);
        assert_eq!(report["sessions"][0]["outcome"], "incomplete", "after frame {end}");
    }
}

/// An upload of four million bytes in one Fragment, segment by segment.
fn large() -> Vec<Record> {
    let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-3999999/4000000\n< 200\n> CLOSE-SESSION\n< 200\n";
    records(&transcript(text))
}

#[test]
fn one_segment_in_thirty_may_be_missing_and_each_is_told() {
    let mut number = 0;
    let (mut lost, mut count) = (0, 0);
    let mut kept = large();
    kept.retain(|record| {
        let len = record.payload().len();
        number += usize::from(len > 1000);
        let drops = len > 1000 && number % 30 == 0;
        if drops {
            lost += len as u64;
            count += 1;
        }
        !drops
    });
    assert!(count > 64, "{count}");
    let report = report(&[&pcap(&kept, Order::Little)]);
    let session = &report["sessions"][0];
    let missing = session["file"]["missing"].as_array().unwrap();
    let edge = |range: &serde_json::Value, name: &str| range[name].as_u64().unwrap();
    let told: u64 = missing.iter().map(|one| edge(one, "end") - edge(one, "start") + 1).sum();
    assert_eq!((missing.len(), told), (count, lost));
    assert_eq!(session["exchanges"][1]["request"]["body"]["uncaptured"], lost);
}

#[test]
fn holes_of_heads_alone_are_joined_but_counted() {
    // Of each segment, 446 bytes are left.
    let lost: usize = large().iter().map(|record| record.payload().len().saturating_sub(446)).sum();
    let records = snapped(&large(), 500);
    let report = report(&[&pcap(&records, Order::Little)]);
    let body = &report["sessions"][0]["exchanges"][1]["request"]["body"];
    let holes = body["holes"].as_array().unwrap().len();
    assert!(holes < 110, "{holes}");
    assert_eq!(body["uncaptured"], lost as u64);
}
