//! Formats of other programs; what those programs make of them is in `tests/readers.sh`.

use std::io::{BufRead, BufReader};

use serde_json::Value;

use crate::support::{fed, run, run_on, sample, stderr, stdout, store, transcript};

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn an_exchange_is_told_while_the_capture_goes_on() {
    let (mut child, pipe) = fed(&["export", "--format", "ndjson", "-"], &sample("good.pcap"));
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || serde_json::from_str::<Value>(&lines.next().unwrap().unwrap()).unwrap();
    assert_eq!(next()["event_type"], "start");
    let exchange = next();
    assert_eq!(
        (&exchange["event_type"], &exchange["type"]),
        (&"exchange".into(), &"Create-Session".into())
    );
    drop(pipe);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_choice_of_sessions_holds_for_every_line() {
    let args = ["export", "--format", "ndjson", "--outcome", "failed", "resumed.pcap", "lost.pcap"];
    let events = lines(&stdout(&run(&args)));
    let of = |kind: &str| events.iter().filter(|event| event["event_type"] == kind).count();
    assert_eq!((of("session"), of("exchange")), (1, 2));
    assert!(events.iter().all(|event| event["client"] != "10.20.0.11:52549"));
}

#[test]
fn formulas_of_the_wire_are_guarded_in_csv() {
    let capture = transcript(
        "> CREATE-SESSION name==cmd|'/c calc'!A1\n  User-Agent: @SUM(1+1)\n< 200 session=1\n",
    );
    let table = stdout(&run_on(&capture, &["export", "--format", "csv", "-"]));
    assert!(table.contains(",'@SUM(1+1),"), "{table}");
    assert!(table.contains(",'=cmd"), "{table}");
    assert!(table.ends_with("\r\n"));
}

#[test]
fn credentials_are_not_exported() {
    let capture = transcript(
        "> CREATE-SESSION\n  Authorization: Basic c2VjcmV0OnNlY3JldA==\n  Cookie: id=c2VjcmV0\n< 200 session=1\n  Set-Cookie: id=c2VjcmV0\n",
    );
    let archive = stdout(&run_on(&capture, &["export", "--format", "har", "-"]));
    assert!(archive.contains("Basic ***"), "{archive}");
    assert!(!archive.contains("c2VjcmV0"), "{archive}");
}

#[test]
fn an_input_is_not_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let path = store(&dir, "a.pcap", &sample("good.pcap"));
    let path = path.to_str().unwrap();
    let output = run(&["export", "--format", "json", "-o", path, path]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("would be overwritten"), "{}", stderr(&output));
    assert_eq!(std::fs::read(path).unwrap(), sample("good.pcap"));
}

#[test]
fn a_file_is_there_when_it_is_whole() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("report.json");
    let name = path.to_str().unwrap();
    assert!(run(&["export", "--format", "json", "-o", name, "good.pcap"]).status.success());
    let report: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!(report["schema"], "bitsleuth.report");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn the_same_capture_gives_the_same_stix() {
    let bundle = || run(&["export", "--format", "stix", "good.pcap"]).stdout;
    assert_eq!(bundle(), bundle());
}
