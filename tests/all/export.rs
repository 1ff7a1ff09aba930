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
fn stix_names_the_frames_of_each_capture() {
    let bundle = stdout(&run(&["export", "--format", "stix", "good.pcap", "lost.pcap"]));
    let bundle: Value = serde_json::from_str(&bundle).unwrap();
    let all = bundle["objects"].as_array().unwrap();
    let told = all.iter().filter_map(|object| object["external_references"].as_array()).flatten();
    let told: Vec<&str> = told.filter_map(|one| one["description"].as_str()).collect();
    assert!(told.contains(&"frames 4 to 14 of lost.pcap"), "{told:?}");
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
    let keys = store(&dir, "keys.log", b"# none\n");
    let keys = keys.to_str().unwrap();
    let output = run(&["export", "--format", "json", "--tls-keys", keys, "-o", keys, path]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(std::fs::read(keys).unwrap(), b"# none\n");
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
fn tables_have_the_words_of_json() {
    let table = stdout(&run(&["export", "--format", "csv", "lost.pcap"]));
    assert!(table.contains(",session-not-found,bits-server,"), "{table}");
}

#[test]
fn the_same_capture_gives_the_same_stix() {
    let bundle = || run(&["export", "--format", "stix", "good.pcap"]).stdout;
    assert_eq!(bundle(), bundle());
}

/// Frame 8 of the second capture, wherever a format tells of it.
#[test]
fn of_several_captures_each_frame_can_be_looked_up() {
    let both = ["resumed.pcap", "lost.pcap"];
    let export = |args: &[&str]| stdout(&run(&[&["export", "--format"], args, &both].concat()));
    let table = export(&["csv", "--table", "fragments"]);
    let ends = ",10.20.0.11,10.20.0.80,80";
    assert!(table.ends_with(&format!(",102,108,2:8,2:14{ends},lost.pcap\r\n")), "{table}");
    assert!(table.contains(&format!(",8,18,1:8,1:18{ends},resumed.pcap\r\n")), "{table}");
    let findings = export(&["csv", "--table", "findings"]);
    assert!(
        findings.contains(",102 108,") && findings.contains(",2:8 2:14,lost.pcap\r\n"),
        "{findings}"
    );
    assert!(export(&["csv"]).ends_with(",2:14,lost.pcap,lost.pcap\r\n"));
    let ecs = export(&["ecs"]);
    assert!(ecs.contains(r#""request":102,"request_label":"2:8","response":108"#), "{ecs}");
    assert!(ecs.contains(r#""frame_labels":["2:8","2:14"]"#), "{ecs}");
    for event in lines(&ecs) {
        let file = if event["client"]["port"] == 51787 { "lost.pcap" } else { "resumed.pcap" };
        assert_eq!(event["log"]["file"]["path"], file, "{event}");
    }
    let har = export(&["har"]);
    assert!(har.contains(r#""request_frame_labels":["2:8","2:12"]"#), "{har}");
    assert!(har.contains(r#""captures":["resumed.pcap","lost.pcap"]"#), "{har}");
    let report = export(&["json"]);
    assert!(report.contains("\"frame_labels\": [\n            \"2:8\","), "{report}");
    let exchanges = stdout(&run(&["http", "--format", "ndjson", "resumed.pcap", "lost.pcap"]));
    assert!(exchanges.contains(
        r#""frame":102,"time":"2026-11-23T02:35:01.183860Z","capture":1,"capture_frame":8"#
    ));
}

#[test]
fn texts_tell_which_capture_a_label_means() {
    for args in [&["timeline"][..], &["diagnose"], &["report", "--format", "markdown"]] {
        let text = stdout(&run(&[args, &["good.pcap", "resumed.pcap", "lost.pcap"]].concat()));
        for told in ["capture 2: resumed.pcap", "capture 3: lost.pcap"] {
            assert!(text.contains(told), "{told}\n{text}");
        }
        assert!(!stdout(&run(&[args, &["lost.pcap"]].concat())).contains("capture 1"));
        let named = stdout(&run(&[args, &["--redact", "good.pcap", "lost.pcap"]].concat()));
        assert!(!named.contains("capture 2: "), "{named}");
    }
    let table = stdout(&run(&["sessions", "good.pcap", "resumed.pcap", "lost.pcap"]));
    let end = "\n\ncapture 1: good.pcap\ncapture 2: resumed.pcap\ncapture 3: lost.pcap\n";
    assert!(table.ends_with(end), "{table}");
}

#[test]
fn without_a_host_there_is_the_path() {
    let capture = transcript("> CREATE-SESSION\n  Host:\n< 200 session=1\n");
    let events = lines(&stdout(&run_on(&capture, &["export", "--format", "ecs", "-"])));
    let path = &events[0]["url"]["path"];
    assert!(path.as_str().unwrap().starts_with('/'), "{events:?}");
    assert!(events.iter().all(|event| event["url"].as_object().is_none_or(|url| url.len() == 1)));
}

#[test]
fn an_archive_counts_the_responses_that_it_cannot_hold() {
    let capture = transcript("= sees server\n> CREATE-SESSION\n< 200 session=1\n");
    let archive = stdout(&run_on(&capture, &["export", "--format", "har", "-"]));
    let archive: Value = serde_json::from_str(&archive).unwrap();
    assert_eq!(archive["log"]["entries"].as_array().unwrap().len(), 0);
    assert_eq!(archive["log"]["pages"][0]["_bits"]["responses_without_request"], 1);
}

#[test]
fn no_format_has_a_time_that_ends_before_it_begins() {
    let capture =
        transcript("> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/10\n... -5 s\n< 200\n");
    let events = lines(&stdout(&run_on(&capture, &["export", "--format", "ecs", "-"])));
    let time = |event: &Value, name: &str| event["event"][name].as_str().map(str::to_owned);
    assert!(events.iter().all(|event| time(event, "start") <= time(event, "end")), "{events:?}");
    let archive = stdout(&run_on(&capture, &["export", "--format", "har", "-"]));
    let archive: Value = serde_json::from_str(&archive).unwrap();
    assert!(archive["log"]["pages"][0]["pageTimings"]["onLoad"].as_f64() > Some(0.0));
}

#[test]
fn of_one_capture_a_number_is_enough() {
    for format in ["ecs", "har", "json", "ndjson"] {
        let text = stdout(&run(&["export", "--format", format, "lost.pcap"]));
        assert!(!text.contains("label"), "{text}");
    }
}
