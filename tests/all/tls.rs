//! Captures with TLS, and what the same conversations are without it.

use std::path::PathBuf;

use bitsleuth::capture::{Item, Reader};
use bitsleuth::http::Event;
use bitsleuth::limits::Limits;
use bitsleuth::observe::Observer;
use bitsleuth::stream::{Connection, Side};
use bitsleuth::tls::{Facts, KeyLog, Likelihood, Opaque, Traffic};
use bitsleuth::{Analysis, Options};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::packed::gzip;
use crate::support::build::{self, Order, Record, pcap};
use crate::support::tls::{Plain, decrypt, decrypt_some, in_tls, secrets};
use crate::support::{bitsleuth, report, root, run_on, sample, stderr, transcript};

/// A report without what TLS, lengths and the form of the file change.
fn bare(mut report: Value) -> Value {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(map) => {
                for key in ["tls", "tls_connections", "captures"] {
                    map.remove(key);
                }
                map.values_mut().for_each(strip);
            }
            Value::Array(list) => {
                list.retain(|value| !is_about_the_wire(value));
                list.iter_mut().for_each(strip);
            }
            Value::String(text) => *text = text.replace("https://", "http://"),
            _ => {}
        }
    }
    strip(&mut report);
    report
}

/// Whether a value is a finding about what TLS changes: segments, the lack of encryption.
fn is_about_the_wire(value: &Value) -> bool {
    ["nic-offload-artifacts", "cleartext-sensitive"].iter().any(|rule| value["rule"] == *rule)
}

/// Where two values differ.
fn differences(one: &Value, two: &Value, at: &str) -> Vec<String> {
    match (one, two) {
        (Value::Object(a), Value::Object(b)) => {
            let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
            keys.flat_map(|key| differences(&one[key], &two[key], &format!("{at}.{key}"))).collect()
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let pairs = a.iter().zip(b).enumerate();
            pairs.flat_map(|(n, (a, b))| differences(a, b, &format!("{at}[{n}]"))).collect()
        }
        _ if one == two => Vec::new(),
        _ => vec![format!("{at}: {one} is not {two}")],
    }
}

/// What the program reports of a capture with a key log beside it.
fn report_with(keys: &str, records: &[Record]) -> Value {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("keys"), keys).unwrap();
    std::fs::write(dir.path().join("tls.pcap"), pcap(records, Order::Little)).unwrap();
    let output = bitsleuth()
        .current_dir(dir.path())
        .args(["sessions", "--json", "--digest", "sha256", "--tls-keys", "keys", "tls.pcap"])
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn conversation_is_the_same_with_and_without_tls() {
    for name in ["good.pcap", "resumed.pcap", "refused.pcap", "balanced.pcap"] {
        let (plain, sealed, keys) = in_tls(&build::records(&sample(name)));
        let plain = report(&[&pcap(&plain, Order::Little)]);
        let tls = report_with(&keys, &sealed);
        assert!(!tls["tls_connections"].as_array().unwrap().is_empty(), "{name}");
        assert!(!plain["sessions"].as_array().unwrap().is_empty(), "{name}");
        assert_eq!(differences(&bare(tls), &bare(plain), name), Vec::<String>::new());
    }
}

/// Frames in which requests and their answers begin.
fn pairs(report: &Value) -> Vec<(Value, Value)> {
    let sessions = report["sessions"].as_array().unwrap();
    let exchanges = sessions.iter().flat_map(|session| session["exchanges"].as_array().unwrap());
    let first = |message: &Value| message["first_frame"].clone();
    exchanges.map(|exchange| (first(&exchange["request"]), first(&exchange["response"]))).collect()
}

