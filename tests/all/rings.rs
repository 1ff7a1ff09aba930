//! A capture in several files, as rings of capturing programs leave it.

use std::process::Output;

use serde_json::Value;

use crate::support::build::{Order, Record, pcap, records};
use crate::support::{bitsleuth, sample, stdout, store};

/// Nanoseconds of a second.
const SECOND: i64 = 1_000_000_000;

/// The records of a sample in files of so many, each with what `shift` adds to the times of the one of this number.
fn ring(name: &str, size: usize, shift: impl Fn(usize) -> i64) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (number, part) in records(&sample(name)).chunks(size).enumerate() {
        let shifted = part
            .iter()
            .map(|record| Record { nanos: record.nanos + shift(number), ..record.clone() });
        let shifted: Vec<Record> = shifted.collect();
        store(&dir, &format!("r{number}.pcap"), &pcap(&shifted, Order::Little));
    }
    dir
}

fn run(dir: &tempfile::TempDir, args: &[&str], files: &[&str]) -> Output {
    bitsleuth().current_dir(dir.path()).args(args).args(files).output().unwrap()
}

fn report(dir: &tempfile::TempDir, args: &[&str], files: &[&str]) -> Value {
    serde_json::from_slice(&run(dir, &[&["sessions", "--json"], args].concat(), files).stdout)
        .unwrap()
}

fn outcomes(report: &Value) -> Vec<&str> {
    let sessions = report["sessions"].as_array().unwrap().iter();
    sessions.map(|session| session["outcome"].as_str().unwrap()).collect()
}

fn clock(report: &Value) -> Option<&str> {
    let mut found = report["findings"].as_array().unwrap().iter();
    found.find(|found| found["rule"] == "clock-jump")?["message"].as_str()
}

#[test]
fn a_clock_set_back_between_files_is_noted_and_undone_as_named() {
    let files = ["r0.pcap", "r1.pcap", "r2.pcap", "r3.pcap"];
    let back = |secs: i64| {
        ring("resumed.pcap", 27, move |number| if number > 0 { -secs * SECOND / 10 } else { 0 })
    };
    let little = report(&back(2), &[], &files);
    assert_eq!(outcomes(&little).len(), 2);
    let told = clock(&little).unwrap();
    assert!(told.starts_with("r1.pcap and r0.pcap overlap by"), "{told}");
    assert_eq!(outcomes(&report(&back(2), &["--append"], &files)), ["completed"]);
    let much = report(&back(50), &["--append"], &files);
    assert_eq!(
        (outcomes(&much), clock(&much).unwrap()),
        (vec!["completed"], "time goes back once, by up to 5 s")
    );
}

#[test]
fn files_of_a_ring_are_in_step() {
    let files = ["r2.pcap", "r0.pcap", "r1.pcap"];
    let whole = report(&ring("resumed.pcap", 32, |_| 0), &[], &files);
    assert_eq!((outcomes(&whole), clock(&whole)), (vec!["completed"], None));
}

#[test]
fn what_lies_between_the_ends_of_a_message_is_named() {
    let dir = ring("resumed.pcap", 5, |_| 0);
    let files: Vec<String> = (0..19).map(|number| format!("r{number}.pcap")).collect();
    let files: Vec<&str> =
        files.iter().map(String::as_str).filter(|name| dir.path().join(name).exists()).collect();
    let told = stdout(&run(&dir, &["timeline"], &files));
    for name in &files {
        let closed = *name == files[files.len() - 1];
        assert!(closed || told.contains(&format!(": {name}\n")), "{name}\n{told}");
    }
    let sarif = run(&dir, &["diagnose", "--format", "sarif"], &files);
    let sarif: Value = serde_json::from_slice(&sarif.stdout).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let found = results.iter().find(|found| found["ruleId"] == "ack-offset-went-back").unwrap();
    assert_eq!(found["properties"]["frames"], serde_json::json!([42, 52]));
    let file = |places: &Value| places[0]["physicalLocation"]["artifactLocation"]["index"].clone();
    assert_eq!([file(&found["locations"]), file(&found["relatedLocations"])], [8, 10]);
}

#[test]
fn a_row_names_where_its_upload_begins() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["good.pcap", "lost.pcap"] {
        store(&dir, name, &sample(name));
    }
    let table = stdout(&run(&dir, &["sessions"], &["good.pcap", "lost.pcap"]));
    let rows: Vec<&str> = table.lines().collect();
    let column = rows[0].find("begins").unwrap();
    assert!(rows[1..].iter().any(|row| row.contains("  1:4")), "{table}");
    assert!(table.contains("  2:4 ") && column > 0, "{table}");
    assert!(table.ends_with("\ncapture 1: good.pcap\ncapture 2: lost.pcap\n"), "{table}");
    assert!(!stdout(&run(&dir, &["sessions"], &["good.pcap"])).contains("begins"));
}

#[test]
fn a_command_that_reads_one_capture_tells_how_to_join_several() {
    let dir = ring("good.pcap", 5, |_| 0);
    for command in ["redact", "annotate"] {
        let output = run(&dir, &[command, "-o", "x.pcapng"], &["r0.pcap", "r1.pcap"]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            said.contains("mergecap -w - *.pcap |") && output.status.code() == Some(2),
            "{said}"
        );
    }
}
