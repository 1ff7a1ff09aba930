//! Files taken out of captures.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::{report, run, run_on, stderr, stdout, transcript};

/// What is extracted from a conversation: the manifest's entries, and the directory.
fn extract(text: &str, options: &[&str]) -> (Vec<Value>, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().to_str().unwrap();
    let output = run_on(&transcript(text), &[&["extract", "-o", place, "-"], options].concat());
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
    (entries(dir.path()), dir)
}

fn entries(dir: &Path) -> Vec<Value> {
    let text = std::fs::read(dir.join("manifest.json")).unwrap();
    let manifest: Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(manifest["schema"], "bitsleuth.manifest");
    manifest["files"].as_array().unwrap().clone()
}

fn content(dir: &tempfile::TempDir, entry: &Value) -> String {
    let name = entry["name"].as_str().unwrap();
    String::from_utf8(std::fs::read(dir.path().join(name)).unwrap()).unwrap()
}

#[test]
fn a_resumed_upload_is_whole_and_proven() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().to_str().unwrap();
    let shown = stdout(&run(&["extract", "-o", place, "resumed.pcap"]));
    assert!(
        shown.starts_with("whole-proven         40 960 B  upload-0001-1c34c8d4.bin "),
        "{shown}"
    );
    let sha256 = "8f2c142dcc59c6544722d0d849105baa5a1d05f5227c513b26ffbcb324a41bc7";
    assert_eq!(entries(dir.path())[0]["sha256"], sha256);
    assert_eq!(
        std::fs::metadata(dir.path().join("upload-0001-1c34c8d4.bin")).unwrap().len(),
        40960
    );
}

#[test]
fn of_several_captures_the_frames_of_a_file_can_be_looked_up() {
    let dir = tempfile::tempdir().unwrap();
    run(&["extract", "-o", dir.path().to_str().unwrap(), "resumed.pcap", "lost.pcap"]);
    let entries = entries(dir.path());
    assert_eq!(entries[0]["frame_labels"][0], json!(["1:8", "1:17"]));
    assert_eq!(
        (&entries[1]["frames"], &entries[1]["frame_labels"]),
        (&json!([[102, 106]]), &json!([["2:8", "2:12"]]))
    );
}

#[test]
fn nothing_is_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().to_str().unwrap();
    for _ in 0..2 {
        assert!(run(&["extract", "-o", place, "good.pcap"]).status.success());
    }
    let mut names: Vec<_> =
        std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(
        names,
        [
            "manifest-2.json",
            "manifest.json",
            "upload-0001-a0ff5911-2.bin",
            "upload-0001-a0ff5911.bin"
        ]
    );
}

#[test]
fn of_a_file_that_is_left_out_nothing_is_said_to_be_missing() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().to_str().unwrap();
    let shown = stdout(&run(&["extract", "-o", place, "--limit", "10k", "resumed.pcap"]));
    assert!(shown.starts_with("unjudged             40 960 B  –"), "{shown}");
    assert!(shown.contains("not written: longer than the limit of 10000 bytes\n"), "{shown}");
    assert_eq!(entries(dir.path())[0]["proof"], "unjudged");
}

#[test]
fn the_first_accepted_copy_wins() {
    let (entries, dir) = extract(
        "> CREATE-SESSION\n< 200 session=1\n\
         > FRAGMENT 0-3/8\n  | WXYZ\n< 500\n\
         > FRAGMENT 0-3/8\n  | abcd\n< 200 received=4\n\
         > FRAGMENT 2-7/8\n  | cDefgh\n< 200 received=8\n\
         > CLOSE-SESSION\n< 200\n",
        &[],
    );
    assert_eq!(entries[0]["proof"], "conflicting");
    assert_eq!(entries[0]["conflicts"], json!([{"start": 3, "end": 3}]));
    assert_eq!(content(&dir, &entries[0]), "abcdefgh");
}