#[test]
fn burst_of_loss_shifts_no_answer() {
    let (plain, sealed, keys) = in_tls(&build::records(&sample("resumed.pcap")));
    // Behind these frames comes another connection, whose hellos must be there.
    for (start, len) in (8..29).flat_map(|start| (2..6).map(move |len| (start, len))) {
        let lossy = |records: &[Record]| {
            let behind = records.iter().skip(start + len);
            records.iter().take(start).chain(behind).cloned().collect::<Vec<_>>()
        };
        let expected = pairs(&report(&[&pcap(&lossy(&plain), Order::Little)]));
        let found = pairs(&report_with(&keys, &lossy(&sealed)));
        assert_eq!(found, expected, "without {len} frames behind {start}");
    }
}

/// The captures of `tests/tls/make.py`: those kept as samples, or all in the folder that the environment names.
fn peers() -> PathBuf {
    let folder = std::env::var_os("BITSLEUTH_TLS_CAPTURES").map(PathBuf::from);
    folder.unwrap_or_else(|| root().join("samples/tls/peers"))
}

fn peer(name: &str) -> Vec<u8> {
    std::fs::read(peers().join(format!("{name}.pcapng"))).unwrap()
}

/// What tshark made of each: name, suite, then length and SHA-256 of what the client said, and of what the server said.
fn told() -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(peers().join("plaintext.tsv")).unwrap();
    text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

fn lengths_and_digests(plain: &Plain) -> Vec<String> {
    let side = |bytes: &Vec<u8>| {
        let digest: String = Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect();
        [bytes.len().to_string(), digest]
    };
    [side(&plain.client), side(&plain.server)].concat()
}

fn rsa_key() -> KeyLog {
    let mut keys = KeyLog::default();
    keys.add_rsa_key(&std::fs::read(peers().join("server.key")).unwrap()).unwrap();
    keys
}

#[test]
fn plaintext_is_that_of_tshark() {
    let told = told();
    assert!(told.len() > 20);
    for row in told {
        let plain = decrypt(&peer(&row[0]), KeyLog::default(), true);
        assert_eq!(lengths_and_digests(&plain), row[2..], "{}: {:?}", row[0], plain.facts);
        assert!(plain.facts.iter().all(|facts| facts.decrypted && facts.misfit.is_none()));
        assert!(plain.facts.iter().all(|f| f.from_client.failed + f.from_server.failed == 0));
    }
}

#[test]
fn program_finds_keys_behind_the_packets() {
    let path = peers().join("openssl-13-keys-last.pcapng");
    let output = bitsleuth().args(["sessions", "--json"]).arg(path).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["sessions"][0]["outcome"], "completed");
}

