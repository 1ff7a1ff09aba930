//! Every value of a report that may be a name is looked for in all that `--redact` prints.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use bitsleuth::capture::{Item, Merge, Reader};
use bitsleuth::export::redact::{self, Pseudonyms};
use bitsleuth::limits::Limits;
use bitsleuth::model::Report;
use bitsleuth::rules::ALL;
use bitsleuth::{Analysis, Options};
use serde_json::Value;

use crate::support::{SAMPLES, bitsleuth, build, root, sample, store, tls, transcript};

/// Keys of what is ours, a time, or a number or GUID of the protocol. What is not listed is a name.
const OURS: [&str; 51] = [
    "advice",
    "answer",
    "answerable",
    "answered_by",
    "bits_upload",
    "cause",
    "challenges",
    "cipher_suite",
    "client_error",
    "client_log",
    "compression",
    "confidence",
    "confirm",
    "content_range",
    "contributing",
    "date",
    "description",
    "ended",
    "error",
    "error_context",
    "failure",
    "findings",
    "first",
    "format",
    "guid",
    "interim_at",
    "ja3",
    "ja4",
    "last",
    "method",
    "method_override",
    "next_offset_raw",
    "negotiation",
    "not_after",
    "not_before",
    "odd",
    "opaque",
    "outcome",
    "outcome_qualifiers",
    "problem",
    "protocol",
    "reply",
    "shape",
    "side",
    "started",
    "summary",
    "supported_protocols",
    "time",
    "verdict",
    "version",
    "versions_offered",
];

/// Keys of what has words of protocols and products in it, and may have names.
const PRODUCTS: [&str; 21] = [
    "accept_encoding",
    "allow",
    "alpn",
    "alpn_offered",
    "authorization",
    "body_start",
    "connection",
    "content_encoding",
    "content_length_raw",
    "content_type",
    "cookies",
    "dav",
    "expect",
    "hops",
    "proxy_authorization",
    "reason",
    "repeated",
    "retry_after",
    "transfer_encoding",
    "user_agent",
    "via",
];

/// Names of fields, parameters, folders and files that everybody uses.
const KNOWN: [&str; 6] = [
    "access_token",
    "authorization",
    "bits-sessions",
    "ccm_incoming",
    "content-name",
    "web.config",
];

const NOTHING: [&str; 0] = [];

/// Types of packets.
const KINDS: [&str; 7] =
    ["create-session", "ping", "fragment", "close-session", "cancel-session", "ack", "unknown"];

/// All names in a report, in lower case.
fn names(report: &Value) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for part in ["captures", "sessions", "attempts", "tls_connections", "lookups"] {
        gather(part, &report[part], &mut all);
    }
    all.retain(|name| name.len() > 3 && !KNOWN.contains(&&**name));
    all.retain(|name| name.bytes().any(|byte| !byte.is_ascii_digit()));
    all
}

fn gather(key: &str, value: &Value, all: &mut BTreeSet<String>) {
    match value {
        _ if OURS.contains(&key) => {}
        Value::Array(values) => values.iter().for_each(|value| gather(key, value, all)),
        Value::Object(fields) => fields.iter().for_each(|(key, value)| gather(key, value, all)),
        Value::String(text) => add(key, text, all),
        _ => {}
    }
}

fn add(key: &str, text: &str, all: &mut BTreeSet<String>) {
    let text = text.to_ascii_lowercase();
    if let Ok(at) = text.parse::<SocketAddr>() {
        all.insert(at.ip().to_string());
    } else if PRODUCTS.contains(&key) || key == "server" {
        all.extend(hosts(&text));
    } else if !(matches!(key, "type" | "packet_type") && KINDS.contains(&&*text)) {
        all.extend(hosts(&text));
        // What stands for itself within a URL or the name of an account.
        let parts = text.split(['/', '\\', '?', '=', '&', ',', ' ', '{', '}']);
        all.extend(parts.filter(|part| part.len() > 11).map(str::to_owned));
        all.insert(text);
    }
}

/// Names with dots and addresses in a text.
fn hosts(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '.' | '-'));
    let host = |word: &&str| {
        let last = word.rsplit_once('.').map(|(_, last)| last);
        word.parse::<IpAddr>().is_ok()
            || last
                .is_some_and(|last| last.len() > 1 && last.bytes().all(|b| b.is_ascii_alphabetic()))
    };
    words.map(|word| word.trim_matches('.')).filter(host).map(str::to_ascii_lowercase)
}

/// Whether a text holds a name that is no part of a longer word.
fn holds(text: &str, name: &str) -> bool {
    let of_word = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    text.match_indices(name).any(|(place, _)| {
        !of_word(text[..place].chars().next_back())
            && !of_word(text[place + name.len()..].chars().next())
    })
}

/// The names that a text holds.
fn found(text: &str, names: &BTreeSet<String>) -> Vec<String> {
    let text = text.to_ascii_lowercase();
    names.iter().filter(|name| holds(&text, name)).cloned().collect()
}

