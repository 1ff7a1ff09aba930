//! Credentials of the wire reach no output unless they are asked for.

use crate::support::{said, store, transcript};

/// A conversation with a credential in every place that can hold one.
const TALK: &str = "\
= url http://bob:HIDDEN-1@server/upload/a.bin?access_token=HIDDEN-2&x=1
> CREATE-SESSION
  Authorization: Bearer HIDDEN-3
  Proxy-Authorization: Digest username=\"bob\", response=\"HIDDEN-4\"
  Cookie: sid=HIDDEN-5; other=HIDDEN-6
  X-Access-Token: HIDDEN-7
< 401 plain
  Server: Microsoft-IIS/10.0
  WWW-Authenticate: NTLM HIDDEN-8
  Set-Cookie: sid=HIDDEN-9; path=/
  Location: http://bob:HIDDEN-10@server/?token=HIDDEN-11
> CREATE-SESSION
  Authorization: Basic Ym9iOkhJRERFTi0xMg==
< 200 session=1
> FRAGMENT 0-9/10
< 200 reply=http://bob:HIDDEN-15@server/r?X-Amz-Security-Token=HIDDEN-16
> GET /plain?password=HIDDEN-13
  Authorization: Bearer HIDDEN-14
< 200 plain
> CLOSE-SESSION
< 200
";

fn capture(dir: &tempfile::TempDir) -> String {
    store(dir, "talk.pcap", &transcript(TALK)).to_str().unwrap().to_owned()
}

const OUTPUTS: [&[&str]; 17] = [
    &["timeline"],
    &["sessions"],
    &["sessions", "--json"],
    &["sessions", "--format", "ndjson"],
    &["diagnose", "-v"],
    &["diagnose", "--json"],
    &["diagnose", "--format", "sarif"],
    &["http"],
    &["http", "--format", "ndjson"],
    &["report"],
    &["report", "--format", "markdown"],
    &["export", "--format", "ndjson"],
    &["export", "--format", "ecs"],
    &["export", "--format", "har"],
    &["export", "--format", "csv"],
    &["export", "--format", "csv", "--table", "findings"],
    &["export", "--format", "stix"],
];

#[test]
fn no_output_holds_a_secret() {
    let dir = tempfile::tempdir().unwrap();
    let file = capture(&dir);
    for args in OUTPUTS {
        let text = said(args, &file);
        assert!(
            !text.contains("HIDDEN") && !text.contains("Ym9iOkhJRERFTi0xMg"),
            "{args:?}\n{text}"
        );
        assert!(text.len() > 20, "{args:?} says nothing");
    }
}

#[test]
fn secrets_are_shown_where_they_are_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let file = capture(&dir);
    let json = said(&["sessions", "--json", "--show-secrets"], &file);
    for number in [1, 2, 3, 4, 8, 9, 10, 11, 15, 16] {
        assert!(json.contains(&format!("HIDDEN-{number}")), "{number}");
    }
    assert!(said(&["http", "--show-secrets"], &file).contains("HIDDEN-13"));
    let har = said(&["export", "--format", "har", "--show-secrets"], &file);
    assert!(har.contains("HIDDEN-5") && har.contains("HIDDEN-7"));
}

#[test]
fn what_is_found_does_not_depend_on_it() {
    let dir = tempfile::tempdir().unwrap();
    let file = capture(&dir);
    let rules = |args: &[&str]| {
        let report: serde_json::Value = serde_json::from_str(&said(args, &file)).unwrap();
        let findings = report["sessions"][0]["findings"].as_array().unwrap().clone();
        findings.iter().map(|one| one["rule"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let masked = rules(&["sessions", "--json"]);
    assert!(masked.iter().any(|rule| rule == "basic-over-cleartext"), "{masked:?}");
    assert!(masked.iter().any(|rule| rule == "credentials-in-url"), "{masked:?}");
    assert_eq!(rules(&["sessions", "--json", "--show-secrets"]), masked);
}
