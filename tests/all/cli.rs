//! The manners of the program.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;
#[cfg(unix)]
use std::process::{Command, Output};
use std::sync::mpsc::channel;
use std::time::Duration;

use serde_json::Value;

#[cfg(unix)]
use crate::support::root;
use crate::support::{
    SAMPLES, bitsleuth, fed, run, run_on, sample, stderr, stdout, store, transcript,
};

const SUBCOMMANDS: &[&str] = &[
    "timeline",
    "sessions",
    "diagnose",
    "annotate",
    "extract",
    "report",
    "redact",
    "export",
    "explain",
    "rules",
    "http",
    "tls",
    "capture",
    "interfaces",
    "schema",
    "completions",
    "man",
];

fn ids(args: &[&str]) -> Vec<Value> {
    let report: Value = serde_json::from_slice(&run(args).stdout).unwrap();
    report["sessions"].as_array().unwrap().iter().map(|s| s["id"].clone()).collect()
}

#[test]
fn nonsense_is_one_complaint_and_the_other_input_is_shown() {
    let dir = tempfile::tempdir().unwrap();
    let text = store(&dir, "notes.txt", b"hello, this is no capture\n");
    let text = text.to_str().unwrap();
    let output = run(&["sessions", "--json", text, "good.pcap"]);
    assert_eq!(output.status.code(), Some(2));
    let complaint = stderr(&output);
    assert_eq!(complaint.lines().count(), 1, "{complaint}");
    assert!(complaint.starts_with(&format!("bitsleuth: {text}: ")), "{complaint}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["sessions"][0]["id"], "{A0FF5911-4144-45B3-BF27-27AFC8EC8A67}");
}

#[test]
fn a_missing_file_is_one_complaint() {
    let output = run(&["timeline", "no-such.pcap"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).starts_with("bitsleuth: no-such.pcap: "), "{}", stderr(&output));
    assert_eq!(stderr(&output).lines().count(), 1);
}

#[test]
fn a_file_name_does_not_operate_the_terminal() {
    let complaint = stderr(&run(&["timeline", "no\u{1b}[2J\n.pcap"]));
    assert!(complaint.starts_with("bitsleuth: no\\x1b[2J\\n.pcap: "), "{complaint:?}");
    assert_eq!(complaint.lines().count(), 1);
}

#[test]
fn a_wrong_command_line_is_status_2() {
    for args in [&[][..], &["--no-such-option"], &["sessions", "--digest", "crc", "x"], &["http"]] {
        let output = run(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(stderr(&output).starts_with("error: "), "{args:?}: {}", stderr(&output));
        assert_eq!(stdout(&output), "", "{args:?}");
    }
}

#[test]
fn an_option_known_from_elsewhere_gets_the_place_where_it_is() {
    for (args, place) in [
        (&["--json", "good.pcap"][..], "sessions --json"),
        (&["-D"], "bitsleuth interfaces"),
        (&["-i", "lo"], "capture -i"),
        (&["-T", "json", "good.pcap"], "sessions --json"),
        (&["-r", "good.pcap", "-Y", "http"], "--outcome"),
        (&["-r", "good.pcap", "-c", "9"], "capture -c"),
        (&["-r", "good.pcap", "-w", "x"], "annotate -o"),
        (&["sessions", "good.pcap", "-o", "x"], "> FILE"),
        (&["--quiet", "good.pcap"], "diagnose -q"),
        (&["--last", "5m", "good.pcap"], "editcap -A"),
        (&["capture", "-i", "lo", "tcp", "port", "80"], "-f 'tcp port 80'"),
    ] {
        let output = run(args);
        assert_eq!(output.status.code(), Some(2));
        let said = stderr(&output);
        assert!(said.contains(place) && !said.contains("as a value"), "{said}");
    }
}

#[test]
fn a_tip_that_leads_nowhere_is_left_out() {
    let said = stderr(&run(&["-Q", "good.pcap"]));
    assert!(said.contains("'-Q'") && !said.contains("tip:"), "{said}");
    assert!(stderr(&run(&["--outcom", "failed", "good.pcap"])).contains("'--outcome'"));
}

#[test]
fn a_filter_in_words_is_no_file() {
    for words in [&["tcp", "port", "80"][..], &["tcp port 80"], &["not port 22"]] {
        for command in [&[][..], &["sessions"], &["diagnose"]] {
            let output = run(&[command, &["-r", "good.pcap"], words].concat());
            assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(2), ""));
            assert!(stderr(&output).contains("-f 'tcp port 80'"), "{}", stderr(&output));
        }
    }
}

