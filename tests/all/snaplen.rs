//! Of a head that the snap length cuts, nothing is said that only its rest could tell.

use serde_json::Value;

use crate::stitch::told;
use crate::support::build::{Order, pcap, records, resegmented, snapped};
use crate::support::{report, run_on, stdout, transcript};

/// The report on a conversation of which `len` bytes of each frame were captured.
fn cut(text: &str, len: usize) -> Value {
    report(&[&pcap(&snapped(&records(&transcript(text)), len), Order::Little)])
}

/// The causes that sessions are given.
fn causes(report: &Value) -> Vec<&str> {
    let sessions = report["sessions"].as_array().unwrap().iter();
    sessions.filter_map(|session| session["diagnosis"]["cause"].as_str()).collect()
}

const UPLOAD: &str =
    "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< 200\n> FRAGMENT 10-19/20\n";
const REST: &str = "< 200\n> CLOSE-SESSION\n< 200\n";

/// Lengths from the end of the first line to that of the longest head.
const LENGTHS: std::ops::Range<usize> = 92..420;

#[test]
fn a_healthy_upload_is_one_that_nothing_is_wrong_with_however_much_is_cut() {
    for len in LENGTHS {
        let report = cut(&format!("{UPLOAD}{REST}"), len);
        let told = told(&report);
        assert!(causes(&report).is_empty() && told.len() == 1, "{len}: {told:?}");
    }
}

#[test]
fn the_bytes_of_a_fragment_count_though_its_head_is_cut() {
    for len in LENGTHS {
        let session = &cut(&format!("{UPLOAD}{REST}"), len)["sessions"][0];
        let ranges = session["fragments"].as_array().unwrap().iter();
        let known = ranges.filter(|range| range["end"].is_u64()).count() as u64;
        assert_eq!(session["bytes_sent"], known * 10, "{len}");
    }
    let text = format!(
        "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-2999/3000 sent=2000\n  X-Last: {:0200}\n! client resets\n",
        0
    );
    for len in LENGTHS {
        let session = &cut(&text, len)["sessions"][0];
        assert!(session["bytes_sent"].as_u64().unwrap() <= 2000, "{len}");
    }
}

#[test]
fn what_was_captured_at_most_is_told_not_what_the_file_states() {
    let report = cut(&format!("{UPLOAD}{REST}"), 100);
    let message = report["findings"][0]["message"].as_str().unwrap();
    assert!(message.ends_with(" cut, to 100 bytes at most"), "{message}");
}

#[test]
fn the_path_stands_for_a_url_of_which_the_host_is_cut_off() {
    let frames = snapped(&records(&transcript(&format!("{UPLOAD}{REST}"))), 100);
    let capture = pcap(&frames, Order::Little);
    for command in [&["diagnose", "-q", "-"][..], &["timeline", "-"], &["sessions", "-"]] {
        let text = stdout(&run_on(&capture, command));
        assert!(text.contains(" /upload/file.bin"), "{command:?}: {text}");
    }
}

#[test]
fn an_upload_of_unknown_length_is_only_likely_whole() {
    let mut seen = 0;
    for len in LENGTHS {
        let report = cut(&format!("{UPLOAD}{REST}"), len);
        let session = &report["sessions"][0];
        if session["outcome"] == "completed" && session["bytes_total"].is_null() {
            assert_eq!(session["outcome_qualifiers"][0], "likely", "{len}");
            seen += 1;
        }
    }
    assert!(seen > 0);
}

#[test]
fn a_session_that_is_lost_does_not_confirm_less_where_its_successor_cannot_be_told() {
    let lost = "< 500 error=0x8020001F context=0x5\n";
    for len in LENGTHS {
        let report = cut(&format!("{UPLOAD}{lost}{}{REST}", UPLOAD.replace("=1", "=2")), len);
        let known = ["session-not-found", "capture-truncated"];
        let other = |cause: &&str| !known.iter().any(|known| cause.starts_with(known));
        assert_eq!(causes(&report).into_iter().find(other), None, "{len}: {:?}", told(&report));
    }
}

