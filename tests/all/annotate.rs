//! Captures with comments; what tshark makes of them is in `tests/readers.sh`.

use std::path::Path;

use bitsleuth::capture::{Item, Reader};
use bitsleuth::limits::Limits;

use crate::support::{build, run, run_on, sample, stderr, store};

struct Read {
    frames: Vec<(i64, u32, Vec<u8>)>,
    comments: Vec<(u64, String)>,
    secrets: usize,
}

fn read(bytes: &[u8]) -> Read {
    let mut reader = Reader::new(bytes, &Limits::default()).unwrap();
    let mut read = Read { frames: Vec::new(), comments: Vec::new(), secrets: 0 };
    while let Some(item) = reader.next().unwrap() {
        match item {
            Item::Frame(frame) => {
                read.frames.push((frame.at.time.nanos(), frame.wire_len, frame.data.to_vec()));
                read.comments.extend(frame.comment.map(|text| (frame.at.frame, text.to_owned())));
            }
            Item::Secrets(_) => read.secrets += 1,
        }
    }
    read
}

fn annotate(path: &Path, options: &[&str]) -> Vec<u8> {
    let args = [&["annotate", "-o", "-", path.to_str().unwrap()], options].concat();
    let output = run(&args);
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
    output.stdout
}

#[test]
fn packets_stay_and_messages_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let before = sample("refused.pcap");
    let after = annotate(&store(&dir, "a.pcap", &before), &[]);
    let (before, after) = (read(&before), read(&after));
    assert_eq!(before.frames, after.frames);
    let texts: Vec<&str> = after.comments.iter().map(|(_, text)| text.as_str()).collect();
    assert!(texts[0].starts_with("BITS Create-Session: offers "), "{texts:?}");
    assert!(texts[1].starts_with("BITS Ack 400 to Create-Session: "), "{texts:?}");
}

#[test]
fn secrets_are_kept_and_used() {
    let before = sample("tls13.pcapng");
    let output = run_on(&before, &["annotate", "-", "-o", "-"]);
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
    let (before, after) = (read(&before), read(&output.stdout));
    assert_eq!((before.frames, before.secrets), (after.frames, after.secrets));
    assert!(after.comments[0].1.starts_with("BITS Create-Session"));
}

#[test]
fn either_endianness_can_be_annotated() {
    let records = build::records(&sample("good.pcap"));
    let dir = tempfile::tempdir().unwrap();
    let comments = |order| {
        let capture = build::pcapng(&records, order);
        read(&annotate(&store(&dir, "a.pcapng", &capture), &[])).comments
    };
    let (little, big) = (comments(build::Order::Little), comments(build::Order::Big));
    assert_eq!(little, big);
    assert!(little.len() > 5, "{little:?}");
}

#[test]
fn other_connections_can_be_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let (good, download) = (sample("good.pcap"), sample("download.pcap"));
    let all = [build::records(&download), build::records(&good)].concat();
    let path = store(&dir, "both.pcap", &build::pcap(&all, build::Order::Little));
    let (whole, cut) = (read(&annotate(&path, &[])), read(&annotate(&path, &["--only-bits"])));
    assert_eq!(whole.frames.len(), all.len());
    assert_eq!(cut.frames, read(&good).frames);
}

/// The snap length that a capture states.
fn snaplen(bytes: &[u8]) -> Option<u32> {
    let mut reader = Reader::new(bytes, &Limits::default()).unwrap();
    while reader.next().unwrap().is_some() {}
    reader.snaplen()
}

#[test]
fn the_snap_length_is_kept_where_no_frame_is_longer() {
    let dir = tempfile::tempdir().unwrap();
    for (stated, expected) in [(20_000_u32, Some(20_000)), (60, None)] {
        let mut before = sample("good.pcap");
        before[16..20].copy_from_slice(&stated.to_le_bytes());
        assert_eq!(snaplen(&annotate(&store(&dir, "a.pcap", &before), &[])), expected);
        let redacted = run_on(&before, &["redact", "-", "-o", "-"]).stdout;
        assert_eq!(snaplen(&redacted), expected);
    }
}

#[test]
fn the_input_is_not_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let path = store(&dir, "a.pcap", &sample("good.pcap"));
    let name = path.to_str().unwrap();
    let output = run(&["annotate", name, "-o", name]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(std::fs::read(&path).unwrap(), sample("good.pcap"));
}