#[test]
fn a_directory_is_no_standard_output() {
    for (place, why) in [("-", "a directory is meant"), ("good.pcap", "is not a directory")] {
        let output = run(&["extract", "good.pcap", "-o", place]);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(why), "{}", stderr(&output));
    }
}

#[test]
fn several_rules_may_stand_in_one_word() {
    let found = |rules: &str| stdout(&run(&["diagnose", "-v", "--rule", rules, "resumed.pcap"]));
    let both = found("tcp,ack-offset-went-back");
    assert!(both.contains("ack-offset-went-back") && both.contains("tcp-reset-by-client"));
    assert_eq!(found("ack-offset-went-back,tcp"), both);
    assert_eq!(run(&["diagnose", "--rule", "tcp,nix", "good.pcap"]).status.code(), Some(2));
}

#[test]
fn an_option_that_asks_for_what_is_done_anyway_is_taken() {
    let usual = stdout(&run(&["sessions", "good.pcap"]));
    assert_eq!(stdout(&run(&["sessions", "-nn", "-l", "-r", "good.pcap"])), usual);
    assert_eq!(stdout(&run(&["sessions", "-nr", "good.pcap"])), usual);
    let help = stdout(&run(&["sessions", "--help"]));
    assert!(!help.contains(" -n") && !help.contains(" -l"), "{help}");
}

#[test]
fn several_outcomes_may_stand_in_one_word() {
    let all = ["--json", "good.pcap", "refused.pcap", "lost.pcap"];
    let some = ids(&[&["sessions", "--outcome", "failed,rejected"], &all[..]].concat());
    assert_eq!(some.len(), 2);
}

#[test]
fn what_is_of_no_use_to_a_format_is_refused() {
    for args in [&["--format", "har", "--table", "fragments"][..], &["--format", "json", "--bom"]] {
        let output = run(&[&["export", "good.pcap"], args].concat());
        assert_eq!(output.status.code(), Some(2));
        assert_eq!((stdout(&output).as_str(), stderr(&output).lines().count()), ("", 1));
    }
    for command in [&["sessions"][..], &["export", "--format", "har"]] {
        let told = stdout(&run(&[command, &["--digest", "sha256", "resumed.pcap"]].concat()));
        assert!(told.contains("8f2c142dcc59c6544722d0d849105baa5a1d05f5227c513b26ffbcb324a41bc7"));
    }
}

#[test]
fn lines_keep_to_the_width_that_is_asked_for() {
    let captures = ["resumed.pcap", "refused.pcap", "lost.pcap", "tls13.pcapng"];
    for command in ["sessions", "http", "tls"] {
        let text = stdout(&run(&[&[command, "--width", "80"], &captures[..]].concat()));
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }
}

#[test]
fn a_command_that_is_misspelt_is_no_file() {
    let output = run(&["diagnsoe", "good.pcap"]);
    assert_eq!(output.status.code(), Some(2));
    let expected = "bitsleuth: diagnsoe: no such file or command; there is `diagnose`\n";
    assert_eq!(stderr(&output), expected);
    let output = run(&["--color", "never", "diagnose", "good.pcap"]);
    assert_eq!(output.status.code(), Some(2));
    let expected =
        "bitsleuth: diagnose: no such file; if it is a command, put it before all options\n";
    assert_eq!(stderr(&output), expected);
    assert_eq!(stderr(&run(&["good.pcap", "diagnose"])), expected);
}

#[cfg(unix)]
#[test]
fn more_files_than_a_shell_allows_at_first_are_read() {
    let script = r#"ulimit -Sn 16 && exec "$@""#;
    let file = root().join("samples/refused.pcap");
    let output = Command::new("sh")
        .args(["-c", script, "sh", env!("CARGO_BIN_EXE_bitsleuth"), "sessions"])
        .args(std::iter::repeat_n(file, 40))
        .output()
        .unwrap();
    assert_eq!(stderr(&output), "");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_file_that_is_not_there_is_no_damaged_capture() {
    for command in ["timeline", "sessions", "diagnose", "tls"] {
        let output = run(&[command, "missing.pcap"]);
        assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(2), ""), "{command}");
        assert_eq!(stderr(&output).lines().count(), 1, "{command}");
    }
    let output = run(&["diagnose", "--json", "missing.pcap", "lost.pcap"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["captures"][0].get("format"), None);
    assert!(report["captures"][0]["problem"].is_string());
    assert!(!stdout(&output).contains("capture-damaged"));
    assert_eq!(report["sessions"].as_array().unwrap().len(), 1);
}