#[test]
fn the_type_of_a_packet_is_told_by_its_first_letters() {
    let types = "Create-Session Fragment Fragment Close-Session";
    assert_eq!(told(&cut(&format!("{UPLOAD}{REST}"), 195)), [format!("1 completed: {types}")]);
}

#[test]
fn a_client_is_not_said_to_lack_credentials_that_may_be_cut_off() {
    let text = "> CREATE-SESSION\n< 401 plain\n  WWW-Authenticate: Basic\n\
                > CREATE-SESSION\n  Authorization: Basic YTpi\n< 401 plain\n  WWW-Authenticate: Basic\n! client closes\n";
    assert_eq!(causes(&cut(text, 2_000)), ["auth-loop"]);
    for len in LENGTHS {
        assert!(!causes(&cut(text, len)).contains(&"auth-no-credentials"), "{len}");
    }
}

#[test]
fn an_error_for_a_message_that_is_cut_before_its_type_may_be_for_any() {
    let report = cut("> CREATE-SESSION\n< 403 plain\n", 130);
    assert_eq!(told(&report), ["- incomplete: unknown"]);
    let session = &report["sessions"][0];
    assert_eq!(session["outcome_qualifiers"][0], "heads-cut");
    let causes = causes(&report);
    assert_eq!(causes, ["capture-truncated"]);
}

#[test]
fn an_error_that_is_cut_before_its_code_is_not_said_to_have_none() {
    let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< 500 error=0x80070070 context=0x5\n! client closes\n";
    let mut named = 0;
    for len in LENGTHS {
        let report = cut(text, len);
        let session = report["sessions"].as_array().unwrap().last().unwrap().clone();
        let findings = session["findings"].as_array().unwrap().iter();
        let rules: Vec<_> = findings.filter_map(|finding| finding["rule"].as_str()).collect();
        assert!(!rules.contains(&"server-error-unspecified"), "{len}");
        named += usize::from(rules.contains(&"server-disk-full"));
        assert!(
            rules.iter().any(|rule| ["server-disk-full", "capture-truncated"].contains(rule)),
            "{len}: {rules:?}"
        );
    }
    assert!(named > 0);
}

#[test]
fn a_head_that_a_hole_cuts_is_not_said_to_be_cut_by_the_snap_length() {
    let whole = records(&transcript("> CREATE-SESSION\n< 403 plain\n! client closes\n"));
    let frames = resegmented(&whole, 30);
    let mut seen = 0;
    for lost in 0..frames.len() {
        let mut frames = frames.clone();
        frames.remove(lost);
        let report = report(&[&pcap(&frames, Order::Little)]);
        seen += usize::from(told(&report).iter().any(|told| told.ends_with("unknown")));
        assert!(!causes(&report).contains(&"capture-truncated"), "{lost}");
    }
    assert!(seen > 0);
}

#[test]
fn uploads_whose_requests_are_cut_within_the_first_line_are_not_passed_over_in_silence() {
    let report = cut(&format!("{UPLOAD}{REST}"), 70);
    assert_eq!(report["sessions"].as_array().map(Vec::len), Some(0));
    let findings = report["findings"].as_array().unwrap();
    let says = |finding: &Value| finding["message"].as_str().unwrap().starts_with("4 requests");
    assert!(findings.iter().any(says), "{findings:#?}");
}

#[test]
fn a_choice_among_offers_that_are_cut_off_is_no_wrong_one() {
    let offers = "x".repeat(600);
    let text = format!(
        "> CREATE-SESSION\n  X-First: {offers}\n  BITS-Supported-Protocols:\n  + BITS-Supported-Protocols: \
         {{7DF0354D-249B-430F-820D-3D2A9BEF4931}}\n< 200 session=1\n"
    );
    let session = &cut(&text, 500)["sessions"][0];
    assert_eq!(session["negotiation"]["verdict"], "selection-only");
    assert_eq!(session["outcome"], "incomplete");
}

