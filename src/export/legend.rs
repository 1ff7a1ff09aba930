//! Which capture a label such as `2:14` means, in texts about several.

use std::collections::BTreeSet;
use std::io::{self, Write};

use super::style::{Style, Tone};
use super::timeline::wrapped;
use crate::at::{At, Span};
use crate::model::{Exchange, Report, Session};

/// A line for each capture that a frame of the report is in; none where there is only one capture.
pub(super) fn of(report: &Report) -> Vec<String> {
    let of_sessions = report.sessions.iter().flat_map(frames);
    let of_findings = report.findings.iter().flat_map(|finding| finding.proof.iter().copied());
    lines(report, of_sessions.chain(of_findings))
}

/// A line for each capture that has the error of a session; none where there is only one capture.
pub(super) fn of_errors(report: &Report) -> Vec<String> {
    let errors = report.sessions.iter().filter_map(|session| session.error.as_ref());
    lines(report, errors.map(|error| error.frame.0))
}

/// Writes the lines below what they explain.
pub(super) fn write(out: &mut dyn Write, lines: &[String], style: &Style) -> io::Result<()> {
    if !lines.is_empty() {
        writeln!(out)?;
    }
    let mut lines = lines.iter();
    lines.try_for_each(|line| {
        writeln!(out, "{}", wrapped(&style.clean(line), 2, Tone::Quiet, style))
    })
}

fn lines(report: &Report, frames: impl Iterator<Item = At>) -> Vec<String> {
    let used: BTreeSet<u32> = frames.map(|at| at.input).collect();
    let captures = (1..).zip(&report.captures).filter(|(number, _)| used.contains(number));
    let named = captures.map(|(number, input)| (format!("capture {number}"), &input.name));
    // As a pseudonym, the name is just that.
    let told = named.filter(|(label, name)| label != *name);
    told.map(|(label, name)| format!("{label}: {name}")).collect()
}

/// The frames that are told of a session.
fn frames(session: &Session) -> impl Iterator<Item = At> + '_ {
    let exchanges = session.exchanges.iter().flat_map(Exchange::spans);
    let reply = session.reply.iter().map(|reply| reply.request);
    let told = session.notifications.iter().map(|one| one.request);
    let ends = |span: Span| [span.first, span.last];
    let resets = session.connections().filter_map(|connection| connection.reset);
    let proof = session.findings.iter().flat_map(|finding| finding.proof.iter().copied());
    let spans = exchanges.chain(reply).chain(told);
    spans.flat_map(ends).chain(resets.map(|reset| reset.at)).chain(proof)
}