#[test]
fn captures_count_in_the_order_of_the_command_line() {
    let labels = |args: &[&str]| stdout(&run(&[&["timeline"], args].concat()));
    let expected = labels(&["good.pcap", "lost.pcap"]);
    assert_eq!(labels(&["-r", "good.pcap", "lost.pcap"]), expected);
    assert_eq!(labels(&["good.pcap", "-r", "lost.pcap"]), expected);
    assert_ne!(labels(&["lost.pcap", "-r", "good.pcap"]), expected);
}

#[test]
fn what_cannot_be_written_to_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let page = dir.path().join("none").join("x.html");
    let output = run(&["report", "good.pcap", "-o", page.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    assert!(said.starts_with(&format!("bitsleuth: {}: ", page.display())), "{said}");
    assert!(!said.contains("at path"), "{said}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_place_that_is_full_is_named() {
    let said = stderr(&run(&["report", "good.pcap", "-o", "/dev/full"]));
    assert!(said.starts_with("bitsleuth: /dev/full: No space left"), "{said}");
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let output = bitsleuth().args(["timeline", "good.pcap"]).stdout(full).output().unwrap();
    let said = stderr(&output);
    assert!(said.starts_with("bitsleuth: standard output: No space left"), "{said}");
}

#[cfg(unix)]
#[test]
fn a_link_to_a_file_yet_to_be_stays_one() {
    let dir = tempfile::tempdir().unwrap();
    let link = dir.path().join("link.html");
    std::os::unix::fs::symlink("page.html", &link).unwrap();
    assert!(run(&["report", "good.pcap", "-o", link.to_str().unwrap()]).status.success());
    assert!(link.is_symlink() && dir.path().join("page.html").is_file());
}

#[cfg(unix)]
#[test]
fn a_file_that_was_closed_to_others_stays_so() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let page = store(&dir, "page.html", b"old");
    let mode = || page.metadata().unwrap().permissions().mode() & 0o777;
    std::fs::set_permissions(&page, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert!(run(&["report", "good.pcap", "-o", page.to_str().unwrap()]).status.success());
    assert_eq!(mode(), 0o600);
    assert_ne!(std::fs::read(&page).unwrap(), b"old");
}

#[cfg(feature = "live")]
#[test]
fn what_a_filter_leaves_out_was_not_looked_at() {
    let text = stdout(&run(&["sessions", "-f", "udp", "good.pcap"]));
    let (what, why) = text.split_once("; ").unwrap();
    assert_eq!(what, "no BITS upload in 0 of 24 frames that the filter lets pass");
    assert!(why.starts_with("a filter sees the outermost headers alone"), "{why}");
}

#[test]
fn nothing_to_annotate_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("none.pcapng");
    let args = ["annotate", "--only-bits", "--url", "typo", "good.pcap", "-o"];
    let output = run(&[&args[..], &[path.to_str().unwrap()]].concat());
    assert!(output.status.success());
    assert_eq!(stderr(&output), "bitsleuth: 1 upload in 24 frames, but none that was asked for\n");
}

#[test]
fn a_file_is_not_replaced_by_a_report_on_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let page = store(&dir, "page.html", b"good");
    for command in [&["report"][..], &["export", "--format", "csv"]] {
        let output = run(&[command, &["missing.pcap", "-o", page.to_str().unwrap()]].concat());
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains("page.html: not written"), "{}", stderr(&output));
        assert_eq!(std::fs::read(&page).unwrap(), b"good");
    }
}

#[test]
fn every_help_has_examples() {
    for args in [&["--help"][..]]
        .into_iter()
        .map(<[&str]>::to_vec)
        .chain(SUBCOMMANDS.iter().flat_map(|name| [vec![*name, "--help"], vec![*name, "-h"]]))
    {
        let output = run(&args);
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        assert!(stdout(&output).contains("Examples:"), "{args:?}");
    }
}

