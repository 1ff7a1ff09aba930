//! Whatever bytes the wire has, no output lets them act: each is tried with a capture that tries it.

use crate::support::{said, store, transcript};

/// Every marker is replaced by hostile bytes of the same length.
const TALK: &str = "\
= url http://server/upload/TARGET....-a.bin
> CREATE-SESSION
  User-Agent: AGENT..............
  Content-Name: NAME........................
< 200 session=1
  Server: SERVER...
> FRAGMENT 0-9/10
< 200
> CLOSE-SESSION
< 500 plain
  Server: LAST................
  | BODY.......................
";

const REPLACED: [(&str, &[u8]); 6] = [
    ("AGENT..............", b"\x1b]0;title\x07\x1b[2J\x9b1m"),
    ("NAME........................", b"=cmd|'/c calc'!A0\xe2\x80\xaegnp.exe\xff"),
    ("SERVER...", b"\xe2\x81\xa6\xc2\x9b2J\x7f"),
    ("LAST................", b"<script>1;</script>\""),
    ("BODY.......................", b"<img src=x onerror=alert(1)>"),
    ("TARGET....", b"\x1b[31m\xff\xe2\x80\xae"),
];

fn hostile(dir: &tempfile::TempDir) -> String {
    let mut bytes = transcript(TALK);
    for (marker, with) in REPLACED {
        let marker = &marker.as_bytes()[..with.len().min(marker.len())];
        let with = &with[..marker.len()];
        let places: Vec<usize> =
            (0..bytes.len() - with.len()).filter(|at| bytes[*at..].starts_with(marker)).collect();
        assert!(!places.is_empty(), "{marker:?} is not in the capture");
        places.iter().for_each(|at| bytes[*at..*at + with.len()].copy_from_slice(with));
    }
    store(dir, "hostile.pcap", &bytes).to_str().unwrap().to_owned()
}

const TEXTS: [&[&str]; 8] = [
    &["timeline"],
    &["timeline", "--color", "never", "--ascii"],
    &["sessions"],
    &["diagnose", "-v"],
    &["http"],
    &["report", "--format", "markdown"],
    &["report"],
    &["export", "--format", "csv"],
];

const JSONS: [&[&str]; 8] = [
    &["sessions", "--json"],
    &["sessions", "--format", "ndjson"],
    &["diagnose", "--json"],
    &["diagnose", "--format", "sarif"],
    &["http", "--format", "ndjson"],
    &["export", "--format", "ecs"],
    &["export", "--format", "har"],
    &["export", "--format", "stix"],
];

/// Controls but line ends and tabs, and what turns the direction of text.
fn acts(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\r' | '\t')
        || matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[test]
fn no_output_operates_the_terminal() {
    let dir = tempfile::tempdir().unwrap();
    let file = hostile(&dir);
    for args in TEXTS.iter().chain(&JSONS) {
        let text = said(args, &file);
        assert!(text.len() > 20, "{args:?} says nothing");
        let found = text.find(acts);
        assert_eq!(found.map(|at| text[at..].chars().next()), None, "{args:?}");
    }
}

#[test]
fn every_document_of_json_can_be_read() {
    let dir = tempfile::tempdir().unwrap();
    let file = hostile(&dir);
    for args in JSONS {
        let text = said(args, &file);
        let documents = serde_json::Deserializer::from_str(&text).into_iter::<serde_json::Value>();
        assert!(documents.map(Result::unwrap).count() > 0, "{args:?}");
    }
}

#[test]
fn the_page_holds_no_markup_of_the_wire() {
    let dir = tempfile::tempdir().unwrap();
    let page = said(&["report"], &hostile(&dir));
    assert!(page.contains("&lt;script&gt;"), "the server is named");
    assert!(!page.contains("<script>1;") && !page.contains("<img src=x"));
}

#[test]
fn no_cell_begins_as_a_formula() {
    let dir = tempfile::tempdir().unwrap();
    let table = said(&["export", "--format", "csv"], &hostile(&dir));
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    for record in reader.records() {
        let record = record.unwrap();
        assert!(!record.iter().any(|cell| cell.starts_with(['=', '@', '\t', '\r'])), "{record:?}");
    }
}

/// The bytes that text with `\\xNN` stands for.
fn bytes(text: &str) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::new(), text);
    while let Some(c) = rest.chars().next() {
        let code = rest.strip_prefix("\\x").and_then(|rest| rest.get(..2));
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                rest = &rest[4..];
            }
            None => {
                out.extend(c.to_string().bytes());
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    out
}

#[test]
fn bytes_that_are_no_text_can_be_had_back() {
    let dir = tempfile::tempdir().unwrap();
    let report: serde_json::Value =
        serde_json::from_str(&said(&["sessions", "--json"], &hostile(&dir))).unwrap();
    let name = report["sessions"][0]["content_name"].as_str().unwrap();
    assert_eq!(bytes(name), b"=cmd|'/c calc'!A0\xe2\x80\xaegnp.exe\xff");
    for original in
        [&b"a\\xFF\xff"[..], b"\\x5C", b"\\x\xff", b"C:\\dir\\xyz", "\u{202e}é".as_bytes()]
    {
        assert_eq!(bytes(&bitsleuth::bits::decode::text(original)), original);
    }
}
