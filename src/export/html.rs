//! The report as one page that needs nothing else: no remote asset, no script or style but its own, told by hash.

mod escape;
mod offsets;
mod overview;
mod sequence;
mod session;

use std::io::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::text;
use crate::at::Timestamp;
use crate::model::{Report, Session};
use crate::observe::heads::Heads;

use escape::Esc;

const STYLE: &str = include_str!("html/page.css");
const SCRIPT: &str = include_str!("html/page.js");

/// Sessions told in full; of more, those with a diagnosis come first.
const FULL: usize = 200;

/// Writes the page. Heads that `heads` lacks are left out.
pub fn write(out: &mut dyn Write, report: &Report, heads: &Heads) -> io::Result<()> {
    begin(out, report)?;
    for finding in &report.findings {
        session::write_finding(out, finding)?;
    }
    let several = report.sessions.len() > 1;
    let full = full(report);
    if several {
        let told = full.iter().map(|(number, _)| *number).collect();
        overview::write(out, report, &told)?;
    }
    let left_out = report.sessions.len() - full.len();
    if several {
        writeln!(out, "<h2 id=\"details\">Details</h2>")?;
    }
    if left_out > 0 {
        writeln!(
            out,
            "<p>{} of {} uploads in full, those with a diagnosis first. Choose others by options such as <code>--session</code> or <code>--outcome</code>.</p>",
            full.len(),
            report.sessions.len()
        )?;
    }
    for (number, session) in full {
        session::write(out, number, (session, report), heads, !several)?;
    }
    inputs(out, report)?;
    writeln!(out, "</main><script>{SCRIPT}</script></body></html>")
}

/// The sessions to tell in full, by their number.
fn full(report: &Report) -> Vec<(usize, &Session)> {
    let mut all: Vec<(usize, &Session)> = (1..).zip(&report.sessions).collect();
    if all.len() > FULL {
        all.sort_by_key(|(number, session)| (session.diagnosis.is_none(), *number));
        all.truncate(FULL);
        all.sort_by_key(|(number, _)| *number);
    }
    all
}

/// The source expression of a content security policy for `text` (CSP 3, 2.3.1).
fn hash(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)))
}

fn begin(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let policy = format!(
        "default-src 'none'; style-src {}; script-src {}; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    );
    let verdict = verdict(report);
    writeln!(out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">")?;
    writeln!(out, "<meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">")?;
    writeln!(out, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">")?;
    writeln!(out, "<meta name=\"referrer\" content=\"no-referrer\">")?;
    writeln!(
        out,
        "<title>{} - bitsleuth</title><style>{STYLE}</style></head><body>",
        Esc(&verdict)
    )?;
    writeln!(out, "<a class=\"skip\" href=\"#content\">Skip to the content</a>")?;
    writeln!(out, "<main id=\"content\"><h1>{}</h1>", Esc(&verdict))
}

/// All sessions in one line.
fn verdict(report: &Report) -> String {
    if let [only] = report.sessions.as_slice() {
        let what = only.name().unwrap_or("one session");
        return format!("BITS upload {}: {what}", only.outcome.name());
    }
    if report.sessions.is_empty() {
        return super::timeline::nothing(report);
    }
    super::timeline::tally(report, "BITS upload")
}

fn inputs(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    writeln!(
        out,
        "<h2>Captures</h2><div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Captures\"><table><thead><tr><th scope=\"col\">name</th><th scope=\"col\">frames</th><th scope=\"col\">first</th><th scope=\"col\">last</th><th scope=\"col\">problem</th></tr></thead><tbody>"
    )?;
    for (number, input) in (1..).zip(&report.captures) {
        let number = if report.captures.len() > 1 { format!("{number}: ") } else { String::new() };
        let time = |time: Option<Timestamp>| time.map(|time| time.to_string()).unwrap_or_default();
        writeln!(
            out,
            "<tr><td>{number}{}</td><td class=\"num\">{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            Esc(&input.name),
            text::grouped(input.frames),
            time(input.first),
            time(input.last),
            Esc(input.problem.as_deref().unwrap_or_default())
        )?;
    }
    let quality = &report.quality;
    write!(
        out,
        "</tbody></table></div><p class=\"dim\">{} seen",
        text::count(quality.connections, "TCP connection")
    )?;
    if quality.lost_bytes > 0 {
        write!(out, ", {} lost by the capture", text::bytes(quality.lost_bytes))?;
    }
    if quality.tls_opaque > 0 {
        write!(out, ", {} with TLS not decrypted", text::grouped(quality.tls_opaque))?;
    }
    writeln!(
        out,
        ". Made by {} {}. Numbers of frames are those of Wireshark{}.</p>",
        Esc(&report.tool.name),
        Esc(&report.tool.version),
        if report.captures.len() > 1 {
            "; 2:14 is the fourteenth of the second capture"
        } else {
            ""
        }
    )
}
