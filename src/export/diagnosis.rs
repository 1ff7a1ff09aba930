//! Findings for people: the capture's own limits first, then each cause with its proof and what to do.

use std::cmp::Reverse;
use std::io::{self, Write};

use super::legend;
use super::style::{Style, Tone};
use super::text;
use super::timeline;
use crate::at::At;
use crate::model::{Outcome, Report, Session};
use crate::rules::finding::frames_in_words;
use crate::rules::origin::Origin;
use crate::rules::{Diagnosis, Finding, Severity};

/// Columns before the text of a block.
const INDENT: usize = 12;

/// Columns before what a headline has beyond its first line.
const BELOW: usize = 2;

/// How much is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// One line per upload, and per error outside them.
    Brief,
    /// Uploads that went wrong, and all findings about these.
    #[default]
    Usual,
    /// Findings of every upload.
    Full,
}

/// Writes the findings of a report; those that are at least as severe as `least` whatever the detail. `all` says whether
/// every rule was asked.
pub fn write(
    out: &mut dyn Write,
    report: &Report,
    style: &Style,
    detail: Detail,
    least: Severity,
    all: bool,
) -> io::Result<()> {
    if detail == Detail::Brief {
        return write_brief(out, report, style, least);
    }
    let least = least.min(Severity::Warning);
    let head = headline(report, least, all);
    let head = timeline::wrapped(&style.clean(&head), BELOW, Tone::Strong, style);
    writeln!(out, "{head}")?;
    let alone = report.sessions.is_empty();
    for finding in &report.findings {
        if finding.severity >= least || detail == Detail::Full || alone {
            writeln!(out)?;
            block(out, "capture", &stated(finding), Tone::of(finding.severity), style)?;
            if finding.severity > Severity::Note || alone {
                write_advice(out, finding, style)?;
            }
        }
    }
    if detail == Detail::Usual {
        write_asides(out, report, style, least)?;
    }
    for session in &report.sessions {
        if is_ill(session) || detail == Detail::Full && !session.findings.is_empty() {
            writeln!(out)?;
            let hints = detail == Detail::Full || least == Severity::Note;
            write_session(out, session, report, hints, style)?;
        }
    }
    legend::write(out, &legend::of(report), style)
}

/// What is to be known of uploads that went well, one line for each rule.
fn write_asides(
    out: &mut dyn Write,
    report: &Report,
    style: &Style,
    least: Severity,
) -> io::Result<()> {
    let mut told: Vec<(&Finding, u64)> = Vec::new();
    for finding in asides(report, least) {
        match told.iter_mut().find(|(known, _)| known.rule == finding.rule) {
            Some((_, times)) => *times += 1,
            None => told.push((finding, 1)),
        }
    }
    let mut label = "besides";
    for (finding, times) in told {
        if label == "besides" {
            writeln!(out)?;
        }
        let more = if times > 1 { format!(", {times} times") } else { String::new() };
        let words = format!("{}{more}", stated(finding));
        block(out, label, &words, Tone::of(finding.severity), style)?;
        label = "";
    }
    Ok(())
}

/// The findings from `least` on about uploads that went well.
fn asides(report: &Report, least: Severity) -> impl Iterator<Item = &Finding> {
    let well = report.sessions.iter().filter(|session| !is_ill(session));
    well.flat_map(|session| &session.findings).filter(move |finding| finding.severity >= least)
}

/// A line for each finding from `least` on outside the uploads, and for each upload.
fn write_brief(
    out: &mut dyn Write,
    report: &Report,
    style: &Style,
    least: Severity,
) -> io::Result<()> {
    let mut line = |sign: &str, words: String| writeln!(out, "{sign} {}", style.clean(&words));
    let sign = |outcome: Outcome| timeline::sign(outcome, style.ascii);
    for finding in report.findings.iter().filter(|finding| finding.severity >= least) {
        let sign = match finding.severity {
            Severity::Error => sign(Outcome::Failed),
            Severity::Warning => "!",
            Severity::Note => style.signs().note,
        };
        line(sign, format!("capture  {}", brief(finding)))?;
    }
    for session in &report.sessions {
        let name = session.name().unwrap_or("an upload");
        let why = match &session.diagnosis {
            Some(diagnosis) => format!("  {}: {}", diagnosis.cause, diagnosis.summary),
            None => worst_in_brief(session, least),
        };
        line(sign(session.outcome), format!("{}  {name}{why}", session.outcome.name()))?;
    }
    Ok(())
}