/// What the program reports of a capture that it can read only once.
fn report_at_once(capture: &[u8]) -> Value {
    let output = run_on(capture, &["sessions", "--json", "--digest", "sha256", "-"]);
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The conversation of a sample in TLS, its key log in a block behind the record before `place`.
fn with_secrets_at(place: usize, sealed: &[Record], keys: &str) -> Vec<u8> {
    let head = build::pcapng(&[], Order::Little);
    let [before, behind] = [&sealed[..place], &sealed[place..]]
        .map(|records| build::pcapng(records, Order::Little)[head.len()..].to_vec());
    [head, before, build::secrets(keys, Order::Little), behind].concat()
}

#[test]
fn keys_may_come_behind_all_packets_of_what_is_read_once() {
    for name in ["good.pcap", "resumed.pcap", "balanced.pcap", "refused.pcap"] {
        let (_, sealed, keys) = in_tls(&build::records(&sample(name)));
        let expected = bare(report_with(&keys, &sealed));
        let capture = with_secrets_at(sealed.len(), &sealed, &keys);
        for once in [capture.clone(), gzip(&capture)] {
            let found = bare(report_at_once(&once));
            assert_eq!(differences(&found, &expected, name), Vec::<String>::new());
        }
    }
}

#[test]
fn keys_may_come_anywhere_in_what_is_read_once() {
    let (_, sealed, keys) = in_tls(&build::records(&sample("resumed.pcap")));
    let expected = bare(report_with(&keys, &sealed));
    for place in 0..sealed.len() {
        let found = bare(report(&[&with_secrets_at(place, &sealed, &keys)]));
        assert_eq!(differences(&found, &expected, &place.to_string()), Vec::<String>::new());
    }
}

/// Connections in the order in which they speak and end, an end as its negative.
#[derive(Default)]
struct Told(Vec<i64>);

impl Observer for Told {
    fn http(&mut self, connection: &Connection, _event: &Event<'_>) {
        self.0.push(connection.id as i64);
    }

    fn closed(&mut self, connection: &Connection) {
        self.0.push(-(connection.id as i64));
    }
}

#[test]
fn what_a_connection_said_is_told_before_its_end_however_late_the_keys() {
    let (_, sealed, keys) = in_tls(&build::records(&sample("resumed.pcap")));
    let capture = with_secrets_at(sealed.len(), &sealed, &keys);
    let mut reader = Reader::new(&capture[..], &Limits::default()).unwrap();
    let (mut analysis, mut order) = (Analysis::new(Options::default()), Told::default());
    while let Some(item) = reader.next().unwrap() {
        match item {
            Item::Frame(frame) => analysis.push(&frame, &mut order),
            Item::Secrets(text) => analysis.keys().add(text),
        }
    }
    assert!(order.0.is_empty());
    analysis.finish(Vec::new(), &mut order);
    order.0.dedup();
    assert_eq!(order.0, [1, -1, 2, -2]);
}

#[test]
fn program_takes_the_rsa_key_of_a_server() {
    let said = |command: &[&str], name: &str, key: &str| {
        let capture = peer(name);
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("x.pcapng"), without_secrets(&capture)).unwrap();
        let mut program = bitsleuth();
        program.args(command).arg("--tls-rsa-key").arg(peers().join(key));
        program.arg(dir.path().join("x.pcapng")).output().unwrap()
    };
    let report = |name: &str, key: &str| said(&["sessions", "--json"], name, key);
    let output = report("openssl-12-rsa-gcm128", "server.key");
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["sessions"][0]["outcome"], "completed");
    let output = said(&["annotate", "-o", "-"], "openssl-12-rsa-gcm128", "server.key");
    assert!(String::from_utf8_lossy(&output.stdout).contains("BITS Create-Session"));
    let output = report("openssl-12-rsa-gcm128", "plaintext.tsv");
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("no private key in PEM form"), "{}", stderr(&output));
}

/// A pcapng file of little-endian blocks without those that hold secrets.
fn without_secrets(mut capture: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    while !capture.is_empty() {
        let len = u32::from_le_bytes(capture[4..8].try_into().unwrap()) as usize;
        if capture[..4] != [10, 0, 0, 0] {
            out.extend(&capture[..len]);
        }
        capture = &capture[len..];
    }
    out
}

#[test]
fn rsa_key_of_the_server_opens_static_rsa() {
    let mut seen = 0;
    for row in told().iter().filter(|row| row[1].starts_with("AES")) {
        let plain = decrypt(&peer(&row[0]), rsa_key(), false);
        assert_eq!(lengths_and_digests(&plain), row[2..], "{}: {:?}", row[0], plain.facts);
        seen += 1;
    }
    assert!(seen > 5);
}

#[test]
fn rsa_key_does_not_open_what_has_forward_secrecy() {
    let row = told().into_iter().find(|row| row[1].starts_with("ECDHE")).unwrap();
    let plain = decrypt(&peer(&row[0]), rsa_key(), false);
    assert_eq!((plain.client.len(), plain.facts[0].opaque), (0, Some(Opaque::NoKeys)));
}

fn facts(name: &str) -> Vec<Facts> {
    decrypt(&peer(name), KeyLog::default(), true).facts
}