#[test]
fn a_reader_that_left_is_no_error() {
    for args in [
        &["timeline", "resumed.pcap"][..],
        &["sessions", "--json", "resumed.pcap"],
        &["http", "resumed.pcap"],
        &["tls", "tls13.pcapng"],
        &["export", "--format", "parquet", "resumed.pcap"],
        &["rules", "--json"],
        &["explain", "404"],
        &["schema"],
        &["man"],
        &["completions", "bash"],
    ] {
        if args.contains(&"parquet") && !cfg!(feature = "parquet") {
            continue;
        }
        let mut child =
            bitsleuth().args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let mut complaint = String::new();
        child.stderr.take().unwrap().read_to_string(&mut complaint).unwrap();
        assert_eq!((child.wait().unwrap().code(), complaint.as_str()), (Some(0), ""), "{args:?}");
    }
}

#[test]
fn colour_only_when_asked_for() {
    for command in ["timeline", "sessions", "diagnose", "http"] {
        let escapes = |change: &dyn Fn(&mut std::process::Command)| {
            let mut program = bitsleuth();
            program.args([command, "lost.pcap"]);
            change(&mut program);
            program.output().unwrap().stdout.contains(&0x1b)
        };
        assert!(!escapes(&|_| {}), "{command}");
        assert!(
            escapes(&|p| {
                p.args(["--color", "always"]);
            }),
            "{command}"
        );
        assert!(
            !escapes(&|p| {
                p.args(["--color", "never"]);
            }),
            "{command}"
        );
        assert!(
            escapes(&|p| {
                p.env("CLICOLOR_FORCE", "1");
            }),
            "{command}"
        );
        let both = |p: &mut std::process::Command| {
            p.env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1");
        };
        assert!(!escapes(&both), "{command}");
    }
}

/// `resumed.pcap` with every `from` written over by `to`, of the same length.
fn patched(from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = sample("resumed.pcap");
    let places: Vec<_> = bytes
        .windows(from.len())
        .enumerate()
        .filter(|(_, w)| *w == from)
        .map(|(at, _)| at)
        .collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at..at + to.len()].copy_from_slice(to);
    }
    bytes
}

#[test]
fn control_characters_of_the_capture_stay_out_of_the_terminal() {
    let dir = tempfile::tempdir().unwrap();
    for (name, from, to) in [
        ("escape in the target", &b"/backup/backup.bak"[..], &b"/backup/\x1b[2Jup.bak"[..]),
        ("C1 in the target", b"/backup/backup.bak", b"/backup/\xc2\x9b2Jup.bak"),
        ("raw C1 in the target", b"/backup/backup.bak", b"/backup/\x9b2Jkup.bak"),
        ("escape in the name", b"Content-Name: backup", b"Content-Name: b\x1b[2Jp"),
        ("C1 in the name", b"Content-Name: backup", b"Content-Name: b\xc2\x9b2Jp"),
        ("escape in the agent", b"Microsoft BITS/6.7", b"Microsoft \x1b]0;x\x07.7"),
        ("C1 in the id", b"{1C34C8D4", b"{1\xc2\x9b2J8D4"),
        ("escape in the id", b"{1C34C8D4", b"{1\x1b[2J8D4"),
        ("escape in the reason", b"200 OK", b"200 \x1bc"),
        ("escape in the range", b"bytes 0-8191", b"bytes \x1b[2J91"),
        ("escape in the context", b"Context: 0x5", b"Context: \x1b[m"),
    ] {
        let path = store(&dir, "patched.pcap", &patched(from, to));
        let path = path.to_str().unwrap();
        for args in [
            &["timeline"][..],
            &["sessions"],
            &["sessions", "--json"],
            &["http"],
            &["http", "--format", "ndjson"],
        ] {
            let args = [args, &[path]].concat();
            let output = run(&args);
            assert_eq!(output.status.code(), Some(0), "{name}: {args:?}");
            assert_eq!(stderr(&output), "", "{name}: {args:?}");
            let text = stdout(&output);
            let raw = text.chars().find(|c| c.is_control() && *c != '\n');
            assert_eq!(raw, None, "{name}: {args:?}");
            assert!(text.len() > 80, "{name}: {args:?} shows nothing");
        }
    }
}

