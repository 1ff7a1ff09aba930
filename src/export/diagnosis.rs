//! Findings for people: the capture's own limits first, then each cause with its proof and what to do.

use std::io::{self, Write};

use super::style::{Style, Tone};
use super::text;
use super::timeline;
use crate::model::{Outcome, Report, Session};
use crate::rules::origin::Origin;
use crate::rules::{Diagnosis, Finding, Severity};

/// Columns before the text of a block.
const INDENT: usize = 12;

/// Columns before what a headline has beyond its first line.
const BELOW: usize = 2;

/// How much is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// One line per upload.
    Brief,
    /// Uploads that went wrong, and all findings about these.
    #[default]
    Usual,
    /// Findings of every upload.
    Full,
}

/// Writes the findings of a report.
pub fn write(
    out: &mut dyn Write,
    report: &Report,
    style: &Style,
    detail: Detail,
) -> io::Result<()> {
    if detail == Detail::Brief {
        return report.sessions.iter().try_for_each(|session| write_brief(out, session, style));
    }
    let head = timeline::wrapped(&style.clean(&headline(report)), BELOW, Tone::Strong, style);
    writeln!(out, "{head}")?;
    for finding in &report.findings {
        if finding.severity > Severity::Note || detail == Detail::Full || report.sessions.is_empty()
        {
            writeln!(out)?;
            block(out, "capture", &stated(finding), Tone::of(finding.severity), style)?;
            for advice in finding.advice.iter().filter(|_| finding.severity > Severity::Note) {
                block(out, "", &format!("{} {advice}", style.signs().right), Tone::Plain, style)?;
            }
        }
    }
    if detail == Detail::Usual {
        write_asides(out, report, style)?;
    }
    for session in &report.sessions {
        if is_ill(session) || detail == Detail::Full && !session.findings.is_empty() {
            writeln!(out)?;
            write_session(out, session, report, detail, style)?;
        }
    }
    Ok(())
}