#[test]
fn client_certificates_inside_encrypted_handshakes_are_facts() {
    for name in
        ["openssl-13-client-cert", "openssl-12-client-cert", "gnutls-12-renegotiation-client-cert"]
    {
        let [facts] = &facts(name)[..] else { panic!("{name}") };
        assert!(facts.client_certificate_requested, "{name}");
        assert_eq!(facts.client_certificate_sent, Some(true), "{name}");
        assert_eq!(facts.client_certificates[0].subject, "CN=bits.example.test");
        assert!(facts.client_certificates[0].is_for("10.0.0.9"));
    }
    let closed = decrypt(&peer("openssl-13-client-cert"), KeyLog::default(), false).facts;
    assert!(!closed[0].client_certificate_requested && closed[0].certificates.is_empty());
}

#[test]
fn alerts_inside_encrypted_handshakes_are_facts() {
    let [facts] = &facts("go-13-client-cert-refused")[..] else { panic!() };
    assert_eq!(facts.client_certificate_sent, Some(false));
    let [alert] = &facts.alerts[..] else { panic!("{:?}", facts.alerts) };
    assert_eq!((alert.description.as_str(), alert.fatal), ("bad_certificate", true));
    assert!(!alert.from_client);
}

#[test]
fn renegotiation_and_resumption_are_facts() {
    assert_eq!(facts("gnutls-12-renegotiation-rsa-cbc-sha")[0].handshakes, 2);
    for name in ["openssl-12-resume-id", "go-12-resume-ticket", "rustls-13-resume-psk"] {
        let facts = facts(name);
        assert_eq!((facts[0].resumed, facts[1].resumed), (false, true), "{name}");
    }
    assert!(facts("gnutls-13-hello-retry")[0].hello_retry);
}

#[test]
fn traffic_is_the_same_with_and_without_keys() {
    for row in told() {
        let (open, closed) = (
            decrypt(&peer(&row[0]), KeyLog::default(), true).facts,
            decrypt(&peer(&row[0]), KeyLog::default(), false).facts,
        );
        for (open, closed) in open.iter().zip(&closed) {
            assert_eq!(closed.opaque, Some(Opaque::NoKeys), "{}", row[0]);
            let counted =
                |traffic: Traffic| Traffic { decrypted_bytes: 0, unread: true, ..traffic };
            assert_eq!(counted(open.from_client), closed.from_client);
            assert_eq!(counted(open.from_server), closed.from_server);
            assert_eq!((&open.ja4, open.shape), (&closed.ja4, closed.shape));
            assert!(open.shape.unwrap().bits_upload <= Likelihood::Possible);
        }
    }
}

/// The key log of a recorded connection with the last digit of some secrets changed.
fn spoilt_lines(label: &str) -> Vec<String> {
    let text = secrets(&peer("openssl-13-gcm128")).concat();
    let spoil = |line: &str| match line.strip_suffix(['0', '1']) {
        _ if !line.starts_with(label) => line.to_owned(),
        Some(line) => format!("{line}2"),
        None => format!("{}0", &line[..line.len() - 1]),
    };
    text.lines().map(spoil).collect()
}

fn spoilt(label: &str) -> KeyLog {
    let mut keys = KeyLog::default();
    keys.add_from("keys.log", spoilt_lines(label).join("\n").as_bytes());
    keys
}

#[test]
fn line_of_the_key_log_that_does_not_fit_is_named() {
    let capture = peer("openssl-13-gcm128");
    for label in ["SERVER_HANDSHAKE_TRAFFIC_SECRET", "CLIENT_TRAFFIC_SECRET_0"] {
        let keys = spoilt(label);
        let number =
            secrets(&capture)[0].lines().position(|line| line.starts_with(label)).unwrap() + 1;
        let plain = decrypt(&capture, keys, false);
        let misfit = plain.facts[0].misfit.clone().unwrap();
        assert_eq!((misfit.source.as_str(), misfit.line as usize), ("keys.log", number), "{label}");
    }
    assert!(decrypt(&capture, spoilt("EXPORTER"), false).facts[0].misfit.is_none());
}

