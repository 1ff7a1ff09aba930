//! Findings as SARIF 2.1.0 (OASIS), which code hosts and CI systems show.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::{self, Write};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::{Value, json};

use super::json::{self, Listed};
use crate::at::At;
use crate::model::{Report, Session};
use crate::rules::{ALL, Finding, Rule};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

#[derive(Serialize)]
struct Log<R> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    runs: [Run<R>; 1],
    version: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<R> {
    artifacts: Vec<Value>,
    column_kind: &'static str,
    invocations: [Value; 1],
    results: R,
    tool: Value,
}

/// Writes one run with a result for every finding.
pub fn write(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let results = || {
        let of_sessions = report.sessions.iter().flat_map(|session| {
            session.findings.iter().map(move |finding| (Some(session), finding))
        });
        let of_capture = report.findings.iter().map(|finding| (None, finding));
        let all = of_capture.chain(of_sessions);
        all.map(|(session, finding)| result(report, session, finding))
    };
    let driver = json!({
        "name": report.tool.name,
        "semanticVersion": report.tool.version,
        "rules": ALL.iter().map(|rule| descriptor(rule)).collect::<Vec<_>>(),
    });
    let named =
        report.captures.iter().map(|input| json!({ "location": { "uri": uri(&input.name) } }));
    let run = Run {
        artifacts: named.collect(),
        column_kind: "unicodeCodePoints",
        invocations: [invocation(report)],
        results: Listed(results),
        tool: json!({ "driver": driver }),
    };
    json::write(out, &Log { schema: SCHEMA, runs: [run], version: "2.1.0" })
}

/// Whether all captures were read; what is wrong with those that were not.
fn invocation(report: &Report) -> Value {
    let failed = report.captures.iter().filter(|input| input.failed);
    let told: Vec<Value> = failed
        .map(|input| {
            let problem = input.problem.as_deref().unwrap_or("could not be read");
            let place = json!({ "artifactLocation": { "uri": uri(&input.name) } });
            json!({
                "level": "error",
                "message": { "text": literal(problem) },
                "locations": [{ "physicalLocation": place }],
            })
        })
        .collect();
    json!({ "executionSuccessful": told.is_empty(), "toolExecutionNotifications": told })
}

fn descriptor(rule: &Rule) -> Value {
    json::without_null(json!({
        "id": rule.id(),
        "shortDescription": { "text": rule.title() },
        "fullDescription": { "text": rule.text().join("\n\n") },
        "help": { "text": rule.advice() },
        "defaultConfiguration": { "level": rule.severity },
        "properties": { "tags": [rule.family()] },
    }))
}

/// A finding in the capture that holds its first frame, or that it is about; with those that hold its other frames.
fn result(report: &Report, session: Option<&Session>, finding: &Finding) -> Value {
    let only = (report.captures.len() == 1).then_some(0);
    let number = finding.proof.first().map(|at| at.place()).or(finding.input).or(only);
    let file = |number: u32| {
        let input = report.captures.get(usize::try_from(number).ok()?)?;
        Some(json!({ "artifactLocation": { "uri": uri(&input.name), "index": number } }))
    };
    let others: BTreeSet<u32> = finding.proof.iter().map(At::place).collect();
    let others = others.into_iter().filter(|other| Some(*other) != number).filter_map(file);
    let related: Vec<Value> = others.map(|place| json!({ "physicalLocation": place })).collect();
    let labels: Vec<String> = finding.proof.iter().filter_map(At::label).collect();
    let cause = session.and_then(|session| session.diagnosis.as_ref());
    let is_cause =
        cause.is_some_and(|cause| *cause.cause == *finding.rule && cause.frames == finding.frames);
    let upload = session.and_then(Session::name);
    let location = json::without_null(json!({
        "physicalLocation": number.and_then(file),
        "logicalLocations":
            upload.map(|name| json!([{ "fullyQualifiedName": name, "kind": "resource" }])),
    }));
    json::without_null(json!({
        "ruleId": finding.rule,
        "ruleIndex": ALL.iter().position(|rule| rule.is_named(&finding.rule)),
        "level": finding.severity,
        "message": { "text": literal(&finding.message) },
        "locations": [location],
        "relatedLocations": (!related.is_empty()).then_some(related),
        "properties": {
            "confidence": finding.confidence,
            "frames": finding.frames,
            "frame_labels": (!labels.is_empty()).then_some(labels),
            "session_id": session.and_then(|session| session.id.as_deref()),
            "client": session.map(|session| session.client.address),
            "cause": is_cause.then_some(true),
        },
    }))
}

/// Text from the wire that must become neither a placeholder, as `{0}` is in a message, nor a link, as
/// `[this](http://host)` (SARIF 3.11.5 and 3.11.6).
fn literal(text: &str) -> Cow<'_, str> {
    let mut text = Cow::from(text);
    if text.contains(['{', '}']) {
        text = text.replace('{', "{{").replace('}', "}}").into();
    }
    if text.contains("](") {
        text = text.replace('\\', r"\\").replace('[', r"\[").replace(']', r"\]").into();
    }
    text
}

/// What is escaped in a relative reference.
const REFERENCE: AsciiSet =
    NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');
/// What is escaped in a file URI, which may name a drive.
const FILE_URI: AsciiSet = REFERENCE.remove(b':');

/// A path as a relative reference or a file URI (RFC 3986 4.2, RFC 8089 2).
fn uri(name: &str) -> String {
    let path = name.replace('\\', "/");
    let (front, escaped) = match path.as_bytes() {
        [b'/', ..] => ("file://", &FILE_URI),
        [drive, b':', b'/', ..] if drive.is_ascii_alphabetic() => ("file:///", &FILE_URI),
        _ => ("", &REFERENCE),
    };
    format!("{front}{}", utf8_percent_encode(&path, escaped))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_link_and_no_placeholder_does_not_become_one() {
        assert_eq!(literal("host [fd00::5] of a\\b"), "host [fd00::5] of a\\b");
        assert_eq!(literal(r"a\[b](http://c)"), r"a\\\[b\](http://c)");
        assert_eq!(literal("/{0}/x"), "/{{0}}/x");
    }

    #[test]
    fn a_name_becomes_a_uri() {
        assert_eq!(uri("C:\\caps\\a b.pcap"), "file:///C:/caps/a%20b.pcap");
        assert_eq!(uri("/caps/ä.pcap"), "file:///caps/%C3%A4.pcap");
        assert_eq!(uri("caps/a:b.pcap"), "caps/a%3Ab.pcap");
        assert_eq!(uri("-"), "-");
    }
}
