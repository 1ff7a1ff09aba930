//! Which capture a label such as `2:14` means, in texts about several.

use std::collections::BTreeSet;
use std::io::{self, Write};

use super::style::{Style, Tone};
use super::timeline::wrapped;
use crate::at::{At, Span};
use crate::capture::Input;
use crate::model::{Exchange, Report, Session};

/// A line for each capture that a frame of the report is in; none where there is only one capture.
pub(super) fn of(report: &Report) -> Vec<String> {
    let of_sessions = report.sessions.iter().flat_map(frames);
    let of_findings = report.findings.iter().flat_map(|finding| finding.proof.iter().copied());
    let spans: Vec<Span> = report.sessions.iter().flat_map(spans).filter(goes_over).collect();
    lines(report, of_sessions.chain(of_findings), &spans)
}

/// A line for each capture that a session begins in or has its error in; none where there is only one capture.
pub(super) fn of_rows(report: &Report) -> Vec<String> {
    let errors = report.sessions.iter().filter_map(|session| session.error.as_ref());
    let first = report.sessions.iter().filter_map(|session| Some(session.span()?.first));
    lines(report, errors.map(|error| error.frame.0).chain(first), &[])
}

/// Whether something begins in one input and ends in another.
const fn goes_over(span: &Span) -> bool {
    span.first.input != span.last.input
}

/// Whether the times of an input meet those of a span: it may have frames in between.
fn lies_within(input: &Input, span: Span) -> bool {
    let begins = input.first.is_some_and(|first| first <= span.last.time);
    begins && input.last.is_some_and(|last| last >= span.first.time)
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

fn lines(report: &Report, frames: impl Iterator<Item = At>, spans: &[Span]) -> Vec<String> {
    let used: BTreeSet<u32> = frames.map(|at| at.input).collect();
    let between = |input| spans.iter().any(|span| lies_within(input, *span));
    let captures = (1..).zip(&report.captures);
    let captures = captures.filter(|(number, input)| used.contains(number) || between(input));
    let named = captures.map(|(number, input)| (format!("capture {number}"), &input.name));
    // As a pseudonym, the name is just that.
    let told = named.filter(|(label, name)| label != *name);
    told.map(|(label, name)| format!("{label}: {name}")).collect()
}

/// The frames that are told of a session.
fn frames(session: &Session) -> impl Iterator<Item = At> + '_ {
    let ends = |span: Span| [span.first, span.last];
    let resets = session.connections().filter_map(|connection| connection.reset);
    let proof = session.findings.iter().flat_map(|finding| finding.proof.iter().copied());
    spans(session).flat_map(ends).chain(resets.map(|reset| reset.at)).chain(proof)
}

fn spans(session: &Session) -> impl Iterator<Item = Span> + '_ {
    let exchanges = session.exchanges.iter().flat_map(Exchange::spans);
    let reply = session.reply.iter().map(|reply| reply.request);
    exchanges.chain(reply).chain(session.notifications.iter().map(|one| one.request))
}