#[test]
fn misfit_of_one_direction_leaves_the_other_readable() {
    let capture = peer("openssl-13-gcm128");
    let whole = decrypt(&capture, KeyLog::default(), true);
    let half = decrypt(&capture, spoilt("CLIENT_TRAFFIC_SECRET_0"), false);
    assert_eq!(half.server, whole.server);
    assert!(half.client.iter().all(|&b| b == b'~') && !half.client.is_empty());
}

/// The report of a recorded connection of which only some lines of the key log are known.
fn report_by(name: &str, known: impl Fn(&str) -> bool) -> Value {
    let (dir, capture) = (tempfile::tempdir().unwrap(), peer(name));
    let text = secrets(&capture).concat();
    let lines: Vec<&str> = text.lines().filter(|line| known(line)).collect();
    std::fs::write(dir.path().join("keys"), lines.join("\n")).unwrap();
    std::fs::write(dir.path().join("x.pcapng"), without_secrets(&capture)).unwrap();
    let mut command = bitsleuth();
    command.current_dir(dir.path()).args(["sessions", "--json", "--tls-keys", "keys", "x.pcapng"]);
    serde_json::from_slice(&command.output().unwrap().stdout).unwrap()
}

/// Rules that found something, in sessions or beside them.
fn rules(report: &Value) -> Vec<&str> {
    let sessions = report["sessions"].as_array().unwrap().iter();
    let lists = sessions.map(|session| &session["findings"]).chain([&report["findings"]]);
    let findings = lists.filter_map(Value::as_array).flatten();
    findings.map(|finding| finding["rule"].as_str().unwrap()).collect()
}

#[test]
fn line_that_fits_is_not_blamed_for_one_that_is_missing() {
    for label in ["SERVER_HANDSHAKE", "CLIENT_HANDSHAKE"] {
        let report = report_by("openssl-13-gcm128", |line| !line.starts_with(label));
        assert_eq!(report["sessions"][0]["outcome"], "completed", "{label}");
        assert_eq!(report["tls_connections"][0].get("misfit"), None, "{label}");
    }
}

#[test]
fn missing_keys_are_no_failure_of_a_peer() {
    for label in ["SERVER_HANDSHAKE", "CLIENT_HANDSHAKE"] {
        let report = report_by("openssl-13-gcm128", |line| line.starts_with(label));
        assert!(!rules(&report).contains(&"tls-handshake-failed"), "{label}");
    }
    let report = report_by("openssl-13-gcm128", |line| !line.starts_with("SERVER_TRAFFIC"));
    assert_eq!(report["sessions"][0]["outcome"], "incomplete");
    assert_eq!(rules(&report), ["fragment-outside-limits"]);
}

#[test]
fn all_secrets_of_a_client_random_are_tried() {
    let capture = peer("openssl-13-gcm128");
    let others = ["SERVER", "CLIENT"].map(|label| spoilt_lines(label).join("\n")).join("\n");
    let own = secrets(&capture).concat();
    for text in [format!("{own}\n{others}"), format!("{others}\n{own}")] {
        let mut keys = KeyLog::default();
        keys.add_from("keys.log", text.as_bytes());
        let plain = decrypt(&capture, keys, false);
        assert!(plain.gaps.is_empty() && plain.client.starts_with(b"BITS_POST"));
        assert_eq!((plain.facts[0].opaque, &plain.facts[0].misfit), (None, &None));
    }
}

/// How many frames a capture has.
fn frames(capture: &[u8]) -> u64 {
    let mut reader = Reader::new(capture, &Limits::default()).unwrap();
    std::iter::from_fn(|| match reader.next().unwrap()? {
        Item::Frame(frame) => Some(frame.at.frame),
        Item::Secrets(_) => Some(0),
    })
    .max()
    .unwrap()
}

#[test]
fn cut_captures_yield_the_beginning() {
    for row in told() {
        let capture = peer(&row[0]);
        let whole = decrypt(&capture, KeyLog::default(), true);
        for end in (1..frames(&capture)).step_by(3) {
            let cut = decrypt_some(&capture, KeyLog::default(), true, |frame| frame <= end);
            assert!(whole.client.starts_with(&cut.client), "{} {end}", row[0]);
            assert!(whole.server.starts_with(&cut.server), "{} {end}", row[0]);
        }
    }
}

