//! What the tests share: the samples, the program, and reports without frame numbers and times.

pub mod build;
pub mod tls;

use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};

use bitsleuth::capture::{Item, Merge};
use bitsleuth::limits::Limits;
use bitsleuth::{Analysis, Options};
use serde_json::{Value, json};

/// All samples by file name.
pub const SAMPLES: [&str; 7] = [
    "good.pcap",
    "resumed.pcap",
    "refused.pcap",
    "lost.pcap",
    "balanced.pcap",
    "tls13.pcapng",
    "download.pcap",
];

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub fn sample(name: &str) -> Vec<u8> {
    std::fs::read(root().join("samples").join(name)).unwrap()
}

/// The program, run among the samples in an environment that does not depend on the user's.
pub fn bitsleuth() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bitsleuth"));
    for name in
        ["LC_ALL", "LC_CTYPE", "LANG", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "SSLKEYLOGFILE"]
    {
        command.env_remove(name);
    }
    command.current_dir(root().join("samples")).env("TZ", "UTC").stdin(Stdio::null());
    command
}

pub fn run(args: &[&str]) -> Output {
    bitsleuth().args(args).output().unwrap()
}

/// Runs the program with `input` on standard input, which it may leave unread.
pub fn run_on(input: &[u8], args: &[&str]) -> Output {
    let mut command = bitsleuth();
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || pipe.write_all(&input));
    let output = child.wait_with_output().unwrap();
    let written = writer.join().unwrap();
    let broken = |error: std::io::Error| error.kind() == std::io::ErrorKind::BrokenPipe;
    assert!(written.err().is_none_or(broken));
    output
}

/// Starts the program, and writes `input` to its standard input, which stays open.
pub fn fed(args: &[&str], input: &[u8]) -> (Child, ChildStdin) {
    let mut command = bitsleuth();
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    pipe.write_all(input).unwrap();
    (child, pipe)
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// What the program says of a capture that can be read.
pub fn said(args: &[&str], file: &str) -> String {
    let output = run(&[args, &[file]].concat());
    assert!(output.status.code() < Some(2), "{args:?}: {}", stderr(&output));
    String::from_utf8(output.stdout).unwrap_or_else(|_| panic!("{args:?} is not UTF-8"))
}

/// A file that goes away with the directory.
pub fn store(dir: &tempfile::TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = dir.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// The capture that a transcript describes.
pub fn transcript(text: &str) -> Vec<u8> {
    let records: Vec<build::Record> = bitsleuth::transcript::play(text)
        .unwrap()
        .into_iter()
        .map(|record| build::Record {
            nanos: record.at.time.nanos(),
            wire_len: record.data.len() as u32,
            data: record.data,
        })
        .collect();
    build::pcap(&records, build::Order::Little)
}

/// The report on captures given together, whatever state they are in.
pub fn report(files: &[&[u8]]) -> Value {
    let mut merge = Merge::new(Limits::default());
    for (number, bytes) in files.iter().enumerate() {
        let stream = Box::new(Cursor::new(bytes.to_vec()));
        merge.add(&number.to_string(), Some(bytes.len() as u64), stream);
    }
    let mut analysis = Analysis::new(Options { digest: true, ..Options::default() });
    while let Some(item) = merge.next() {
        match item {
            Item::Frame(frame) => analysis.push(&frame, &mut ()),
            Item::Secrets(text) => analysis.keys().add(text),
        }
    }
    serde_json::to_value(analysis.finish(merge.inputs(), &mut ())).unwrap()
}

/// What a report says of its sessions, apart from frame numbers and times.
pub fn facts(report: &Value) -> Value {
    report["sessions"].as_array().unwrap().iter().map(session).collect()
}

fn session(session: &Value) -> Value {
    let fragments: Value = session["fragments"].as_array().unwrap().iter().map(fragment).collect();
    let exchanges = session["exchanges"].as_array().unwrap();
    let types: Value = exchanges.iter().map(|e| e["type"].clone()).collect();
    // What is told by the first bytes of a body.
    let file_types: Value = exchanges.iter().map(|e| e["request"]["file_type"].clone()).collect();
    let pages: Value = exchanges.iter().map(|e| e["response"]["body_start"].clone()).collect();
    json!({
        "id": session["id"],
        "outcome": session["outcome"],
        "outcome_qualifiers": session["outcome_qualifiers"],
        "url": session["url"],
        "negotiation": session["negotiation"],
        "fragments": fragments,
        "bytes_total": session["bytes_total"],
        "bytes_sent": session["bytes_sent"],
        "bytes_unique": session["bytes_unique"],
        "bytes_acknowledged": session["bytes_acknowledged"],
        "sha256": session["file"]["sha256"],
        "types": types,
        "file_types": file_types,
        "pages": pages,
    })
}

fn fragment(fragment: &Value) -> Value {
    json!({
        "start": fragment["start"],
        "end": fragment["end"],
        "total": fragment["total"],
        "http_status": fragment["http_status"],
        "next_offset": fragment["next_offset"],
    })
}
