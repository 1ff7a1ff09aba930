//! The catalogue of rules, as printed and as kept in the source.

use serde_json::Value;

use crate::golden::compare;
use crate::support::{run, stderr, stdout};

fn said(args: &[&str]) -> String {
    let output = run(&[&["rules"], args].concat());
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""), "{args:?}");
    stdout(&output)
}

#[test]
fn the_tables_in_the_source_are_those_of_the_rules() {
    compare("../../src/rules/README.md", &["rules", "--format", "markdown"], 0);
}

#[test]
fn a_family_is_a_part_of_the_catalogue() {
    let (all, tcp) = (said(&[]), said(&["--family", "tcp"]));
    let part = || all.lines().filter(|line| line.split_whitespace().nth(2) == Some("tcp"));
    assert!(tcp.lines().count() > 3 && tcp.lines().count() == part().count());
    let ids = |text: &str| -> Vec<String> {
        text.lines().map(|line| line.split(' ').next().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(&tcp), part().flat_map(ids).collect::<Vec<_>>());
}

#[test]
fn json_has_what_the_documentation_says() {
    let rules: Vec<Value> = serde_json::from_str(&said(&["--json"])).unwrap();
    assert_eq!(rules, serde_json::from_str::<Vec<Value>>(&said(&["--format", "json"])).unwrap());
    assert_eq!(rules.len(), said(&[]).lines().count());
    let rule = rules.iter().find(|rule| rule["id"] == "tcp-reset-by-middlebox").unwrap();
    assert_eq!(rule["client_code"], "0x80072EFE");
    assert_eq!((&rule["severity"], &rule["family"]), (&Value::from("error"), &Value::from("tcp")));
}

#[test]
fn text_wraps_in_its_last_column() {
    let text = said(&["--width", "80"]);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn a_family_that_is_none_is_a_wrong_command_line() {
    let output = run(&["rules", "--family", "no-such"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("possible values: auth, capture, "), "{}", stderr(&output));
}
