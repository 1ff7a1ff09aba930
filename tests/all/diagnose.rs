//! Why uploads failed, for people, for programs and for CI.

use serde_json::Value;

use crate::golden::compare;
use crate::support::{bitsleuth, build, run, run_on, sample, stderr, stdout, store, transcript};

fn code(args: &[&str]) -> Option<i32> {
    run(args).status.code()
}

#[test]
fn each_kind_of_upload_is_explained() {
    for (sample, status) in
        [("resumed.pcap", 1), ("refused.pcap", 1), ("lost.pcap", 1), ("good.pcap", 0)]
    {
        let name = sample.split('.').next().unwrap();
        compare(&format!("{name}.diagnose.txt"), &["diagnose", sample], status);
    }
}

#[test]
fn quiet_is_one_line_per_upload() {
    let output = run(&["diagnose", "-q", "good.pcap", "lost.pcap"]);
    let text = stdout(&output);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert_eq!(lines[0], "✔ completed  http://frankcao8/upload/2000mb-rfc2119.txt");
    assert!(lines[1].starts_with("✘ failed  http://10.20.0.80/up/report.dat  session-not-found: "));
    assert!(lines[1].contains("frames 2:8, 2:14"), "{text}");
}

#[test]
fn the_exit_status_follows_the_level_asked_for() {
    assert_eq!(code(&["diagnose", "lost.pcap"]), Some(1));
    assert_eq!(code(&["diagnose", "--fail-on", "never", "lost.pcap"]), Some(0));
    assert_eq!(code(&["timeline", "lost.pcap"]), Some(0));
    assert_eq!(code(&["sessions", "lost.pcap"]), Some(0));
    assert_eq!(code(&["timeline", "--fail-on", "error", "lost.pcap"]), Some(1));
    assert_eq!(code(&["sessions", "--fail-on", "warning", "good.pcap"]), Some(0));
    assert_eq!(code(&["diagnose", "lost.pcap", "no-such.pcap"]), Some(2));
}

#[test]
fn what_fails_by_the_level_asked_for_is_told() {
    let output = run(&["diagnose", "--fail-on", "note", "good.pcap"]);
    assert_eq!(output.status.code(), Some(1));
    let text = stdout(&output);
    assert!(text.contains("  besides     note: "), "{text}");
    assert!(!text.lines().next().unwrap().ends_with("nothing wrong"), "{text}");
}

#[test]
fn an_upload_that_failed_is_an_error_whatever_is_found_of_it() {
    assert_eq!(code(&["diagnose", "--rule", "tcp", "lost.pcap"]), Some(1));
    assert_eq!(code(&["sessions", "--rule", "tcp", "--fail-on", "error", "lost.pcap"]), Some(1));
    assert_eq!(code(&["diagnose", "--rule", "tcp", "--fail-on", "never", "lost.pcap"]), Some(0));
}

#[test]
fn an_upload_that_is_asked_for_credentials_has_not_failed_yet() {
    let asked = transcript("> CREATE-SESSION\n< 401 plain\n  WWW-Authenticate: NTLM\n");
    assert_eq!(run_on(&asked, &["diagnose", "-"]).status.code(), Some(0));
    let refused = transcript("> CREATE-SESSION\n< 403 plain\n");
    assert_eq!(run_on(&refused, &["diagnose", "--rule", "tcp", "-"]).status.code(), Some(1));
}

