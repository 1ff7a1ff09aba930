//! What leaves the house tells the same story and no names.

use serde_json::{Value, json};

use crate::support::{build, report, run, run_on, sample, stderr, stdout, transcript};

fn redacted(capture: &[u8], options: &[&str]) -> Vec<u8> {
    let output = run_on(capture, &[&["redact", "-", "-o", "-"], options].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    output.stdout
}

/// What has to be the same before and after.
fn story(capture: &[u8]) -> Value {
    let report = report(&[capture]);
    let told = |session: &Value| {
        let findings: Value = session["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|f| json!([f["rule"], f["severity"]]))
            .collect();
        let diagnosis = &session["diagnosis"];
        let types: Value =
            session["exchanges"].as_array().unwrap().iter().map(|e| e["type"].clone()).collect();
        let fragments: Value = session["fragments"]
            .as_array()
            .unwrap()
            .iter()
            .map(|f| json!([f["start"], f["end"], f["total"], f["http_status"], f["next_offset"]]))
            .collect();
        json!([
            session["outcome"],
            session["outcome_qualifiers"],
            diagnosis["cause"],
            diagnosis["contributing"],
            diagnosis["answered_by"],
            diagnosis["client_error"],
            findings,
            types,
            fragments,
            session["bytes_sent"],
            session["negotiation"]["verdict"],
            session["started"],
            session["ended"],
        ])
    };
    report["sessions"].as_array().unwrap().iter().map(told).collect()
}

#[test]
fn a_redacted_capture_has_the_same_diagnosis() {
    for name in
        ["good.pcap", "resumed.pcap", "refused.pcap", "lost.pcap", "balanced.pcap", "download.pcap"]
    {
        let before = sample(name);
        assert_eq!(story(&before), story(&redacted(&before, &[])), "{name}");
    }
}

#[test]
fn segments_of_any_size_and_order_have_it_too() {
    let records = build::records(&sample("resumed.pcap"));
    for changed in [
        build::resegmented(&records, 7),
        build::swapped(&records),
        build::doubled(&records),
        build::snapped(&records, 300),
    ] {
        let before = build::pcap(&changed, build::Order::Big);
        assert_eq!(story(&before), story(&redacted(&before, &[])));
    }
}

#[test]
fn captures_that_lack_segments_or_the_ends_of_heads_have_it_too() {
    let text =
        "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< 502 plain\n  Server: nginx\n";
    let records = build::records(&transcript(text));
    let place = records.iter().position(|record| !record.payload().is_empty()).unwrap();
    let lacking = [&records[..place], &records[place + 1..]].concat();
    let cut = (92..300).step_by(5).map(|len| build::snapped(&records, len));
    for changed in cut.chain([lacking]) {
        let before = build::pcap(&changed, build::Order::Little);
        assert_eq!(story(&before), story(&redacted(&before, &[])));
    }
}

#[test]
fn what_rules_read_of_names_pages_and_repeats_stays() {
    let iis = "> CREATE-SESSION\n< 404 plain\n  Server: Microsoft-IIS/10.0\n";
    for text in [
        &format!("= url http://zebra/upload/bin/zebra.dat\n{iis}")[..],
        &format!("= url http://zebra/zebra/zebra.MDB\n{iis}"),
        "> CREATE-SESSION\n  BITS-Supported-Protocols:\n< 400 plain\n  | protocol not supported by zebra\n",
        "> CREATE-SESSION\n< 400 plain\n  Server: nginx/1.22.1\n  | <title>400 The plain HTTP request was sent to HTTPS port</title>\n",
        "> CREATE-SESSION\n< 403 plain\n  | <b>zebra</b> FortiGuard zebra\n",
        "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/10\n! again changed\n< 200\n",
        "> CREATE-SESSION\n! again changed\n< 200 session=1\n> FRAGMENT 0-9/10\n! again\n< 200\n",
    ] {
        let before = transcript(text);
        let after = redacted(&before, &[]);
        assert_eq!(story(&before), story(&after), "{text}");
        assert!(!String::from_utf8_lossy(&after).contains("zebra"), "{text}");
    }
}

#[test]
fn uploads_with_another_diagnosis_are_told() {
    let start =
        "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9999/20000 sent=3000\n! client resets\n";
    let gone = format!("{start}! name elsewhere.example found\n! name server unanswered\n");
    let told = |text: &str| {
        stderr(&run_on(&transcript(text), &["redact", "-", "-o", "-"]))
            .lines()
            .filter(|line| line.contains("diagnosed"))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert!(told(start).is_empty());
    assert_eq!(
        told(&gone),
        [
            "bitsleuth: not diagnosed as in the original: upload from frame 4 (dns-failed, now tcp-reset-by-client)"
        ]
    );
}

/// A conversation in which every name is a secret.
const SECRETS: &str = "\
= url http://zebrahost.zebradomain.example:8530/zebrapath/zebrafile.doc?zebraquery=zebravalue
= client 10.77.66.55
> CREATE-SESSION
  Content-Name: zebraname.doc
  Authorization: Basic emVicmF1c2VyOnplYnJhcGFzcw==
  Cookie: sid=zebracookie
  X-Zebra-Header: zebracustom
  Via: 1.1 zebraproxy (squid/5.7)
  Accept: text/zebra
  Accept-Encoding: zebracoding
  Cache-Control: zebra=1
  X-Http-Method-Override: ZEBRA
< 401 plain
  WWW-Authenticate: Basic realm=\"zebrarealm\"
  Server: Microsoft-IIS/10.0
  | zebrapage
> CREATE-SESSION
  Authorization: Basic emVicmF1c2VyOnplYnJhcGFzcw==
< 200 session={99999999-AAAA-4BBB-8CCC-DDDDDDDDDDDD}
  BITS-Host-Id: zebranode
  Content-Type: multipart/zebra; boundary=\"zebra\"; charset=zebra
  Connection: zebra
  Allow: ZEBRA
  Date: zebraday
  DAV: zebra
> FRAGMENT 0-13/14
  | zebrabodyzebra
< 503 plain
  BITS-Packet-Type: Ack
  BITS-Error-Code: 0x8007zebra
  BITS-Error-Context: zebra
  BITS-Received-Content-Range: zebra
  Retry-After: zebra
> FRAGMENT 0-13/14
  Content-Range: bytes 0-13/zebra
  | zebrabodyzebra
< 500 error=0x8020001F context=0x5
  Location: http://zebrauser:zebrapass@zebraelse/zebrapath
";

const TOLD: [&str; 6] = ["zebra", "99999999-AAAA", "emVicmF1c2Vy", "ZEBRA", "Zebra", "zebrapass"];

#[test]
fn no_name_is_in_the_capture() {
    let (before, after) = (transcript(SECRETS), redacted(&transcript(SECRETS), &[]));
    let find = |bytes: &[u8], text: &[u8]| {
        bytes.windows(text.len()).any(|part| part.eq_ignore_ascii_case(text))
    };
    for text in TOLD {
        assert!(!find(&after, text.as_bytes()), "{text}");
    }
    assert!(!find(&after, &[10, 77, 66, 55]) && find(&before, &[10, 77, 66, 55]));
    assert!(find(&after, b"Server: Microsoft-IIS/10.0") && find(&after, b"BITS-Error: 0x8020001F"));
    assert_eq!(story(&before), story(&after));
}

#[test]
fn no_name_is_in_a_redacted_report() {
    let capture = transcript(SECRETS);
    for args in [
        &["report", "--redact", "-"][..],
        &["report", "--redact", "--format", "markdown", "-"],
        &["export", "--redact", "--digest", "sha256", "--format", "json", "-"],
        &["export", "--redact", "--format", "ndjson", "-"],
        &["export", "--redact", "--format", "ecs", "-"],
        &["export", "--redact", "--format", "har", "-"],
        &["export", "--redact", "--format", "stix", "-"],
        &["export", "--redact", "--format", "csv", "--table", "findings", "-"],
        &["export", "--redact", "--format", "csv", "-"],
        &["timeline", "--redact", "-"],
        &["sessions", "--redact", "-"],
        &["sessions", "--redact", "--json", "-"],
        &["diagnose", "--redact", "--fail-on", "never", "-"],
    ] {
        let text = stdout(&run_on(&capture, args));
        for told in TOLD.iter().chain(&["10.77.66.55"]) {
            assert!(!text.contains(told), "{told} by {args:?}: {text}");
        }
        assert!(text.len() > 100, "{args:?}");
    }
}

#[test]
fn a_key_gives_the_same_pseudonyms_and_none_gives_others() {
    let capture = sample("good.pcap");
    assert_eq!(redacted(&capture, &["--key", "a"]), redacted(&capture, &["--key", "a"]));
    assert_ne!(redacted(&capture, &["--key", "a"]), redacted(&capture, &["--key", "b"]));
    assert_ne!(redacted(&capture, &[]), redacted(&capture, &[]));
    let empty = run(&["redact", "--key", "", "good.pcap", "-o", "-"]);
    assert_eq!(empty.status.code(), Some(2));
}

#[test]
fn what_is_inside_tls_goes_and_this_is_said() {
    let output = run(&["redact", "tls13.pcapng", "-o", "-"]);
    assert!(stderr(&output).contains("1 connection with TLS emptied"), "{}", stderr(&output));
    assert_eq!(story(&output.stdout), json!([]));
}

#[test]
fn each_connection_that_the_capture_leaves_open_is_ended() {
    let records = build::records(&sample("tls13.pcapng"));
    let start: Vec<_> = records.iter().take(records.len() / 2).cloned().collect();
    let other = build::of_client([10, 9, 8, 7], 1, &start);
    let capture = build::pcap(&[start, other].concat(), build::Order::Little);
    let output = run_on(&capture, &["redact", "-", "-o", "-"]);
    assert!(stderr(&output).contains("2 connections with TLS emptied"), "{}", stderr(&output));
}