#[test]
fn what_may_be_of_another_upload_is_not_held_against_this_one() {
    let one = |id: &str| {
        format!(
            "> CREATE-SESSION\n< 200 session={id}\n> FRAGMENT 0-9/20 session={id}\n< 200\n> FRAGMENT 10-19/20 session={id}\n< 200\n\
             > CLOSE-SESSION session={id}\n< 200\n= connection\n"
        )
    };
    let (first, second) = (one("1"), one("2"));
    // Each in turn, one message and its answer at a time.
    let pairs = |text: &str| {
        let lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines.chunks(2).map(|pair| pair.join("\n")).collect::<Vec<_>>()
    };
    let both = pairs(&first).into_iter().zip(pairs(&second));
    let text: Vec<_> =
        both.map(|(one, two)| format!("{one}\n= connection\n{two}\n= connection")).collect();
    for len in LENGTHS {
        let report = cut(&text.join("\n"), len);
        assert!(causes(&report).is_empty(), "{len}: {:?} {:?}", causes(&report), told(&report));
    }
}

#[test]
fn a_close_whose_id_is_cut_off_repeats_the_one_before() {
    let text = format!("{UPLOAD}{REST}> CLOSE-SESSION\n< 500 error=0x8020001F context=0x5\n");
    for len in LENGTHS.filter(|len| *len >= 195) {
        assert_eq!(told(&cut(&text, len)).len(), 1, "{len}");
    }
}

#[test]
fn fragments_whose_ranges_are_cut_off_are_not_all_the_same() {
    let text = "> CREATE-SESSION\n< 200 session=1\n".to_owned()
        + &(0..5)
            .map(|at| {
                let range = format!("FRAGMENT {at}0-{at}9/60");
                format!("> {range}\n< 503\n> {range}\n< 200\n")
            })
            .collect::<String>();
    for len in LENGTHS {
        let report = cut(&text, len);
        assert!(!causes(&report).contains(&"retry-storm"), "{len}");
    }
}