/// The first of the worst findings from `least` on, and how many more there are; empty where there are none.
fn worst_in_brief(session: &Session, least: Severity) -> String {
    let found = || session.findings.iter().filter(|finding| finding.severity >= least);
    let more = match found().count() {
        0 | 1 => String::new(),
        count => format!(", and {} more", count - 1),
    };
    let worst = found().min_by_key(|finding| Reverse(finding.severity));
    worst.map_or_else(String::new, |worst| format!("  {}{more}", brief(worst)))
}

fn brief(finding: &Finding) -> String {
    format!("{}: {}", finding.rule, with_frames(finding))
}

/// Which captures, how many uploads, how they fared.
fn headline(report: &Report, least: Severity, every: bool) -> String {
    let name = match &report.captures[..] {
        [] => String::new(),
        [one] => format!("{}   ", one.name),
        many => format!("{}   ", text::count(many.len() as u64, "capture")),
    };
    if report.sessions.is_empty() {
        return format!("{name}{}", timeline::nothing(report));
    }
    let twice = timeline::seen_twice(report);
    let twice = twice.map_or_else(String::new, |words| format!(" ({words})"));
    let all = format!("{}{twice}", text::count(report.sessions.len() as u64, "upload"));
    let (parts, rest) = kinds(&report.sessions);
    let counted = |count: usize, place: &str| match count as u64 {
        0 => String::new(),
        count => format!("; {} {place}", text::count(count, "finding")),
    };
    let outside = report.findings.iter().filter(|finding| finding.severity >= least).count();
    let besides = counted(asides(report, least).count(), "besides")
        + &counted(outside, "outside the uploads");
    let gap = |one: &Finding| one.rule == "capture-gap" && one.severity > Severity::Note;
    // What was not asked, or not captured, may be wrong all the same.
    let well = match (every, report.findings.iter().any(gap)) {
        (true, true) => "nothing wrong as far as captured",
        (true, false) if parts.is_empty() && !besides.is_empty() => {
            "nothing wrong with the transfer"
        }
        (true, false) => "nothing wrong",
        (false, _) => "nothing found by the rules that were asked",
    };
    let fared = match (parts.is_empty(), rest) {
        (true, _) => format!("{all}, {well}"),
        (false, 0) if report.sessions.len() == 1 => {
            let parts = parts.join(", ");
            let how = parts.trim_start_matches("1 ");
            let cause = report.sessions.iter().find_map(|session| session.diagnosis.as_ref());
            let cause = cause.map_or_else(String::new, |known| format!(": {}", known.cause));
            format!("{all}, {how}{cause}")
        }
        (false, 0) => format!("{all}: {}", parts.join(", ")),
        (false, rest) => format!("{all}: {}, {rest} with {well}", parts.join(", ")),
    };
    format!("{name}{fared}{besides}")
}

/// How many uploads fared in each way that is to be told, in words, and how many the others are.
fn kinds(sessions: &[Session]) -> (Vec<String>, usize) {
    let count = |outcome: Outcome, ill: bool| {
        sessions.iter().filter(|one| one.outcome == outcome && is_ill(one) == ill).count()
    };
    let counted = [
        (Outcome::Completed, true, "completed the hard way"),
        (Outcome::Rejected, true, "rejected"),
        (Outcome::Failed, true, "failed"),
        (Outcome::Cancelled, true, "cancelled after an error"),
        (Outcome::Incomplete, true, "incomplete with a cause"),
        (Outcome::Incomplete, false, "incomplete as far as the capture shows"),
    ]
    .map(|(outcome, ill, words)| (count(outcome, ill), words));
    let told: usize = counted.iter().map(|(count, _)| count).sum();
    let words = counted.iter().filter(|(count, _)| *count > 0);
    let words = words.map(|(count, words)| format!("{count} {words}")).collect();
    (words, sessions.len().saturating_sub(told))
}

/// Whether something is to be said against how a session went, be its reason known or not.
fn is_ill(session: &Session) -> bool {
    match session.outcome {
        Outcome::Rejected | Outcome::Failed => true,
        Outcome::Cancelled => {
            session.findings.iter().any(|finding| finding.severity == Severity::Error)
        }
        Outcome::Completed | Outcome::Incomplete => session.diagnosis.is_some(),
    }
}