#[test]
fn a_copy_that_the_server_did_not_keep_does_not_count() {
    let close = "> CLOSE-SESSION\n< 200\n";
    let cases = [
        "> FRAGMENT 0-3/8\n  | WXYZ\n< 200 received=4\n> FRAGMENT 4-7/8\n  | efgh\n< 416 received=0\n\
         > FRAGMENT 0-7/8\n  | abcdefgh\n< 200\n",
        "> FRAGMENT 0-3/8\n  | WXYZ\n< 200 received=0\n> FRAGMENT 0-7/8\n  | abcdefgh\n< 200\n",
        "> FRAGMENT 0-3/8\n  | abYZ\n< 200 received=2\n> FRAGMENT 2-7/8\n  | cdefgh\n< 200\n",
        "> FRAGMENT 0-3/8\n  | abYZ\n< 200 received=2\n> FRAGMENT 2-3/8\n  | YZ\n< 416 received=2\n\
         > FRAGMENT 2-7/8\n  | cdefgh\n< 200\n",
    ];
    for case in cases {
        let text = format!("> CREATE-SESSION\n< 200 session=1\n{case}{close}");
        let (entries, dir) = extract(&text, &[]);
        assert_eq!(content(&dir, &entries[0]), "abcdefgh", "{case}");
        let state = json!([{"start": 0, "end": 7, "state": "acknowledged"}]);
        assert_eq!(entries[0]["coverage"], state, "{case}");
        let report = report(&[&transcript(&text)]);
        let digest = report["sessions"][0]["file"].get("sha256");
        assert_eq!(digest, entries[0].get("sha256"), "{case}");
    }
}

#[test]
fn of_a_copy_without_an_answer_the_server_may_have_bytes_but_the_accepted_one_is_likelier() {
    let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-3/8\n  | WXYZ\n! client resets\n= connection\n\
                > FRAGMENT 0-7/8\n  | abcdefgh\n< 200\n> CLOSE-SESSION\n< 200\n";
    let (entries, dir) = extract(text, &[]);
    assert_eq!(content(&dir, &entries[0]), "abcdefgh");
    assert_eq!(entries[0]["proof"], "conflicting");
    assert_eq!(entries[0]["conflicts"], json!([{"start": 0, "end": 3}]));
    assert_eq!(report(&[&transcript(text)])["sessions"][0]["file"].get("sha256"), None);
}

#[test]
fn what_the_server_took_of_a_fragment_that_it_refused_counts() {
    let (entries, dir) = extract(
        "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-3/8\n  | WXYZ\n< 200 received=4\n\
         > FRAGMENT 4-7/8\n  | WXYZ\n< 416 received=0\n> FRAGMENT 0-3/8\n  | abYZ\n< 416 received=2\n\
         > FRAGMENT 2-7/8\n  | cdefgh\n< 200\n> CLOSE-SESSION\n< 200\n",
        &[],
    );
    assert_eq!(content(&dir, &entries[0]), "abcdefgh");
    assert_eq!(
        (&entries[0]["proof"], &entries[0]["doubts"]),
        (&json!("whole-sent"), &json!(["not-accepted"]))
    );
}

#[test]
fn a_server_that_lost_bytes_may_have_them_again() {
    let (entries, _) = extract(
        "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-3/8\n  | abcd\n< 200 received=4\n\
         > FRAGMENT 4-7/8\n  | efgh\n< 416 received=0\n> FRAGMENT 0-3/8\n  | abcd\n< 416 received=4\n\
         > FRAGMENT 4-7/8\n  | efgh\n< 200\n> CLOSE-SESSION\n< 200\n",
        &[],
    );
    assert_eq!(entries[0]["proof"], "whole-proven");
}

