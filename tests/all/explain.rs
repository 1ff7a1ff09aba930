//! What `explain` makes of words and numbers.

use serde_json::Value;

use crate::support::{run, stderr, stdout};

/// What the program says, where it knows all that was asked.
fn said(args: &[&str]) -> String {
    let output = run(&[&["explain"], args].concat());
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""), "{args:?}");
    stdout(&output)
}

fn articles(args: &[&str]) -> Vec<Value> {
    serde_json::from_str(&said(&[&["--json"], args].concat())).unwrap()
}

/// What the program complains of.
fn complaint(args: &[&str]) -> String {
    let output = run(&[&["explain"], args].concat());
    assert_eq!(output.status.code(), Some(2), "{args:?}");
    stderr(&output)
}

#[test]
fn a_status_is_said_as_the_code_that_bits_logs() {
    assert!(
        said(&["404"]).starts_with(
            "0x80190194   BG_E_HTTP_ERROR_404   -2145844844
  the URL does not exist on the server
  HTTP status 404, as BITS reports it

  cause       A wrong URL; on IIS 7 and later also uploads switched off"
        ),
        "{}",
        said(&["404"])
    );
}

#[test]
fn a_code_is_the_same_in_every_notation() {
    let prefixed = said(&["0x8020001F"]);
    assert!(prefixed.starts_with("0x8020001F   BG_E_SESSION_NOT_FOUND   -2145386465\n"));
    for what in ["8020001f", "2149580831", "-2145386465", "BG_E_SESSION_NOT_FOUND"] {
        assert_eq!(said(&[what]), prefixed, "{what}");
    }
}

#[test]
fn codes_lead_to_the_rules_that_speak_of_them() {
    let [code] = &articles(&["12030"])[..] else { panic!() };
    assert_eq!(code["symbol"], "ERROR_WINHTTP_CONNECTION_ERROR");
    let rules = code["rules"].as_array().unwrap();
    assert!(rules.contains(&Value::from("tcp-reset-by-middlebox")), "{rules:?}");
}

#[test]
fn a_rule_comes_with_its_example_and_what_the_client_logs() {
    let text = said(&["tcp-reset-by-middlebox"]);
    assert!(text.starts_with("tcp-reset-by-middlebox   error, tcp\n"), "{text}");
    for line in [
        "  fires on    > CREATE-SESSION\n              < 200 session=1\n",
        "  answerable  the network\n",
        "  client log  0x80072EFE, ERROR_WINHTTP_CONNECTION_ERROR, connection dropped\n",
        "  reference   RFC 9293 3.5.2\n",
    ] {
        assert!(text.contains(line), "{text}");
    }
}

#[test]
fn several_things_are_explained_in_their_order() {
    let asked = ["ping", "{7DF0354D-249B-430F-820D-3D2A9BEF4931}", "no-common-protocol", "431"];
    let articles = articles(&asked);
    let pick = |key: &str| -> Vec<&str> {
        articles.iter().map(|article| article[key].as_str().unwrap_or("")).collect()
    };
    assert_eq!(pick("kind"), ["word", "protocol", "word", "code"]);
    assert_eq!(pick("word"), ["Ping", "", "no-common-protocol", ""]);
    assert_eq!(pick("name"), ["", "BITS 1.5 Upload Protocol", "", ""]);
    assert_eq!(pick("code"), ["", "", "", "0x801901AF"]);
}

#[test]
fn the_unknown_is_one_complaint_with_what_comes_close() {
    assert_eq!(
        complaint(&["fragment-gpa"]),
        "bitsleuth: fragment-gpa: nothing is known by that name; did you mean fragment-gap?\n"
    );
    assert_eq!(
        complaint(&["0xDEADBEEF"]),
        "bitsleuth: 0xDEADBEEF: nothing is known by that name; `bitsleuth rules` lists the rules\n"
    );
    assert_eq!(
        complaint(&["\u{1b}[2J"]),
        "bitsleuth: \\x1b[2J: nothing is known by that name; `bitsleuth rules` lists the rules\n"
    );
}

#[test]
fn the_known_is_explained_beside_the_unknown() {
    let output = run(&["explain", "zzzzzz", "431"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(stderr(&output).lines().count(), 1);
    assert!(stdout(&output).starts_with("0x801901AF"));
}

#[test]
fn text_wraps_and_is_ascii_when_asked_for() {
    let text = said(&["--width", "50", "--ascii", "0x8020001F", "Fragment", "cancelled"]);
    assert!(text.is_ascii(), "{text}");
    assert!(text.lines().all(|line| line.len() <= 50), "{text}");
}

#[test]
fn shells_complete_rules_and_help_does_not_list_them() {
    // The scripts of the other shells know no values of arguments without a name.
    for shell in ["bash", "zsh"] {
        assert!(stdout(&run(&["completions", shell])).contains("fragment-gap"), "{shell}");
    }
    for args in [&["explain", "-h"][..], &["explain", "--help"], &["man"]] {
        assert!(!stdout(&run(args)).contains("fragment-gap"), "{args:?}");
    }
}