/// Whether one direction is the whole one, apart from its gaps.
fn is_holed(whole: &[u8], plain: &Plain, side: Side) -> bool {
    let holed = if side == Side::Client { &plain.client } else { &plain.server };
    let gaps: Vec<_> = plain.gaps.iter().filter(|gap| gap.0 == side).map(|gap| &gap.1).collect();
    let (Some(first), Some(last)) = (gaps.first(), gaps.last()) else { return holed == whole };
    whole.starts_with(&holed[..first.start]) && whole.ends_with(&holed[last.end..])
}

#[test]
fn lost_frame_costs_its_records_and_no_more() {
    for row in told().iter().filter(|row| !row[0].contains("resume")) {
        let capture = peer(&row[0]);
        let whole = decrypt(&capture, KeyLog::default(), true);
        let mut shown = 0;
        for lost in 6..=frames(&capture) {
            let plain = decrypt_some(&capture, KeyLog::default(), true, |frame| frame != lost);
            for (side, whole) in [(Side::Client, &whole.client), (Side::Server, &whole.server)] {
                assert!(is_holed(whole, &plain, side), "{} without {lost}: {plain:?}", row[0]);
            }
            shown += usize::from(plain.client.ends_with(b"\r\n\r\n"));
        }
        assert!(shown > 5, "{}: {shown}", row[0]);
    }
}