#[test]
fn holes_are_listed_and_the_name_says_partial() {
    let (entries, dir) = extract(
        "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-3/12\n  | abcd\n< 200 received=4\n\
         > FRAGMENT 6-7/12\n  | gh\n",
        &[],
    );
    assert_eq!(entries[0]["proof"], "partial");
    assert!(entries[0]["name"].as_str().unwrap().ends_with(".partial"));
    assert_eq!(entries[0].get("sha256"), None);
    assert_eq!(
        entries[0]["coverage"],
        json!([
            {"start": 0, "end": 3, "state": "acknowledged"},
            {"start": 4, "end": 5, "state": "missing"},
            {"start": 6, "end": 7, "state": "sent"},
            {"start": 8, "end": 11, "state": "missing"},
        ])
    );
    assert_eq!(content(&dir, &entries[0]), "abcd\0\0gh\0\0\0\0");
}

#[test]
fn an_earlier_attempt_fills_the_holes() {
    let text = |second: &str| {
        format!(
            "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-3/8\n  | abcd\n< 200 received=4\n\
             > FRAGMENT 4-7/8\n  | efgh\n< 500 error=0x8020001F context=0x5\n\
             > CREATE-SESSION\n< 200 session=2\n> FRAGMENT 0-5/8\n  | {second}\n< 200 received=6\n"
        )
    };
    let (entries, dir) = extract(&text("abcdef"), &[]);
    let last = entries.last().unwrap();
    assert_eq!((&last["proof"], content(&dir, last).as_str()), (&json!("mixed"), "abcdefgh"));
    let (entries, _) = extract(&text("abcdeX"), &[]);
    assert_eq!(entries.last().unwrap()["proof"], "partial");
}

#[test]
fn the_reply_is_extracted_too() {
    for interim in ["", "< 103 plain\n"] {
        let text = format!(
            "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-3/4\n  | abcd\n\
             < 200 received=4 reply=/BITS-Sessions/Replies/r.xml\n\
             > GET /upload/BITS-Sessions/Replies/r.xml\n{interim}< 200 plain\n  | thanks\n\
             > CLOSE-SESSION\n< 200\n"
        );
        let (entries, dir) = extract(&text, &[]);
        let reply = entries.iter().find(|entry| entry["kind"] == "reply").unwrap();
        let told = (content(&dir, reply), &reply["proof"]);
        assert_eq!(told, ("thanks".to_owned(), &json!("whole-sent")));
        assert!(reply["name"].as_str().unwrap().starts_with("reply-0001"));
    }
}

#[test]
fn names_of_the_wire_stay_in_the_manifest() {
    let (entries, dir) = extract(
        "> CREATE-SESSION name=..\\..\\CON\n< 200 session=../../../etc/passwd\n\
         > FRAGMENT 0-3/4\n  | abcd\n< 200 received=4\n",
        &[],
    );
    assert_eq!(entries[0]["name"], "upload-0001.bin");
    assert_eq!(entries[0]["content_name"], "..\\..\\CON");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
}

#[test]
fn an_absurd_length_makes_no_file() {
    let (entries, dir) = extract(
        "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 9223372036854775803-9223372036854775806/9223372036854775807\n\
         \x20 | abcd\n< 200 received=4\n",
        &[],
    );
    assert_eq!(entries[0].get("name"), None);
    assert!(entries[0]["problem"].is_string(), "{entries:?}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn a_limit_and_a_dry_run_write_nothing() {
    let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-3/4\n  | abcd\n< 200 received=4\n";
    let (entries, dir) = extract(text, &["--limit", "3"]);
    assert_eq!(entries[0]["problem"], "longer than the limit of 3 bytes");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("new");
    let args = ["extract", "--dry-run", "-o", place.to_str().unwrap(), "good.pcap"];
    assert!(stdout(&run(&args)).contains("upload-0001-a0ff5911.bin"));
    assert!(!place.exists());
}

#[cfg(windows)]
#[test]
fn holes_that_take_room_have_a_cap() {
    let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-3/5368709120\n  | abcd\n";
    let (entries, dir) = extract(text, &[]);
    let problem = "5368709116 bytes of it are missing, and there is room for 4294967296";
    assert_eq!(entries[0]["problem"], problem);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}