#[test]
fn completions_and_manual_are_there() {
    for args in [
        &["completions", "bash"][..],
        &["completions", "zsh"],
        &["completions", "fish"],
        &["completions", "powershell"],
        &["man"],
    ] {
        let output = run(args);
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        for name in SUBCOMMANDS {
            assert!(stdout(&output).contains(name), "{args:?} does not know {name}");
        }
    }
}

#[test]
fn the_schema_describes_the_report() {
    let schema: Value = serde_json::from_slice(&run(&["schema"]).stdout).unwrap();
    let required: Vec<&str> =
        schema["required"].as_array().unwrap().iter().map(|key| key.as_str().unwrap()).collect();
    let described = schema["properties"].as_object().unwrap();
    for name in SAMPLES {
        let report: Value =
            serde_json::from_slice(&run(&["sessions", "--json", name]).stdout).unwrap();
        let keys: Vec<&str> = report.as_object().unwrap().keys().map(String::as_str).collect();
        assert!(required.iter().all(|key| keys.contains(key)), "{name} has {keys:?} only");
        assert!(keys.iter().all(|key| described.contains_key(*key)), "{name} has {keys:?}");
        for key in ["captures", "schema", "schema_version", "sessions", "tool"] {
            assert!(keys.contains(&key), "{name} lacks {key}");
        }
    }
}

#[test]
fn sessions_are_chosen() {
    let all = &["sessions", "--json", "good.pcap", "resumed.pcap", "lost.pcap", "refused.pcap"];
    let chosen = |options: &[&str]| ids(&[&all[..], options].concat());
    let good = "{A0FF5911-4144-45B3-BF27-27AFC8EC8A67}";
    let resumed = "{1C34C8D4-0F42-49D1-A0D4-274383A65E8F}";
    let lost = "{DEADBEEF-0000-4000-8000-00000000BEEF}";
    assert_eq!(ids(all).len(), 4);
    assert_eq!(chosen(&["--session", "a0ff5911"]), [good]);
    assert_eq!(chosen(&["--client", "192.0.2.21"]), [good]);
    assert_eq!(chosen(&["--server", "frankcao8"]), [good]);
    assert_eq!(chosen(&["--server", "192.0.2.8:81"]), [] as [&str; 0]);
    assert_eq!(chosen(&["--url", "BACKUP.bak"]), [resumed]);
    assert_eq!(chosen(&["--outcome", "failed"]), [lost]);
    assert_eq!(chosen(&["--outcome", "rejected"]), [Value::Null]);
    assert_eq!(chosen(&["--outcome", "completed", "--client", "10.20.0.11"]), [resumed]);
}

#[test]
fn an_upload_is_of_every_host_that_took_part_in_it() {
    let capture = transcript(
        "= client 10.0.0.5\n= server 10.0.0.80:80\n= url http://front/a\n> CREATE-SESSION\n\
         < 200 session=1 host=node7\n= server 10.0.0.81:8080\n= url http://node7:8080/a\n\
         > FRAGMENT 0-9/10\n< 200\n= client 10.0.0.6\n> CLOSE-SESSION\n< 200\n",
    );
    for (options, count) in [
        (["--server", "10.0.0.80"], 1),
        (["--server", "10.0.0.81"], 1),
        (["--server", "10.0.0.81:8080"], 1),
        (["--server", "10.0.0.81:80"], 0),
        (["--server", "front"], 1),
        (["--server", "NODE7"], 1),
        (["--server", "node8"], 0),
        (["--client", "10.0.0.5"], 1),
        (["--client", "10.0.0.6"], 1),
        (["--client", "10.0.0.7"], 0),
    ] {
        let args = [&["sessions", "--json", "-"][..], &options].concat();
        let report: Value = serde_json::from_slice(&run_on(&capture, &args).stdout).unwrap();
        assert_eq!(report["sessions"].as_array().unwrap().len(), count, "{options:?}");
    }
}

#[test]
fn uploads_that_were_not_asked_for_are_not_denied() {
    for command in [
        &["sessions"][..],
        &["diagnose"],
        &["timeline"],
        &["report"],
        &["report", "--format", "markdown"],
    ] {
        let text = stdout(&run(&[command, &["--url", "typo", "good.pcap"]].concat()));
        assert!(text.contains("1 upload in"), "{text}");
        assert!(!text.contains("no BITS upload"), "{text}");
    }
}

