//! Which upload a message belongs to, where the capture lacks others.

use serde_json::Value;

use crate::support::build::{Order, Record, pcap, records};
use crate::support::{report, transcript};

/// The report on a conversation without those of its segments with data that are listed, counted from 0.
fn without(lost: &[usize], text: &str) -> Value {
    let mut number = 0;
    let mut kept = |record: &Record| {
        let counts = !record.payload().is_empty();
        number += usize::from(counts);
        !counts || !lost.contains(&(number - 1))
    };
    let mut records = records(&transcript(text));
    records.retain(|record| kept(record));
    report(&[&pcap(&records, Order::Little)])
}

/// Id, outcome and types of each session.
fn told(report: &Value) -> Vec<String> {
    let sessions = report["sessions"].as_array().unwrap().iter();
    sessions
        .map(|session| {
            let exchanges = session["exchanges"].as_array().unwrap().iter();
            let types: Vec<_> = exchanges.map(|e| e["type"].as_str().unwrap()).collect();
            let text = |key: &str| session[key].as_str().unwrap_or("-");
            format!("{} {}: {}", text("id"), text("outcome"), types.join(" "))
        })
        .collect()
}

#[test]
fn a_page_with_a_hole_does_not_keep_the_ack_behind_it_from_its_session() {
    let page = "x".repeat(4_000);
    let text = format!(
        "> CREATE-SESSION\n< 401 plain\n  WWW-Authenticate: Basic\n  | {page}\n\
         > CREATE-SESSION\n  Authorization: Basic YTpi\n< 200 session=1\n\
         > FRAGMENT 0-19999/20000\n< 200\n> CLOSE-SESSION\n< 200\n"
    );
    for hole in [2, 3] {
        let types = "Create-Session Create-Session Fragment Close-Session";
        assert_eq!(told(&without(&[hole], &text)), [format!("1 completed: {types}")], "{hole}");
    }
}
