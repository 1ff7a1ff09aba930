//! The rule `capture-caps`.

use crate::at::Span;
use crate::model::Report;
use crate::rules::{Confidence, Notes, Seen, Severity};

rule! {
    /// The capture holds more than is kept, and something was left out.
    ///
    /// Every buffer and every list has a cap, lest a capture exhaust the memory. What was forgotten while it was under way
    /// may be missing in what is said of uploads; what lists had no room for is counted.
    ///
    /// Answerable: the capture
    /// Advice: Read only what matters, with a filter such as `host 10.0.0.5`, or split the capture.
    Warning, belief 0, needs Anything, Capture
}

fn check(report: &Report, _: &Seen, notes: &mut Notes<'_>) {
    let quality = &report.quality;
    let forgotten = [
        (quality.connections_forgotten, "open connections"),
        (quality.sessions_forgotten, "open sessions"),
        (quality.exchanges_omitted, "exchanges"),
        (quality.bytes_given_up, "bytes that were waited for"),
        (quality.datagrams_forgotten, "datagrams in fragments"),
        (quality.tls_given_up, "connections that waited for keys"),
    ];
    let cut = [
        (quality.attempts_omitted, "attempts to connect"),
        (quality.lookups_omitted, "look-ups of names"),
        (quality.tls_omitted, "connections with TLS"),
    ];
    if let Some(list) = list(&forgotten) {
        notes.add(Span::default(), format!("forgotten to stay within limits: {list}"));
    }
    if let Some(list) = list(&cut) {
        let message = format!("counted, but not listed one by one: {list}");
        notes.note(Severity::Note, Confidence::Certain, &[Span::default()], message);
    }
}

fn list(counts: &[(u64, &str)]) -> Option<String> {
    let told = counts.iter().filter(|(count, _)| *count > 0);
    let words: Vec<String> = told.map(|(count, what)| format!("{count} {what}")).collect();
    (!words.is_empty()).then(|| words.join(", "))
}