#[test]
fn http_lists_every_exchange_as_a_line() {
    let output = stdout(&run(&["http", "--format", "ndjson", "good.pcap"]));
    let row = |line: &str| serde_json::from_str::<Value>(line).unwrap();
    let rows: Vec<Value> = output.lines().map(row).collect();
    let frames =
        |row: &Value| (row["request"]["frame"].as_u64(), row["response"]["frame"].as_u64());
    assert_eq!(
        rows.iter().map(frames).collect::<Vec<_>>(),
        [(4, 5), (7, 13), (15, 16), (18, 19)]
            .map(|(request, response)| (Some(request), Some(response)))
    );
    assert_eq!(
        rows[0],
        serde_json::json!({
            "client": "192.0.2.21:1042", "server": "192.0.2.8:80",
            "request": {
                "method": "BITS_POST", "target": "/upload/2000mb-rfc2119.txt", "host": "frankcao8", "frame": 4,
                "time": "2007-06-18T21:01:56.000000Z",
            },
            "response": {"status": 200, "frame": 5, "time": "2007-06-18T21:01:56.041000Z"},
        })
    );
}

#[test]
fn frames_of_several_captures_are_listed_by_their_capture() {
    let text = stdout(&run(&["http", "good.pcap", "lost.pcap"]));
    let frames: Vec<&str> =
        text.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(frames, ["1:4", "1:7", "1:15", "1:18", "2:4", "2:8"]);
}

#[test]
fn lines_of_json_hold_the_sessions_of_the_document() {
    for sample in SAMPLES {
        let document: Value =
            serde_json::from_slice(&run(&["sessions", "--format", "json", sample]).stdout).unwrap();
        let lines = stdout(&run(&["sessions", "--format", "ndjson", sample]));
        let mut lines: Vec<Value> =
            lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        lines.sort_by_key(|session| session["started"].to_string());
        assert_eq!(document["sessions"], Value::Array(lines), "{sample}");
    }
}

#[test]
fn what_is_written_to_a_pipe_is_there_while_the_capture_goes_on() {
    let (mut child, pipe) = fed(&["http", "--format", "ndjson", "-"], &sample("good.pcap"));
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (told, first) = channel();
    let reader = std::thread::spawn(move || told.send(lines.next().unwrap().unwrap()));
    let line = first.recv_timeout(Duration::from_secs(60)).expect("nothing while the pipe is open");
    assert!(line.contains("BITS_POST"), "{line}");
    drop(pipe);
    reader.join().unwrap().unwrap();
    assert!(child.wait().unwrap().success());
}

/// Starts the program on a pipe that stays open, and interrupts it once it reads.
#[cfg(unix)]
fn interrupted(args: &[&str]) -> Output {
    // More than a pipe holds: when all is written, reading has begun.
    let good = sample("good.pcap");
    let (header, frames) = good.split_at(24);
    let (child, pipe) = fed(args, &[header, &frames.repeat(100)].concat());
    let signal = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(signal.success());
    let output = child.wait_with_output().unwrap();
    drop(pipe);
    output
}