/// The findings of one rule on a capture, of sessions and as a whole.
fn findings(capture: &[u8], rule: &str) -> Vec<String> {
    let report = report(&[capture]);
    let sessions = report["sessions"].as_array().unwrap().iter();
    let inner = sessions.flat_map(|session| session["findings"].as_array().unwrap());
    let all = inner.chain(report["findings"].as_array().unwrap());
    let meant = all.filter(|finding| finding["rule"] == rule);
    meant.map(|finding| finding["message"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn failed_handshakes_say_by_which_alert() {
    let found = |name: &str| findings(&peer(name), "tls-handshake-failed").concat();
    let suite = found("openssl-12-no-common-suite");
    assert!(suite.contains("the server sent the alert handshake_failure"), "{suite}");
    assert!(suite.contains("a Windows client logs 0x80072F7D"), "{suite}");
    let version = found("gnutls-12-no-common-version");
    assert!(version.contains("handshake_failure; the client offers TLS 1.2"), "{version}");
    let authority = found("openssl-13-unknown-authority");
    assert!(authority.contains("the client sent the alert unknown_ca"), "{authority}");
    assert!(authority.contains("0x80072F0D"), "{authority}");
}

#[test]
fn handshakes_that_succeed_are_no_finding() {
    for row in told() {
        for capture in [peer(&row[0]), without_secrets(&peer(&row[0]))] {
            for rule in ["tls-handshake-failed", "client-cert-needed", "host-id-tls-name"] {
                assert_eq!(findings(&capture, rule), Vec::<String>::new(), "{}", row[0]);
            }
        }
    }
}

#[test]
fn client_certificate_that_was_needed_is_named() {
    for name in ["go-12-client-cert-refused", "go-13-client-cert-refused"] {
        let found = findings(&peer(name), "client-cert-needed").concat();
        assert!(found.contains("the server sent the alert bad_certificate"), "{name}: {found}");
        assert!(findings(&peer(name), "tls-handshake-failed").is_empty(), "{name}");
    }
}

#[test]
fn early_request_is_read_before_the_server_has_answered() {
    let capture = peer("openssl-13-resume-early");
    assert!(secrets(&capture).concat().contains("CLIENT_EARLY_TRAFFIC_SECRET "));
    let report = report(&[&capture]);
    let tls = &report["tls_connections"][1];
    assert_eq!((&tls["resumed"], &tls["early_data_offered"]), (&json!(true), &json!(true)));
    let session = &report["sessions"][0];
    assert_eq!((&session["outcome"], &session["bytes_total"]), (&json!("completed"), &json!(3079)));
    let early = &session["exchanges"][1];
    assert_eq!((&early["type"], &early["connection"]), (&json!("Fragment"), &tls["connection"]));
    let hello = tls["server_hello_at"]["frame"].as_u64().unwrap();
    assert!(early["request"]["last_frame"].as_u64().unwrap() < hello, "{early:#}");
}

#[test]
fn upload_inside_the_tls_of_a_proxy_is_read() {
    let report = report(&[&peer("openssl-13-inside-13")]);
    let session = &report["sessions"][0];
    assert_eq!((&session["outcome"], &session["bytes_total"]), (&json!("completed"), &json!(3079)));
    assert_eq!(session["url"], "https://bits.example.test/up/file.bin");
}

#[test]
fn tls_inside_tls_counts_by_itself() {
    let capture = peer("openssl-13-inside-13");
    let text = secrets(&capture).concat();
    let outer = text.lines().find(|line| line.starts_with("CLIENT")).unwrap().split(' ').nth(1);
    let keys: Vec<&str> = text.lines().filter(|line| line.contains(outer.unwrap())).collect();
    for (keys, state) in [(text.clone(), true), (keys.join("\n"), false)] {
        let mut analysis = Analysis::new(Options::default());
        analysis.keys().add(keys.as_bytes());
        let (bare, limits) = (without_secrets(&capture), Limits::default());
        let mut reader = Reader::new(&bare[..], &limits).unwrap();
        while let Some(Item::Frame(frame)) = reader.next().unwrap() {
            analysis.push(&frame, &mut ());
        }
        let report = analysis.finish(Vec::new(), &mut ());
        let all: Vec<_> = report.tls_connections.iter().map(|one| &one.tls).collect();
        let [outer, inner] = all[..] else { panic!("{all:#?}") };
        assert_eq!((outer.tunnel, inner.tunnel), (false, true));
        assert_eq!((outer.decrypted, inner.decrypted), (true, state));
        assert_eq!(report.sessions.len(), usize::from(state));
        let told = report.findings.iter().filter(|finding| finding.rule == "tls-opaque").count();
        assert_eq!((told, report.quality.tls_opaque), (usize::from(!state), u64::from(!state)));
    }
}

/// The same packets with other data: the first of each side, and nothing behind it.
fn saying(client: &[u8], server: &[u8], records: &[Record]) -> Vec<Record> {
    let (mut said, mut shorter) = ([client, server], [0_u32; 2]);
    let change = |record: &Record| {
        let side = usize::from(record.flow().1);
        let (seq, ack) = record.numbers();
        let moved = record
            .clone()
            .with_numbers(seq.wrapping_sub(shorter[side]), ack.wrapping_sub(shorter[1 - side]));
        if record.payload().is_empty() {
            return moved;
        }
        let text = std::mem::take(&mut said[side]);
        shorter[side] += (record.payload().len() - text.len()) as u32;
        moved.with_payload(text)
    };
    records.iter().map(change).collect()
}

/// The report on a session inside TLS and what another connection of its client came to ten minutes later: the server
/// answered the ClientHello by `answer`.
fn session_and_handshake(session: &str, answer: &[u8]) -> Value {
    let text = format!(
        "{session}! server closes\n... 600 s\n= connection\n> PING\n< 200\n! server closes\n"
    );
    let records = build::records(&transcript(&text));
    let (session, other): (Vec<Record>, Vec<Record>) =
        records.iter().cloned().partition(|record| record.flow().0 == records[0].flow().0);
    let (_, mut sealed, keys) = in_tls(&session);
    let hello = [
        &[22, 3, 1, 0, 54, 1, 0, 0, 50, 3, 3][..],
        &[77; 32],
        &[0, 0, 2, 0x13, 1, 1, 0, 0, 7, 0, 43, 0, 3, 2, 3, 4],
    ];
    sealed.extend(saying(&hello.concat(), answer, &other));
    report_with(&keys, &sealed)
}

const STOPPED: &str = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< 200\n";
const HANDSHAKE_FAILURE: [u8; 7] = [21, 3, 3, 0, 2, 2, 40];

#[test]
fn failed_handshake_explains_a_session_that_stopped() {
    let report = session_and_handshake(STOPPED, &HANDSHAKE_FAILURE);
    let session = &report["sessions"][0];
    assert_eq!(session["diagnosis"]["cause"], "tls-handshake-failed", "{session:#}");
    let summary = session["diagnosis"]["summary"].as_str().unwrap();
    assert!(summary.contains("the server sent the alert handshake_failure"), "{summary}");
    assert_eq!(session["diagnosis"]["client_error"], "0x80072F7D");
    let findings = report["findings"].as_array().unwrap();
    assert!(findings.iter().all(|finding| finding["rule"] != "tls-handshake-failed"));
}

#[test]
fn handshake_without_an_alert_explains_nothing() {
    let session = &session_and_handshake(STOPPED, b"")["sessions"][0];
    assert_ne!(session["diagnosis"]["cause"], "tls-handshake-failed");
    let found = session["findings"].as_array().unwrap();
    let found = found.iter().find(|finding| finding["rule"] == "tls-handshake-failed").unwrap();
    assert_eq!((&found["severity"], &found["confidence"]), (&json!("note"), &json!("possible")));
}

#[test]
fn handshake_that_fails_after_a_completed_session_stands_by_itself() {
    let done = format!("{STOPPED}> FRAGMENT 10-19/20\n< 200\n> CLOSE-SESSION\n< 200\n");
    let report = session_and_handshake(&done, &HANDSHAKE_FAILURE);
    assert_eq!(report["sessions"][0]["outcome"], "completed");
    assert!(report["sessions"][0]["diagnosis"].is_null());
    let findings = report["findings"].as_array().unwrap();
    assert!(findings.iter().any(|finding| finding["rule"] == "tls-handshake-failed"));
}

#[test]
fn alert_in_the_clear_is_read_behind_what_cannot_be() {
    let capture = without_secrets(&peer("go-12-client-cert-refused"));
    let found = findings(&capture, "client-cert-needed").concat();
    assert!(found.contains("the server sent the alert bad_certificate"), "{found}");
}

#[test]
fn facts_without_keys_are_the_same_whether_they_may_come_or_not() {
    for row in told() {
        let capture = without_secrets(&peer(&row[0]));
        let mut complete = KeyLog::default();
        complete.complete();
        let (waited, skipped) =
            (decrypt(&capture, KeyLog::default(), false), decrypt(&capture, complete, false));
        assert_eq!(waited.facts, skipped.facts, "{}", row[0]);
    }
}

#[test]
fn host_id_with_a_certificate_for_other_names_is_the_cause() {
    let report = report(&[&peer("openssl-12-host-id-name")]);
    let diagnosis = &report["sessions"][0]["diagnosis"];
    assert_eq!(diagnosis["cause"], "host-id-tls-name", "{diagnosis}");
    assert_eq!(diagnosis["client_error"], "0x80072F06");
    let summary = diagnosis["summary"].as_str().unwrap();
    assert!(
        summary.contains(r#"the certificate is for "bits.example.test", "10.0.0.9""#),
        "{summary}"
    );
}

#[test]
fn every_opaque_connection_is_noted() {
    let capture = without_secrets(&peer("openssl-12-resume-id"));
    let found = findings(&capture, "tls-opaque");
    assert_eq!(found.len(), 2);
    assert!(found[0].starts_with(r#"10.0.0.5 to 10.0.0.9:443 ("bits.example.test"): no keys"#));
    assert!(findings(&peer("openssl-12-resume-id"), "tls-opaque").is_empty());
}
