//! Findings as SARIF 2.1.0 (OASIS), which code hosts and CI systems show.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::json;
use crate::model::{Report, Session};
use crate::rules::{ALL, Finding, Rule};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// Writes one run with a result for every finding.
pub fn write(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let of_sessions = report
        .sessions
        .iter()
        .flat_map(|session| session.findings.iter().map(move |finding| (Some(session), finding)));
    let of_capture = report.findings.iter().map(|finding| (None, finding));
    let results: Vec<Value> = of_capture
        .chain(of_sessions)
        .map(|(session, finding)| result(report, session, finding))
        .collect();
    let document = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": report.tool.name,
                "semanticVersion": report.tool.version,
                "rules": ALL.iter().map(|rule| descriptor(rule)).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    json::write(out, &document)
}

fn descriptor(rule: &Rule) -> Value {
    let text = rule.text().join("\n\n");
    object([
        ("id", Some(json!(rule.id()))),
        ("shortDescription", Some(json!({ "text": rule.title() }))),
        ("fullDescription", (!text.is_empty()).then(|| json!({ "text": text }))),
        ("help", rule.advice().map(|advice| json!({ "text": advice }))),
        ("defaultConfiguration", Some(json!({ "level": rule.severity }))),
        ("properties", Some(json!({ "tags": [rule.family()] }))),
    ])
}

/// A finding in the capture that holds its first frame; its frames are those of that capture.
fn result(report: &Report, session: Option<&Session>, finding: &Finding) -> Value {
    let number = finding.proof.first().map_or(0, |at| at.input);
    let file = usize::try_from(number).ok().and_then(|number| report.captures.get(number));
    let file = file.map(|input| uri(&input.name));
    let frames: Vec<u32> =
        finding.proof.iter().filter(|at| at.input == number).map(|at| at.input_frame).collect();
    let upload = session.and_then(|session| session.url.as_ref().or(session.id.as_ref()));
    let location = object([
        ("physicalLocation", file.map(|uri| json!({ "artifactLocation": { "uri": uri } }))),
        (
            "logicalLocations",
            upload.map(|name| json!([{ "fullyQualifiedName": name, "kind": "resource" }])),
        ),
    ]);
    let place = ALL.iter().position(|rule| rule.is_named(&finding.rule));
    object([
        ("ruleId", Some(json!(finding.rule))),
        ("ruleIndex", place.map(|place| json!(place))),
        ("level", Some(json!(finding.severity))),
        ("message", Some(json!({ "text": finding.message }))),
        ("locations", Some(json!([location]))),
        ("properties", Some(json!({ "confidence": finding.confidence, "frames": frames }))),
    ])
}

/// An object of the members that there are.
fn object<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    let members = members.into_iter();
    members.filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// A path as a relative reference or a file URI (RFC 3986 4.2, RFC 8089 2).
fn uri(name: &str) -> String {
    let path = name.replace('\\', "/");
    let mut uri = match path.as_bytes() {
        [b'/', ..] => "file://".to_owned(),
        [drive, b':', b'/', ..] if drive.is_ascii_alphabetic() => "file:///".to_owned(),
        _ => String::with_capacity(path.len()),
    };
    let plain = if uri.is_empty() { "-._~/" } else { "-._~/:" };
    for byte in path.bytes() {
        match char::from(byte) {
            c if c.is_ascii_alphanumeric() || plain.contains(c) => uri.push(c),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_becomes_a_uri() {
        assert_eq!(uri("C:\\caps\\a b.pcap"), "file:///C:/caps/a%20b.pcap");
        assert_eq!(uri("/caps/ä.pcap"), "file:///caps/%C3%A4.pcap");
        assert_eq!(uri("caps/a:b.pcap"), "caps/a%3Ab.pcap");
        assert_eq!(uri("-"), "-");
    }
}