#[test]
fn fragments_that_fail_time_after_time_may_be_the_same_where_their_ranges_are_cut_off() {
    let text = format!("{UPLOAD}{}", "< 500 plain\n> FRAGMENT 10-19/20\n".repeat(4));
    let confidences = |len| {
        let report = cut(&text, len);
        let findings = report["sessions"][0]["findings"].as_array().unwrap().clone();
        let storms = findings.into_iter().filter(|finding| finding["rule"] == "retry-storm");
        storms.map(|storm| storm["confidence"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(confidences(2_000), ["certain"]);
    let cut: Vec<_> = LENGTHS.flat_map(confidences).collect();
    assert!(cut.iter().any(|confidence| confidence == "possible"), "{cut:?}");
    assert!(!cut.iter().any(|confidence| confidence == "likely"), "{cut:?}");
}

#[test]
fn requests_that_are_cut_are_no_reason_to_blame_the_client_for_repeats() {
    let text = "> CREATE-SESSION\n! server closes\n! client closes\n= connection\n".repeat(3);
    assert_eq!(causes(&cut(&text, 2_000)), ["response-cut-off"]);
    for len in LENGTHS {
        assert!(!causes(&cut(&text, len)).contains(&"retry-storm"), "{len}");
    }
}

#[test]
fn a_request_of_which_the_length_is_cut_off_is_not_said_to_be_slow() {
    for len in LENGTHS {
        let report = cut(&format!("{UPLOAD}< 408 plain\n! client closes\n"), len);
        assert!(!causes(&report).contains(&"request-timeout"), "{len}");
    }
}

#[test]
fn a_challenge_of_a_proxy_needs_no_whole_request() {
    let ask = "< 407 plain\n  Server: squid/5.7\n  Proxy-Authenticate: Basic\n";
    let (leaves, asked) =
        ("! client closes\n", format!("> CREATE-SESSION\n  X-First: {:0200}\n{ask}", 0));
    for len in [200, 256, 2_000] {
        let report = cut(&format!("{asked}{leaves}"), len);
        assert_eq!(causes(&report), ["proxy-auth-required"], "{len}");
    }
    let tried = "> CREATE-SESSION\n  Proxy-Authorization: Basic YTpi\n";
    for len in LENGTHS {
        let report = cut(&format!("{asked}{tried}{ask}{leaves}"), len);
        assert!(!causes(&report).contains(&"proxy-auth-required"), "{len}");
    }
}

#[test]
fn a_server_of_any_order_takes_nothing_back_where_the_ranges_are_cut_off() {
    let fragments = [(20, 29), (10, 19), (0, 9)].map(|(first, last)| {
        format!("> FRAGMENT {first}-{last}/30\n< 200 received={}\n", last + 1)
    });
    let text = format!("> CREATE-SESSION\n< 200 session=1\n{}", fragments.concat());
    for len in LENGTHS {
        let report = cut(&text, len);
        assert!(!causes(&report).contains(&"ack-offset-went-back"), "{len}");
    }
}

#[test]
fn a_packet_that_may_be_of_any_type_did_not_fail_the_upload_by_its_size() {
    for len in LENGTHS {
        let report = cut(&format!("{UPLOAD}< 413 plain\n! client closes\n"), len);
        let sessions = report["sessions"].as_array().unwrap();
        let failed = sessions.iter().any(|session| session["outcome"] == "failed");
        assert_eq!(causes(&report).contains(&"request-too-large"), failed, "{len}");
    }
}

#[test]
fn frames_that_are_cut_hide_no_fragment_before_a_close() {
    let text = format!(
        "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-2999/9000\n  X-Last: {:0200}\n< 200\n> CLOSE-SESSION\n< 200\n",
        0
    );
    for len in [330, 400, 2_000, 4_000] {
        let session = &cut(&text, len)["sessions"][0];
        assert_eq!(session["outcome_qualifiers"][0], "closed-short", "{len}");
    }
}

#[test]
fn a_refusal_that_is_read_needs_no_whole_request() {
    let long = format!("  X-Last: {:0300}\n", 0);
    let told = [
        ("> CREATE-SESSION", "< 501 error=0x80070005 context=0x5\n", "uploads-not-enabled"),
        (
            "> CREATE-SESSION",
            "< 503 plain\n  | <html><body><h1>503 Service Unavailable</h1>\n",
            "gateway-error",
        ),
        ("> CREATE-SESSION", "< 405 plain\n  Server: nginx/1.22.1\n", "verb-rejected-by-server"),
        (
            "> CREATE-SESSION offers={11111111-2222-3333-4444-555555555555}",
            "< 400 error=0x80070057 context=0x5\n",
            "protocol-not-supported",
        ),
    ];
    for (request, answer, cause) in told {
        let text = format!("{request}\n{long}{answer}! client closes\n");
        let seen: Vec<_> = LENGTHS.filter(|len| causes(&cut(&text, *len)) == [cause]).collect();
        assert!(seen.len() > 100, "{cause}: {seen:?}");
    }
}

#[test]
fn a_request_that_is_called_malformed_may_be_so_where_it_is_cut() {
    let text = format!(
        "> CREATE-SESSION\n  X-Last: {:0300}\n< 400 plain\n  Server: nginx/1.22.1\n! client closes\n",
        0
    );
    for len in LENGTHS {
        assert!(!causes(&cut(&text, len)).contains(&"verb-rejected-by-server"), "{len}");
    }
    assert_eq!(causes(&cut(&text, 2_000)), ["verb-rejected-by-server"]);
}

#[test]
fn a_close_is_not_too_early_where_ranges_are_cut_off() {
    for len in LENGTHS {
        let report = cut(&format!("{UPLOAD}{REST}"), len);
        let session = &report["sessions"][0];
        assert_ne!(session["outcome"], "failed", "{len}: {session:#}");
    }
    // The Ack of the last Fragment is longer than the others.
    let long = format!(
        "< 200\n  BITS-Received-Content-Range:\n  X-First: {:0300}\n  + BITS-Received-Content-Range: 20\n",
        0
    );
    let rest = REST.replacen("< 200\n", &long, 1);
    for len in LENGTHS {
        let report = cut(&format!("{UPLOAD}{rest}"), len);
        assert_ne!(report["sessions"][0]["outcome"], "failed", "{len}");
    }
}