/// Warnings about uploads that went well, one line for each rule.
fn write_asides(out: &mut dyn Write, report: &Report, style: &Style) -> io::Result<()> {
    let mut told: Vec<(&Finding, u64)> = Vec::new();
    for finding in asides(report) {
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

/// What is to be known of uploads that went well.
fn asides(report: &Report) -> impl Iterator<Item = &Finding> {
    let well = report.sessions.iter().filter(|session| !is_ill(session));
    well.flat_map(|session| &session.findings).filter(|finding| finding.severity > Severity::Note)
}

fn write_brief(out: &mut dyn Write, session: &Session, style: &Style) -> io::Result<()> {
    let sign = timeline::sign(session.outcome, style.ascii);
    let name = session.name().unwrap_or("an upload");
    let head = format!("{sign} {}  {name}", session.outcome.name());
    let line = match &session.diagnosis {
        Some(diagnosis) => format!("{head}  {}: {}", diagnosis.cause, diagnosis.summary),
        None => head,
    };
    writeln!(out, "{}", style.clean(&line))
}

/// Which captures, how many uploads, how they fared.
fn headline(report: &Report) -> String {
    let name = match &report.captures[..] {
        [] => String::new(),
        [one] => format!("{}   ", one.name),
        many => format!("{}   ", text::count(many.len() as u64, "capture")),
    };
    if report.sessions.is_empty() {
        return format!("{name}{}", timeline::nothing(report));
    }
    let all = text::count(report.sessions.len() as u64, "upload");
    let mut parts = Vec::new();
    for (outcome, words) in [
        (Outcome::Completed, "completed the hard way"),
        (Outcome::Rejected, "rejected"),
        (Outcome::Failed, "failed"),
        (Outcome::Cancelled, "cancelled after an error"),
        (Outcome::Incomplete, "incomplete for a reason"),
    ] {
        let ill = |session: &&Session| session.outcome == outcome && is_ill(session);
        let count = report.sessions.iter().filter(ill).count();
        if count > 0 {
            parts.push(format!("{count} {words}"));
        }
    }
    let well = |session: &&Session| !is_ill(session);
    let open = |session: &&Session| session.outcome == Outcome::Incomplete;
    let cut = report.sessions.iter().filter(well).filter(open).count();
    if cut > 0 {
        parts.push(format!("{cut} incomplete as far as the capture shows"));
    }
    let rest = report.sessions.iter().filter(well).count().saturating_sub(cut);
    let outside = report.findings.iter().filter(|finding| finding.severity > Severity::Note);
    let outside = match outside.count() as u64 {
        0 => String::new(),
        count => format!("; {} outside the uploads", text::count(count, "finding")),
    };
    let fared = match (parts.is_empty(), rest) {
        (true, _) if asides(report).next().is_some() || !outside.is_empty() => {
            format!("{all}, nothing wrong with the transfer")
        }
        (true, _) => format!("{all}, nothing wrong"),
        (false, 0) => format!("{all}: {}", parts.join(", ")),
        (false, rest) => format!("{all}: {}, {rest} with nothing wrong", parts.join(", ")),
    };
    format!("{name}{fared}{outside}")
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
    detail: Detail,
    style: &Style,
) -> io::Result<()> {
    writeln!(out, "{}", timeline::headline(session, style))?;
    writeln!(out, "  {}", style.clean(&timeline::identity(session)))?;
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
        other && (detail == Detail::Full || !finding.is_hint())
    };
    for finding in session.findings.iter().filter(told) {
        block(out, also, &stated(finding), Tone::of(finding.severity), style)?;
        also = "";
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
    block(out, "because", &diagnosis.summary, Tone::Strong, style)?;
    block(out, "", &format!("{}, {sure}", diagnosis.cause), Tone::Quiet, style)?;
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

/// Who gave the decisive answer; `None` where everything was answered, so that what went wrong is no answer.
pub(super) fn answerer(session: &Session, diagnosis: &Diagnosis) -> Option<&'static str> {
    let unanswered = || session.exchanges.iter().any(|exchange| exchange.response.is_none());
    let tells = diagnosis.answered_by != Origin::Nobody || unanswered();
    tells.then(|| diagnosis.answered_by.name())
}

/// A finding with its severity, frames and rule.
fn stated(finding: &Finding) -> String {
    let frames = finding.frames_in_words().map_or_else(String::new, |words| format!(" ({words})"));
    format!("{}: {}{frames}   {}", finding.severity.name(), finding.message, finding.rule)
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
mod tests {
    use super::*;
    use crate::transcript;

    fn report(text: &str) -> Report {
        transcript::analyse(&transcript::play(text).unwrap(), &mut ())
    }

    fn head(text: &str) -> String {
        headline(&report(text))
    }

    #[test]
    fn what_is_to_be_known_of_an_upload_that_went_well_has_a_line() {
        let report = report(
            "> CREATE-SESSION\n  Authorization: Basic Ym9iOng=\n< 200 session=1\n> FRAGMENT 0-9/10\n< 200\n\
             > CLOSE-SESSION\n< 200\n",
        );
        let mut out = Vec::new();
        write(&mut out, &report, &Style::default(), Detail::Usual).unwrap();
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            (lines[0], lines.len()),
            ("1 upload, nothing wrong with the transfer", 3),
            "{text}"
        );
        assert!(lines[2].starts_with("  besides     warning: Basic credentials"), "{text}");
        assert!(lines[2].ends_with("basic-over-cleartext"), "{text}");
    }

    #[test]
    fn a_lost_upload_is_told_with_the_one_that_carries_it_on() {
        let report = report(
            "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< 500 error=0x8020001F context=0x5\n\
             > CREATE-SESSION\n< 200 session=2\n> FRAGMENT 0-19/20 session=2\n< 200\n\
             > CLOSE-SESSION session=2\n< 200\n",
        );
        let mut out = Vec::new();
        write(&mut out, &report, &Style::default(), Detail::Usual).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("\n  carried on as 2, completed\n"), "{text}");
        let mut out = Vec::new();
        crate::export::markdown::write(&mut out, &report).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("\n- carried on as: 2, completed\n"), "{text}");
    }

    #[test]
    fn nobody_is_told_only_where_an_answer_is_missing() {
        let told = |text: &str| {
            let report = report(text);
            let session = &report.sessions[0];
            answerer(session, session.diagnosis.as_ref().unwrap())
        };
        let lossy = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-999/1000\n! again\n! again\n! again\n\
                     < 200\n> CLOSE-SESSION\n< 200\n";
        assert_eq!(told(lossy), None);
        let silent =
            "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n... 30 s\n! client closes\n";
        assert_eq!(told(silent), Some("nobody"));
    }

    #[test]
    fn an_upload_without_an_end_is_not_said_to_be_well() {
        let begun = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< 200\n";
        assert_eq!(head(begun), "1 upload: 1 incomplete as far as the capture shows");
        let ended = format!("{begun}> FRAGMENT 10-19/20\n< 200\n> CLOSE-SESSION\n< 200\n");
        assert_eq!(head(&ended), "1 upload, nothing wrong");
        let other = begun.replace("session=1", "session=2");
        let both = format!("{ended}= url http://server/upload/b.bin\n{other}");
        assert_eq!(
            head(&both),
            "2 uploads: 1 incomplete as far as the capture shows, 1 with nothing wrong"
        );
        let mut out = Vec::new();
        let style = Style { width: 60, ..Style::default() };
        write(&mut out, &report(&both), &style, Detail::Usual).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(
            text.starts_with("2 uploads: 1 incomplete as far as the capture shows, 1\n  with"),
            "{text}"
        );
    }
}