/// All commands that redact, in all their formats.
const COMMANDS: [&[&str]; 17] = [
    &["sessions"],
    &["sessions", "--json", "--digest", "sha256"],
    &["sessions", "--format", "ndjson"],
    &["timeline"],
    &["diagnose", "--verbose"],
    &["diagnose", "--json"],
    &["diagnose", "--format", "sarif"],
    &["report"],
    &["report", "--format", "markdown"],
    &["export", "--format", "json"],
    &["export", "--format", "ndjson"],
    &["export", "--format", "ecs"],
    &["export", "--format", "har"],
    &["export", "--format", "stix"],
    &["export", "--format", "csv"],
    &["export", "--format", "csv", "--table", "fragments"],
    &["export", "--format", "csv", "--table", "findings"],
];

fn printed(folder: &Path, args: &[&str]) -> String {
    let output = bitsleuth().current_dir(folder).args(args).output().unwrap();
    assert_ne!(output.status.code(), Some(2), "{args:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Checks all commands on a file and with further options; gives the names that were looked for.
fn check(folder: &Path, options: &[&str]) -> BTreeSet<String> {
    let plain = printed(folder, &[&["sessions", "--json"], options].concat());
    let names = names(&serde_json::from_str(&plain).unwrap());
    assert!(!names.is_empty());
    for command in COMMANDS {
        let args = [command, &["--redact", "--key", "k"], options].concat();
        let mut text = printed(folder, &args);
        if command.contains(&"sarif") {
            // The rules that it lists have examples.
            let sarif: Value = serde_json::from_str(&text).unwrap();
            text = sarif["runs"][0]["results"].to_string();
        }
        assert_eq!(found(&text, &names), NOTHING, "{args:?}");
    }
    names
}

#[test]
fn no_name_of_a_sample_is_printed() {
    let dir = tempfile::tempdir().unwrap();
    let files = SAMPLES.map(|name| format!("zebra-{name}"));
    files.iter().zip(SAMPLES).for_each(|(file, name)| drop(store(&dir, file, &sample(name))));
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    assert!(check(dir.path(), &files).contains("zebra-good.pcap"));
}

#[test]
fn no_name_of_tls_is_printed_with_keys_without_and_with_wrong_ones() {
    let dir = tempfile::tempdir().unwrap();
    let mut keys = String::new();
    for (number, name) in
        ["openssl-12-host-id-name", "openssl-13-client-cert", "go-12-client-cert-refused"]
            .iter()
            .enumerate()
    {
        let path = root().join(format!("samples/tls/peers/{name}.pcapng"));
        let peer = std::fs::read(path).unwrap();
        keys.extend(tls::secrets(&peer).concat().lines().map(|line| wrong(line) + "\n"));
        store(&dir, &format!("zebra-{number}.pcapng"), &peer);
        store(&dir, &format!("zebra-{number}.pcap"), &without_secrets(&peer));
    }
    store(&dir, "zebra.keys", keys.as_bytes());
    let inside = ["zebra-0.pcapng", "zebra-1.pcapng", "zebra-2.pcapng"];
    let none = ["zebra-0.pcap", "zebra-1.pcap", "zebra-2.pcap"];
    let wrong = [&["--tls-keys", "zebra.keys"], &none[..]].concat();
    for options in [&inside[..], &none, &wrong] {
        let names = check(dir.path(), options);
        assert!(names.contains("bits.example.test"), "{names:?}");
        assert_eq!(names.contains("zebra.keys"), options == wrong);
    }
}

/// The same capture as plain pcap, which has no place for keys.
fn without_secrets(capture: &[u8]) -> Vec<u8> {
    let mut reader = Reader::new(capture, &Limits::default()).unwrap();
    let (mut records, mut link) = (Vec::new(), 0);
    while let Some(item) = reader.next().unwrap() {
        if let Item::Frame(frame) = item {
            link = frame.link.0;
            let (nanos, data) = (frame.at.time.nanos(), frame.data.to_vec());
            records.push(build::Record { nanos, wire_len: frame.wire_len, data });
        }
    }
    build::pcap_of(link, &records, build::Order::Little)
}

/// A line of a key log with another secret.
fn wrong(line: &str) -> String {
    let (front, secret) = line.rsplit_once(' ').unwrap_or(("", line));
    format!("{front} {}", "0".repeat(secret.len()))
}

#[test]
fn a_host_is_the_same_in_all_places() {
    let name = root().join("samples/tls/peers/openssl-12-host-id-name.pcapng");
    let args = ["sessions", "--json", "--redact", "--key", "k", name.to_str().unwrap()];
    let report: Value = serde_json::from_str(&printed(root(), &args)).unwrap();
    let names = Pseudonyms::new(Some("k"));
    let (host, node) = (names.text("bits.example.test"), names.text("node2.example.test"));
    assert_eq!(report["sessions"][0]["server"]["host"], *host);
    assert_eq!(report["sessions"][0]["host_id"], *node);
    let tls = &report["tls_connections"][0];
    assert_eq!(tls["sni"], *node);
    assert_eq!(tls["certificates"][0]["subject"], format!("CN={host}"));
    assert_eq!(tls["certificates"][0]["names"][0], *host);
    let address = names.text("10.0.0.9");
    assert_eq!(tls["server"].as_str().unwrap().split(':').next(), Some(&*address));
    let summary = report["sessions"][0]["diagnosis"]["summary"].as_str().unwrap();
    let told = format!("\"{node}\" speaks TLS");
    assert!(summary.contains(&told), "{summary}");
    let told = format!("the certificate is for \"{host}\", \"{address}\"");
    assert!(summary.contains(&told), "{summary}");
}

/// The report on a capture, to be changed.
fn analysed(capture: &[u8]) -> Report {
    let mut merge = Merge::new(Limits::default());
    merge.add("zebra.pcap", None, Box::new(std::io::Cursor::new(capture.to_vec())));
    let mut analysis = Analysis::new(Options { digest: true, ..Options::default() });
    while let Some(item) = merge.next() {
        if let Item::Frame(frame) = item {
            analysis.push(&frame, &mut ());
        }
    }
    analysis.finish(merge.inputs(), &mut ())
}

#[test]
fn no_name_is_in_what_any_rule_says() {
    let (pseudonyms, mut all) = (Pseudonyms::new(Some("k")), Vec::new());
    for rule in ALL {
        for text in rule.examples("fires").iter().chain(&rule.examples("silent")) {
            let text = format!("= url http://zebra-host.example/zebra-path/zebra-file.dat\n{text}");
            let mut report = analysed(&transcript(&text));
            let mut names = names(&serde_json::to_value(&report).unwrap());
            // A host of that name cannot be told from the word.
            names.remove("server");
            let mut sessions = report.sessions.clone();
            redact::report(&mut report, &pseudonyms);
            sessions.iter_mut().for_each(|session| redact::session(session, &pseudonyms));
            let texts = [serde_json::to_string(&report), serde_json::to_string(&sessions)];
            for told in texts.iter().flat_map(|text| found(text.as_ref().unwrap(), &names)) {
                all.push(format!("{told} on an example of {}", rule.id()));
            }
        }
    }
    assert_eq!(all, NOTHING);
}

#[test]
fn odd_values_are_no_way_out() {
    let text = "\
= url http://zebrahost.zebradomain.example/zebrapath/zebrafile.doc
= client 10.77.66.55
> CREATE-SESSION
  BITS-Packet-Type: Zebra-Kind
  BITS-Supported-Protocols: zebraprotocol
  Content-Name: a\" zebraname \"b
  Authorization: zebratoken
  X-Http-Method-Override: zebramethod
< 405 plain
  Server: zebraserver
  WWW-Authenticate: zebrascheme
  Allow: zebraverb
  Content-Type: text/zebrakind
> FRAGMENT 0-9/20
  Content-Range: bytes zebrafirst-9/20
  + Host: zebraagain.example
< 500 plain
  BITS-Packet-Type: Ack
  + BITS-Packet-Type: Zebra-Second
  BITS-Error-Code: 0x8007zebracode
  BITS-Error-Context: zebracontext
  BITS-Received-Content-Range: zebraoffset
";
    let mut report = analysed(&transcript(text));
    let before = serde_json::to_string(&report).unwrap();
    for told in [
        "zebraname",
        "zebraserver",
        "zebrascheme",
        "Zebra-Kind",
        "zebratoken",
        "zebraverb",
        "zebrakind",
        "zebrafirst",
        "zebracode",
        "zebracontext",
        "zebraoffset",
        "zebraagain",
        "Zebra-Second",
    ] {
        assert!(before.contains(told), "{told} in {before}");
    }
    redact::report(&mut report, &Pseudonyms::new(Some("k")));
    let after = serde_json::to_string(&report).unwrap().to_ascii_lowercase();
    assert!(!after.contains("zebra"), "{after}");
}

#[test]
fn the_name_of_a_proxy_is_no_way_out() {
    let text = "\
= url http://server/upload/a
> CREATE-SESSION proxied
< 200 session=1
  Via: 1.1 zebraproxy.zebradomain.example
> FRAGMENT 0-9/20 proxied
... 2.6 s
! client closes
";
    let mut report = analysed(&transcript(text));
    let summary = |report: &Report| report.sessions[0].diagnosis.clone().unwrap().summary;
    let told = "it was sent to the proxy zebraproxy.zebradomain.example";
    assert!(summary(&report).contains(told), "{}", summary(&report));
    redact::report(&mut report, &Pseudonyms::new(Some("k")));
    let after = serde_json::to_string(&report).unwrap();
    assert!(!after.contains("zebra"), "{after}");
    assert!(summary(&report).contains("it was sent to the proxy "));
    assert!(after.contains("\"hops\":[\"Via: 1.1 "), "{after}");
}
