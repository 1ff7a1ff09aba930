//! Findings for people: the cause first, then its proof, then what to do.

use std::io::{self, Write};

use super::style::{Style, Tone};
use super::text;
use crate::model::{Report, Session};
use crate::rules::{Finding, Severity};

/// Writes the findings of a report. With `quiet`, one line per upload.
pub fn write(out: &mut dyn Write, report: &Report, style: &Style, quiet: bool) -> io::Result<()> {
    for finding in
        report.findings.iter().filter(|finding| !quiet && finding.severity > Severity::Note)
    {
        write_finding(out, finding, style)?;
    }
    for session in &report.sessions {
        write_session(out, session, style, quiet)?;
    }
    let ill = report.sessions.iter().filter(|session| session.diagnosis.is_some()).count();
    let all = text::count(report.sessions.len() as u64, "upload");
    match ill {
        0 => writeln!(out, "{all}, nothing wrong"),
        ill => writeln!(out, "{all}, {ill} with a diagnosis"),
    }
}

fn write_session(
    out: &mut dyn Write,
    session: &Session,
    style: &Style,
    quiet: bool,
) -> io::Result<()> {
    let Some(diagnosis) = &session.diagnosis else { return Ok(()) };
    let name = session.url.as_deref().or(session.id.as_deref()).unwrap_or("an upload");
    let head = format!("{}  {}  {}", session.outcome.name(), style.clean(name), diagnosis.cause);
    if quiet {
        return writeln!(out, "{head}: {}", style.clean(&diagnosis.summary));
    }
    writeln!(out, "{}", style.paint(Tone::Strong, format_args!("{head}")))?;
    let cause = session.findings.iter().filter(|finding| finding.rule == diagnosis.cause);
    let rest = session.findings.iter().filter(|finding| finding.rule != diagnosis.cause);
    for finding in cause.chain(rest) {
        write_finding(out, finding, style)?;
    }
    writeln!(out, "  answered by {}", diagnosis.answered_by.name())?;
    if let Some(code) = &diagnosis.client_error {
        writeln!(out, "  the client's BITS log will show {code}")?;
    }
    writeln!(out)
}

fn write_finding(out: &mut dyn Write, finding: &Finding, style: &Style) -> io::Result<()> {
    let tone = match finding.severity {
        Severity::Error => Tone::Bad,
        Severity::Warning => Tone::Odd,
        Severity::Note => Tone::Plain,
    };
    let severity = style.paint(tone, format_args!("{:<8}", finding.severity.name()));
    writeln!(out, "{severity} {}  [{}]", style.clean(&finding.message), finding.rule)?;
    if !finding.frames.is_empty() {
        let frames: Vec<String> = finding.frames.iter().map(u64::to_string).collect();
        writeln!(out, "         frames {}", frames.join(", "))?;
    }
    match &finding.advice {
        Some(advice) if finding.severity > Severity::Note => {
            writeln!(out, "         {} {advice}", style.signs().right)
        }
        _ => Ok(()),
    }
}
