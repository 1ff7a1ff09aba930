//! Compressed captures that are damaged: what could be read is used, and said to be in doubt.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use serde_json::Value;

use crate::support::{run, sample, stderr, store};

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

/// A sample whose checksum, eight bytes ahead of the end, does not fit.
fn wrong(name: &str) -> Vec<u8> {
    let mut packed = gzip(&sample(name));
    let at = packed.len() - 8;
    packed[at] ^= 1;
    packed
}

/// What each command that reads `bytes` says, and whether it wrote a file.
fn each(bytes: &[u8], status: i32) -> Vec<(String, bool)> {
    let dir = tempfile::tempdir().unwrap();
    let capture = store(&dir, "x.gz", bytes);
    let (capture, output) = (capture.to_str().unwrap(), dir.path().join("out"));
    let to = output.to_str().unwrap();
    let commands = [
        &["sessions", capture][..],
        &["annotate", capture, "-o", to],
        &["redact", capture, "-o", to],
    ];
    let said = commands.map(|args| {
        let done = run(args);
        assert_eq!(done.status.code(), Some(status), "{args:?}: {}", stderr(&done));
        let said = stderr(&done).replace(capture, "x.gz");
        (said, std::fs::remove_file(&output).is_ok())
    });
    said.to_vec()
}

#[test]
fn where_only_the_checksum_is_wrong_all_commands_use_what_was_read() {
    let [sessions, annotate, redact] = each(&wrong("resumed.pcap"), 0).try_into().unwrap();
    let len = sample("resumed.pcap").len();
    let complaint = format!(
        "bitsleuth: x.gz: damaged: the checksum of gzip does not fit, so the {len} bytes unpacked before it may be wrong\n"
    );
    assert_eq!((sessions.0, &annotate.0, annotate.1), (complaint.clone(), &complaint, true));
    assert!(redact.0.starts_with(&complaint) && redact.1, "{}", redact.0);
}

#[test]
fn a_file_out_of_what_may_be_wrong_is_not_proven() {
    let dir = tempfile::tempdir().unwrap();
    let capture = store(&dir, "x.gz", &wrong("resumed.pcap"));
    let out = dir.path().join("out");
    let args = ["extract", "-o", out.to_str().unwrap(), capture.to_str().unwrap(), "lost.pcap"];
    assert_eq!(run(&args).status.code(), Some(0));
    let manifest = std::fs::read(out.join("manifest.json")).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let [damaged, other] = &manifest["files"].as_array().unwrap()[..] else { panic!() };
    assert_eq!(
        (&damaged["proof"], &damaged["doubts"][0]),
        (&"whole-sent".into(), &"capture-corrupt".into())
    );
    assert!(!other["doubts"].as_array().unwrap().contains(&"capture-corrupt".into()));
    assert_eq!(manifest["captures"][0]["corrupt"], true);
    assert!(manifest["captures"][1].get("corrupt").is_none());
}

#[test]
fn what_follows_a_whole_stream_is_told_from_a_frame_that_is_cut() {
    let packed = [&gzip(&sample("resumed.pcap"))[..], b"garbage\n"].concat();
    for (said, _) in each(&packed, 0) {
        let expected = "bitsleuth: x.gz: compressed, and cut off or followed by something else behind frame 94, ";
        assert!(said.starts_with(expected), "{said}");
    }
}

#[test]
fn of_what_is_cut_off_within_its_head_there_is_nothing_to_read() {
    let head = &sample("resumed.pcap")[..10];
    for bytes in [head, &head[..3]] {
        for (said, written) in each(bytes, 2) {
            assert_eq!((said.lines().count(), written), (1, false), "{said}");
        }
    }
}