#[test]
fn rules_can_be_chosen_and_left_out() {
    let rules = |args: &[&str]| -> Vec<String> {
        let args = [&["diagnose", "--json", "lost.pcap"], args].concat();
        let report: Value = serde_json::from_slice(&run(&args).stdout).unwrap();
        let findings = report["sessions"][0]["findings"].as_array().unwrap();
        findings.iter().map(|f| f["rule"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(rules(&["--rule", "session-not-found"]), ["session-not-found"]);
    assert!(!rules(&["--ignore", "session-not-found"]).contains(&"session-not-found".to_owned()));
    assert!(rules(&["--rule", "completion"]).contains(&"session-not-found".to_owned()));
    assert_eq!(rules(&["--rule", "tcp"]), [""; 0]);
    let output = run(&["diagnose", "--rule", "no-such-rule", "lost.pcap"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("no such rule or family"), "{}", stderr(&output));
}

#[test]
fn the_report_holds_the_diagnosis() {
    let report: Value =
        serde_json::from_slice(&run(&["diagnose", "--json", "lost.pcap"]).stdout).unwrap();
    let diagnosis = &report["sessions"][0]["diagnosis"];
    assert_eq!(diagnosis["cause"], "session-not-found");
    assert_eq!(diagnosis["answered_by"], "bits-server");
    assert_eq!(diagnosis["client_error"], "0x8020001F");
    assert_eq!(diagnosis["frames"], serde_json::json!([8, 14]));
}

#[test]
fn sarif_points_to_capture_rule_and_frames() {
    let output = run(&["diagnose", "--format", "sarif", "good.pcap", "lost.pcap"]);
    let log: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let results = run["results"].as_array().unwrap();
    let lost = results.iter().find(|result| result["ruleId"] == "session-not-found").unwrap();
    assert_eq!(lost["level"], "error");
    assert_eq!(lost["properties"]["frames"].as_array().unwrap().len(), 2);
    assert_eq!(lost["properties"]["frame_labels"], serde_json::json!(["2:8", "2:14"]));
    assert_eq!(lost["properties"]["session_id"], "{DEADBEEF-0000-4000-8000-00000000BEEF}");
    assert_eq!(lost["properties"]["client"], "10.20.0.11");
    let causes = results.iter().filter(|result| result["properties"]["cause"] == true);
    assert!(causes.eq([lost]));
    let place = &lost["locations"][0];
    let file = &place["physicalLocation"]["artifactLocation"];
    assert_eq!(*file, serde_json::json!({"uri": "lost.pcap", "index": 1}));
    assert_eq!(run["artifacts"][1]["location"]["uri"], "lost.pcap");
    let index = usize::try_from(lost["ruleIndex"].as_u64().unwrap()).unwrap();
    assert_eq!(run["tool"]["driver"]["rules"][index]["id"], "session-not-found");
}

#[test]
fn sarif_tells_of_captures_that_were_not_read() {
    let of = |args: &[&str]| {
        let output = run(&[&["diagnose", "--format", "sarif"], args].concat());
        let log: Value = serde_json::from_slice(&output.stdout).unwrap();
        log["runs"][0]["invocations"][0].clone()
    };
    let invocation = of(&["absent.pcap", "good.pcap"]);
    assert_eq!(invocation["executionSuccessful"], false);
    let told = &invocation["toolExecutionNotifications"];
    let place = &told[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    assert_eq!((place, told.as_array().unwrap().len()), (&"absent.pcap".into(), 1));
    assert_eq!(of(&["good.pcap"])["executionSuccessful"], true);
}

#[test]
fn sarif_names_the_capture_that_a_finding_without_an_upload_is_about() {
    let dir = tempfile::tempdir().unwrap();
    let whole = sample("download.pcap");
    let mut lacking = build::records(&whole);
    let full = lacking.iter().map(|record| record.data.len()).max().unwrap();
    let place = lacking.iter().position(|record| record.data.len() == full).unwrap();
    // Each segment is there twice.
    lacking.drain(place..place + 2);
    let snapped = build::pcap(&build::snapped(&lacking, 300), build::Order::Little);
    store(&dir, "other.pcap", &sample("refused.pcap"));
    store(&dir, "lacking.pcap", &build::pcap(&lacking, build::Order::Little));
    store(&dir, "snapped.pcap", &snapped);
    store(&dir, "damaged.pcap", &whole[..whole.len() - 10]);
    let uri = |rule: &str, name: &str| {
        let args = ["diagnose", "--format", "sarif", "--fail-on", "never", "other.pcap", name];
        let output = bitsleuth().current_dir(dir.path()).args(args).output().unwrap();
        let log: Value = serde_json::from_slice(&output.stdout).unwrap();
        let results = log["runs"][0]["results"].as_array().unwrap();
        let found = results.iter().find(|result| result["ruleId"] == rule).unwrap();
        found["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].clone()
    };
    assert_eq!(uri("capture-gap", "lacking.pcap"), "lacking.pcap");
    assert_eq!(uri("capture-truncated", "snapped.pcap"), "snapped.pcap");
    assert_eq!(uri("capture-damaged", "damaged.pcap"), "damaged.pcap");
}

#[test]
fn what_is_wrong_outside_the_uploads_is_in_the_first_line() {
    let mut cut = sample("good.pcap");
    cut.truncate(cut.len() - 1);
    let text = stdout(&run_on(&cut, &["diagnose", "-"]));
    let first = text.lines().next().unwrap();
    assert_eq!(
        first,
        "-   1 upload, nothing wrong with the transfer; 1 finding outside the uploads"
    );
}

#[test]
fn bytes_that_belong_nowhere_are_not_sent_again() {
    let capture = transcript(
        "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/10\n  Content-Range: bytes 9-0/10\n< 400\n\
         > FRAGMENT 0-9/10\n< 200 received=10\n",
    );
    let timeline = stdout(&run_on(&capture, &["-"]));
    assert!(
        timeline.contains("10 B in 2 Fragments, 10 B without a known place in the file "),
        "{timeline}"
    );
}

#[test]
fn the_fetch_of_a_reply_is_told_where_it_happened() {
    let capture = transcript(
        "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/10\n< 200 reply=/replies/1\n\
         > GET /replies/1\n< 404 plain\n  Server: gobits/1\n> CLOSE-SESSION\n< 200\n",
    );
    let timeline = stdout(&run_on(&capture, &["-"]));
    let place = |words: &str| timeline.find(words).unwrap_or_else(|| panic!("{timeline}"));
    let (asked, answered) = (place("→ GET              the reply\n"), place("← HTTP 404"));
    assert!(place("reply at /replies/1") < asked && asked < answered, "{timeline}");
    assert!(answered < place("→ Close-Session"), "{timeline}");
    assert!(timeline.contains("← HTTP 404         from the web server gobits/1\n"), "{timeline}");
    let report = stdout(&run_on(&capture, &["report", "--format", "markdown", "-"]));
    assert!(report.contains("the client asks for the reply, frame 12: HTTP 404"), "{report}");
}

#[test]
fn a_reply_that_a_client_asks_the_size_of_first_is_fetched_by_get() {
    let capture = transcript(
        "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/10\n< 200 reply=/replies/1\n\
         > HEAD /replies/1\n< 200 plain\n> GET /replies/1\n< 206 plain\n  | half\n",
    );
    let timeline = stdout(&run_on(&capture, &["-"]));
    assert!(timeline.contains("→ HEAD, GET        the reply\n"), "{timeline}");
    assert!(timeline.contains("← HTTP 206         4 B of the reply\n"), "{timeline}");
}

#[test]
fn the_timeline_shows_a_finding_below_its_line() {
    let text = stdout(&run(&["lost.pcap"]));
    let lines: Vec<&str> = text.lines().collect();
    let at = lines.iter().position(|line| line.contains("← Ack 500")).unwrap();
    assert!(lines[at + 1].trim_start().starts_with("! error: "), "{text}");
    assert!(lines[at + 1].ends_with("session-not-found"), "{text}");
}
