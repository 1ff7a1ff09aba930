//! The report as Markdown with Mermaid diagrams, for tickets.

use std::io::{self, Write};

use super::story::{Step, Story};
use super::text::{self, escape};
use super::timeline::{error_words, server, sign, successor};
use crate::model::{Report, Session};
use crate::rules::Finding;
use crate::stream::Side;

/// Steps of one diagram; of more, the first and the last ones.
const DRAWN: usize = 120;

/// Writes a section for every upload.
pub fn write(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    if report.sessions.is_empty() {
        writeln!(out, "{}", plain(&super::timeline::nothing(report)))?;
    }
    for finding in &report.findings {
        write_finding(out, finding)?;
    }
    if report.sessions.len() > 1 {
        overview(out, report)?;
    }
    report.sessions.iter().try_for_each(|session| write_session(out, session, report))?;
    write_captures(out, report)
}

fn write_captures(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    if !report.captures.is_empty() {
        writeln!(out, "\n## Captures\n")?;
    }
    for (number, input) in (1..).zip(&report.captures) {
        let label = format!("capture {number}");
        // As a pseudonym, the name is just that.
        let alone = report.captures.len() == 1 || input.name == label;
        let name = if alone { input.name.clone() } else { format!("{label}: {}", input.name) };
        let problem = input.problem.as_ref().map_or_else(String::new, |why| format!(", {why}"));
        let said = format!("{name} ({}{problem})", text::count(input.frames, "frame"));
        writeln!(out, "- {}", plain(&said))?;
    }
    writeln!(out, "\nMade by {} {}.", report.tool.name, report.tool.version)
}

fn overview(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    writeln!(
        out,
        "| outcome | client | server | url | size | time | cause |\n|---|---|---|---|--:|--:|---|"
    )?;
    for session in &report.sessions {
        writeln!(
            out,
            "| {} {} | {} | {} | {} | {} | {} | {} |",
            sign(session.outcome, false),
            session.outcome.name(),
            session.client.address,
            server(session),
            plain(session.url_or_path().unwrap_or("–")),
            session.bytes_total.map_or_else(|| "–".to_owned(), |size| text::size(size as f64)),
            text::duration(session.ended.since(session.started)),
            plain(session.diagnosis.as_ref().map_or("", |diagnosis| &diagnosis.cause))
        )?;
    }
    writeln!(out)
}

fn write_session(out: &mut dyn Write, session: &Session, report: &Report) -> io::Result<()> {
    let name = session.name().unwrap_or("no id seen");
    writeln!(
        out,
        "## {} {}: {}\n",
        sign(session.outcome, false),
        session.outcome.name(),
        plain(name)
    )?;
    if let Some(diagnosis) = &session.diagnosis {
        writeln!(out, "**{}**: {}\n", plain(&diagnosis.cause), plain(&diagnosis.summary))?;
    }
    // Without a size, that nothing was seen means nothing.
    let known =
        |bytes: u64| (bytes > 0 || session.bytes_total.is_some()).then(|| text::bytes(bytes));
    let facts = [
        ("session", session.id.clone().map(String::from)),
        ("client", Some(session.client.address.to_string())),
        ("server", Some(server(session).to_string())),
        ("user agent", session.user_agent.clone().map(String::from)),
        ("host id", session.host_id.clone()),
        ("size", session.bytes_total.map(text::bytes)),
        ("sent", known(session.bytes_sent)),
        ("acknowledged", known(session.bytes_acknowledged)),
        ("SHA-256", session.file.as_ref().and_then(|file| file.sha256.clone())),
        ("started", Some(session.started.to_string())),
        ("ended", Some(session.ended.to_string())),
        ("took", Some(text::duration(session.ended.since(session.started)))),
        ("error", error_words(session)),
        ("carried on as", successor(session, report)),
    ];
    for (name, value) in facts.iter().filter_map(|(name, value)| Some((name, value.as_ref()?))) {
        writeln!(out, "- {name}: {}", plain(value))?;
    }
    writeln!(out)?;
    diagram(out, session)?;
    session.findings.iter().try_for_each(|finding| write_finding(out, finding))
}

fn write_finding(out: &mut dyn Write, finding: &Finding) -> io::Result<()> {
    let place = finding.frames_in_words().map(|frames| format!(" ({frames})")).unwrap_or_default();
    writeln!(
        out,
        "- **{}** `{}`: {}{place}",
        finding.severity.name(),
        finding.rule,
        plain(&finding.message)
    )?;
    if let Some(advice) = &finding.advice {
        writeln!(out, "  - {}", plain(advice))?;
    }
    Ok(())
}

fn diagram(out: &mut dyn Write, session: &Session) -> io::Result<()> {
    let story = Story::of(session);
    writeln!(
        out,
        "```mermaid\nsequenceDiagram\n  participant C as {}",
        label(&format!("client {}", session.client.address))
    )?;
    for (place, server) in story.servers.iter().enumerate() {
        let kind = if server.proxy { "proxy" } else { "server" };
        let host = server.host.as_deref().unwrap_or_default();
        writeln!(
            out,
            "  participant S{place} as {}",
            label(&format!("{kind} {} {host}", server.address))
        )?;
    }
    let (first, skipped, last) = story.shortened(DRAWN);
    first.iter().try_for_each(|step| write_step(out, step, session))?;
    if skipped > 0 {
        writeln!(out, "  Note over C: {} left out", text::count(skipped as u64, "step"))?;
    }
    last.iter().try_for_each(|step| write_step(out, step, session))?;
    writeln!(out, "```\n")
}

fn write_step(out: &mut dyn Write, step: &Step, session: &Session) -> io::Result<()> {
    let seconds = step.time().secs_since(session.started);
    match step {
        Step::Note { words, .. } => writeln!(out, "  Note over C: {}", label(words)),
        Step::Message(message) => {
            let words = format!("{seconds:.3} s {} {}", message.what, message.detail);
            let words = label(words.trim_end());
            match message.from {
                Side::Client => writeln!(out, "  C->>S{}: {words}", message.server),
                Side::Server => writeln!(out, "  S{}-->>C: {words}", message.server),
            }
        }
    }
}

/// Text that means nothing to Markdown: its signs are escaped, markup is spelled out.
fn plain(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    // Bare URLs become links by themselves.
    for c in escape(raw).replace("://", ":\u{2044}/").chars() {
        match c {
            '\u{2044}' => out.push_str("&#47;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // So do addresses and mentions.
            '@' => out.push_str("&#64;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '+' | '!' | '|'
            | '~' | '$' => {
                out.push('\\');
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out.replace("www.", "www&#46;")
}

/// Text of a Mermaid diagram: whatever is not plainly harmless becomes an entity of its own kind.
fn label(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    for c in escape(raw).chars() {
        if c.is_alphanumeric() || " .,:/-_–…⋮✂".contains(c) {
            out.push(c);
        } else {
            out.push_str(&format!("#{};", u32::from(c)));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_the_wire_means_nothing() {
        assert_eq!(
            plain("[x](javascript:1) <b> `a|b`"),
            "\\[x\\]\\(javascript:1\\) &lt;b&gt; \\`a\\|b\\`"
        );
        assert_eq!(plain("at www.example.com"), "at www&#46;example.com");
        assert_eq!(label("a;\n->>{x}"), "a#59;#92;n-#62;#62;#123;x#125;");
    }
}