#[cfg(unix)]
#[test]
fn an_interrupt_is_the_end_of_a_pipe() {
    let dir = tempfile::tempdir().unwrap();
    let page = dir.path().join("page.html");
    let output = interrupted(&["report", "-", "-o", page.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0));
    assert!(std::fs::read_to_string(page).unwrap().contains("completed"));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    let output = interrupted(&["sessions", "--format", "ndjson", "-"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(stdout(&output).contains("\"outcome\":\"completed\""));
}

#[test]
fn a_key_log_without_a_line_of_one_is_a_complaint() {
    let dir = tempfile::tempdir().unwrap();
    let keys = "CLIENT_RANDOM 00 00\n".encode_utf16().flat_map(u16::to_le_bytes);
    let keys = store(&dir, "keys.log", &keys.collect::<Vec<_>>());
    let output = run(&["sessions", "--tls-keys", keys.to_str().unwrap(), "good.pcap"]);
    assert_eq!(output.status.code(), Some(0));
    let complaint = stderr(&output);
    assert!(complaint.contains("keys.log: no line of a TLS key log is in it"), "{complaint}");
    let empty = store(&dir, "new.log", b"");
    let output = run(&["sessions", "--tls-keys", empty.to_str().unwrap(), "good.pcap"]);
    assert_eq!(stderr(&output), "");
}

#[test]
fn what_comes_through_a_pipe_has_its_name_in_messages() {
    let whole = sample("good.pcap");
    for command in ["annotate", "redact"] {
        let output = run_on(&whole[..3_000], &[command, "-", "-o", "-"]);
        assert!(stderr(&output).starts_with("bitsleuth: -: cut off"), "{}", stderr(&output));
        let output = run_on(b"no capture at all", &[command, "-", "-o", "-"]);
        assert!(stderr(&output).starts_with("bitsleuth: -: not a capture"), "{}", stderr(&output));
        assert_eq!(output.status.code(), Some(2));
    }
}

#[test]
fn a_key_log_that_only_the_environment_names_may_be_missing() {
    let output = bitsleuth()
        .args(["sessions", "good.pcap"])
        .env("SSLKEYLOGFILE", "missing.keys")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stderr(&output).contains("missing.keys: "), "{}", stderr(&output));
    let output =
        bitsleuth().args(["sessions", "good.pcap"]).env("SSLKEYLOGFILE", "").output().unwrap();
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
    let output = run(&["sessions", "--tls-keys", "missing.keys", "good.pcap"]);
    assert_eq!(output.status.code(), Some(2));
}

#[cfg(unix)]
#[test]
fn what_is_no_file_keeps_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let link = dir.path().join("null");
    std::os::unix::fs::symlink("/dev/null", &link).unwrap();
    for command in [&["export", "--format", "json"][..], &["report"]] {
        let output = run(&[command, &["good.pcap", "-o", link.to_str().unwrap()]].concat());
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert!(link.is_symlink(), "{command:?}");
    }
}

#[cfg(windows)]
#[test]
fn a_device_is_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let capture = store(&dir, "good.pcap", &sample("good.pcap"));
    for command in [&["export", "--format", "json"][..], &["report"]] {
        let args = [command, &["-o", "NUL", capture.to_str().unwrap()]].concat();
        let output = bitsleuth().args(args).current_dir(dir.path()).output().unwrap();
        assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    assert_eq!(
        stderr(&run(&["sessions", "NUL"])),
        "bitsleuth: NUL: not a capture: the file is empty\n"
    );
}

#[cfg(windows)]
#[test]
fn a_pattern_stands_for_the_files_that_fit() {
    let named = ids(&["sessions", "--json", "lost.pcap", "resumed.pcap"]);
    let dir = tempfile::tempdir().unwrap();
    for name in ["lost.pcap", "resumed.pcap"] {
        store(&dir, name, &sample(name));
    }
    let pattern = dir.path().join("*.PCAP");
    assert_eq!(ids(&["sessions", "--json", pattern.to_str().unwrap()]), named);
    assert!(stderr(&run(&["sessions", "x*.pcap"])).starts_with("bitsleuth: x*.pcap: "));
}

#[test]
fn standard_input_is_read_once() {
    let output = run_on(&sample("lost.pcap"), &["sessions", "-", "-"]);
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(2), ""));
    let told = stderr(&output);
    assert!(told.contains("`-` is named more than once") && told.lines().count() == 1, "{told}");
}

#[cfg(target_os = "linux")]
#[test]
fn help_that_cannot_be_written_is_told() {
    for args in [&["--help"][..], &["--version"], &["help", "http"], &["http", "--help"]] {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let output = bitsleuth().args(args).stdout(full).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(stderr(&output).contains("No space left"), "{args:?}");
    }
}

#[test]
fn where_nothing_can_be_read_nothing_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("files");
    let name = folder.to_str().unwrap();
    for args in [
        &["extract", "-o", name][..],
        &["report"],
        &["report", "--format", "markdown"],
        &["http"],
        &["timeline"],
    ] {
        let output = run(&[args, &["absent.pcap"]].concat());
        assert_eq!((output.status.code(), stdout(&output)), (Some(2), String::new()), "{args:?}");
    }
    assert!(!folder.join("manifest.json").exists());
}

#[test]
fn a_capture_of_no_frames_or_seconds_is_refused() {
    for option in ["-c", "-a"] {
        let output = run(&["capture", "-i", "lo", option, "0"]);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains("invalid value '0'"), "{}", stderr(&output));
    }
}