fn write_session(
    out: &mut dyn Write,
    session: &Session,
    report: &Report,
    hints: bool,
    style: &Style,
) -> io::Result<()> {
    writeln!(out, "{}", timeline::headline(session, style))?;
    let identity = style.clean(&timeline::identity(session)).into_owned();
    writeln!(out, "  {}", timeline::wrapped(&identity, 2, Tone::Plain, style))?;
    if let Some(words) = timeline::successor(session, report) {
        let words = style.clean(&format!("carried on as {words}")).into_owned();
        writeln!(out, "  {}", timeline::wrapped(&words, 2, Tone::Plain, style))?;
    }
    writeln!(out)?;
    let cause = session.diagnosis.as_ref().map(|diagnosis| diagnosis.cause.as_str());
    if let Some(diagnosis) = &session.diagnosis {
        write_cause(out, session, diagnosis, style)?;
    }
    let mut also = if cause.is_some() { "also" } else { "found" };
    let told = |finding: &&Finding| {
        let other = Some(&*finding.rule) != cause;
        other && (hints || !finding.is_hint())
    };
    let mut findings = session.findings.iter().filter(told).peekable();
    while let Some(finding) = findings.next() {
        block(out, also, &stated(finding), Tone::of(finding.severity), style)?;
        also = "";
        let last = findings.peek().is_none_or(|next| next.rule != finding.rule);
        if cause.is_none() && last && finding.severity == Severity::Error {
            write_advice(out, finding, style)?;
        }
    }
    Ok(())
}

fn write_cause(
    out: &mut dyn Write,
    session: &Session,
    diagnosis: &Diagnosis,
    style: &Style,
) -> io::Result<()> {
    let sure = diagnosis.confidence.name();
    let more = more_of(session, diagnosis);
    block(out, "because", &diagnosis.summary, Tone::Strong, style)?;
    block(out, "", &format!("{}, {sure}{more}", diagnosis.cause), Tone::Quiet, style)?;
    timeline::write_proof(out, session, &diagnosis.frames, style)?;
    if let Some(who) = answerer(session, diagnosis) {
        block(out, "answered by", who, Tone::Plain, style)?;
    }
    let told = [
        ("answerable", diagnosis.answerable.as_deref()),
        ("do", diagnosis.advice.as_deref()),
        ("client log", diagnosis.client_log.as_deref()),
        ("confirm", diagnosis.confirm.as_deref()),
    ];
    blocks(out, &told, style)
}

/// How often else the rule of the cause fired, and where; notes do not count.
fn more_of(session: &Session, diagnosis: &Diagnosis) -> String {
    let like = |one: &&Finding| {
        *one.rule == *diagnosis.cause
            && one.frames != diagnosis.frames
            && one.severity > Severity::Note
    };
    let others: Vec<&Finding> = session.findings.iter().filter(like).collect();
    let mut proof: Vec<At> = others.iter().flat_map(|finding| &finding.proof).copied().collect();
    proof.sort_unstable_by_key(|at| at.frame);
    proof.dedup_by_key(|at| at.frame);
    match frames_in_words(&proof) {
        Some(frames) => format!("; {} more like it ({frames})", others.len()),
        None => String::new(),
    }
}

/// Who gave the decisive answer; `None` where everything was answered, so that what went wrong is no answer.
pub(super) fn answerer(session: &Session, diagnosis: &Diagnosis) -> Option<&'static str> {
    let unanswered = || session.exchanges.iter().any(|exchange| exchange.response.is_none());
    let tells = diagnosis.answered_by != Origin::Nobody || unanswered();
    tells.then(|| diagnosis.answered_by.name())
}

/// A finding with its severity, frames and rule.
fn stated(finding: &Finding) -> String {
    format!("{}: {}   {}", finding.severity.name(), with_frames(finding), finding.rule)
}

/// What was found, with its frames.
fn with_frames(finding: &Finding) -> String {
    let frames = finding.frames_in_words().map_or_else(String::new, |words| format!(" ({words})"));
    format!("{}{frames}", finding.message)
}

/// What to do about a finding that no cause is told for.
fn write_advice(out: &mut dyn Write, finding: &Finding, style: &Style) -> io::Result<()> {
    let Some(words) = &finding.advice else { return Ok(()) };
    block(out, "", &format!("{} {words}", style.signs().right), Tone::Plain, style)
}

/// A label and text beside it.
pub(super) fn block(
    out: &mut dyn Write,
    label: &str,
    words: &str,
    tone: Tone,
    style: &Style,
) -> io::Result<()> {
    let words = timeline::wrapped(&style.clean(words), INDENT + 2, tone, style);
    writeln!(out, "  {label:INDENT$}{words}")
}

/// The texts that there are, each beside its label.
pub(super) fn blocks(
    out: &mut dyn Write,
    told: &[(&str, Option<&str>)],
    style: &Style,
) -> io::Result<()> {
    let mut there = told.iter().filter_map(|(label, words)| Some((label, (*words)?)));
    there.try_for_each(|(label, words)| block(out, label, words, Tone::Plain, style))
}

#[cfg(test)]
mod tests;
