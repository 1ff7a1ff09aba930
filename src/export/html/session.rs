//! One upload: verdict, diagrams, negotiation, findings, messages.

use std::io::{self, Write};

use super::escape::Esc;
use super::{offsets, overview, sequence};
use crate::export::diagnosis::answerer;
use crate::export::story::{Message, Step, Story};
use crate::export::style::Tone;
use crate::export::text;
use crate::export::timeline::{again, error_words, server, sign, sizes, successor};
use crate::model::{Exchange, Report, Session};
use crate::observe::heads::{Heads, RawHead};
use crate::rules::{Finding, Severity};
use crate::stream::Side;

/// Messages listed; of more, the first and the last ones.
const LISTED: usize = 1_000;

/// Writes a session of a report; one that is alone is open.
pub(super) fn write(
    out: &mut dyn Write,
    number: usize,
    (session, report): (&Session, &Report),
    heads: &Heads,
    open: bool,
) -> io::Result<()> {
    let (story, outcome) = (Story::of(session), session.outcome);
    let name = session.name().unwrap_or("no id seen");
    writeln!(
        out,
        "<details class=\"session\" id=\"s{number}\"{}><summary><span class=\"verdict {}\">{} {}</span> <span class=\"dim\">{number}.</span> {}</summary><div>",
        if open { " open" } else { "" },
        overview::class(outcome),
        sign(outcome, false),
        Esc(&verdict(session)),
        Esc(name)
    )?;
    diagnosis(out, session)?;
    facts(out, session, report)?;
    findings(out, session)?;
    writeln!(
        out,
        "<h3>Sequence</h3><div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Sequence diagram\">{}</div>",
        sequence::draw(session, &story, &format!("q{number}"))
    )?;
    if let Some(graph) = offsets::draw(session, &format!("o{number}")) {
        writeln!(
            out,
            "<h3>Offset over time</h3><div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Offset over time\">{graph}</div>{}",
            offsets::LEGEND
        )?;
        writeln!(out, "<p class=\"dim\">{}</p>", retransmissions(session))?;
    }
    negotiation(out, session)?;
    messages(out, session, &story, heads)?;
    writeln!(out, "</div></details>")
}

fn verdict(session: &Session) -> String {
    let mut words = vec![session.outcome.name()];
    words.extend(session.outcome_qualifiers.iter().map(|it| it.name()));
    words.join(", ")
}

fn diagnosis(out: &mut dyn Write, session: &Session) -> io::Result<()> {
    let Some(diagnosis) = &session.diagnosis else { return Ok(()) };
    writeln!(
        out,
        "<div class=\"box\"><p class=\"verdict\">{}</p><p>{}</p>",
        Esc(&diagnosis.cause),
        Esc(&diagnosis.summary)
    )?;
    if let Some(who) = answerer(session, diagnosis) {
        writeln!(out, "<p>Answered by {}.</p>", Esc(who))?;
    }
    if let Some(code) = &diagnosis.client_error {
        writeln!(out, "<p>The client's BITS log will show {}.</p>", Esc(code))?;
    }
    writeln!(out, "</div>")
}

fn facts(out: &mut dyn Write, session: &Session, report: &Report) -> io::Result<()> {
    let sizes = match session.bytes_total {
        Some(_) => format!(
            "{}, {} sent, {} acknowledged",
            sizes(session),
            text::bytes(session.bytes_sent),
            text::bytes(session.bytes_acknowledged)
        ),
        None => "not known".to_owned(),
    };
    let took = text::duration(session.ended.since(session.started));
    let named = session.server.host.as_ref();
    let named = named.filter(|host| ***host != *session.server.address.to_string());
    let host = named.map_or_else(String::new, |host| format!(" ({host})"));
    let facts = [
        ("session", session.id.clone().map(String::from)),
        ("client", Some(session.client.address.to_string())),
        ("server", Some(format!("{}{host}", server(session)))),
        ("URL", session.url.clone().map(String::from)),
        ("name", session.content_name.clone().map(String::from)),
        ("user agent", session.user_agent.clone().map(String::from)),
        ("size", Some(sizes)),
        ("time", Some(format!("{} to {}, {took}", session.started, session.ended))),
        ("SHA-256", session.file.as_ref().and_then(|file| file.sha256.clone())),
        ("host id", session.host_id.clone()),
        ("reply", session.reply_url.clone()),
        ("error", error_words(session)),
        ("carried on as", successor(session, report)),
    ];
    writeln!(out, "<dl>")?;
    for (name, value) in facts.iter().filter_map(|(name, value)| Some((name, value.as_ref()?))) {
        writeln!(out, "<dt>{name}</dt><dd>{}</dd>", Esc(value))?;
    }
    writeln!(out, "</dl>")
}

fn findings(out: &mut dyn Write, session: &Session) -> io::Result<()> {
    if session.findings.is_empty() {
        return Ok(());
    }
    writeln!(out, "<h3>Findings</h3>")?;
    session.findings.iter().try_for_each(|finding| write_finding(out, finding))
}

/// Writes one finding with its frames and what to do.
pub(super) fn write_finding(out: &mut dyn Write, finding: &Finding) -> io::Result<()> {
    let (class, edge) = match finding.severity {
        Severity::Error => ("bad", " bad-edge"),
        Severity::Warning => ("odd", " odd-edge"),
        Severity::Note => ("dim", ""),
    };
    writeln!(
        out,
        "<div class=\"finding{edge}\"><p><span class=\"verdict {class}\">{}</span> {} <code>{}</code></p>",
        finding.severity.name(),
        Esc(&finding.message),
        Esc(&finding.rule)
    )?;
    if let Some(frames) = finding.frames_in_words() {
        writeln!(out, "<p class=\"dim\">{frames}</p>")?;
    }
    for (name, words) in [
        ("Advice", &finding.advice),
        ("To confirm", &finding.confirm),
        ("Reference", &finding.reference),
    ] {
        if let Some(words) = words {
            writeln!(out, "<p>{name}: {}</p>", Esc(words))?;
        }
    }
    writeln!(out, "</div>")
}

fn retransmissions(session: &Session) -> String {
    let sides = || session.connections().map(|connection| &connection.client_side);
    let segments: u64 = sides().map(|side| u64::from(side.retransmitted)).sum();
    let bytes: u64 = sides().map(|side| side.retransmitted_bytes).sum();
    let again = again(session);
    format!(
        "{} sent again by Fragments; the client's TCP repeated {} with {}.",
        text::bytes(again),
        text::count(segments, "segment"),
        text::bytes(bytes)
    )
}

fn negotiation(out: &mut dyn Write, session: &Session) -> io::Result<()> {
    let Some(negotiation) = &session.negotiation else { return Ok(()) };
    writeln!(
        out,
        "<h3>Negotiation</h3><div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Protocols offered\"><table><thead><tr><th scope=\"col\">place</th><th scope=\"col\">offered</th><th scope=\"col\">name</th><th scope=\"col\">chosen</th></tr></thead><tbody>"
    )?;
    for (place, offer) in negotiation.offered.iter().enumerate() {
        let chosen = if negotiation.selected_index == Some(place) { "✔ chosen" } else { "" };
        writeln!(
            out,
            "<tr><td>{}</td><td class=\"mono\">{}</td><td>{}</td><td>{chosen}</td></tr>",
            place + 1,
            Esc(&offer.guid),
            Esc(offer.name.as_deref().unwrap_or_default())
        )?;
    }
    writeln!(out, "</tbody></table></div>")?;
    let verdict = serde_json::to_value(negotiation.verdict)?;
    let verdict = verdict.as_str().unwrap_or_default().replace('-', " ");
    let chosen = negotiation.selected.as_ref().filter(|_| negotiation.selected_index.is_none());
    let chosen = chosen.map_or_else(String::new, |offer| format!("; chosen was {}", offer.guid));
    writeln!(out, "<p>{}{}</p>", Esc(&verdict), Esc(&chosen))
}

fn messages(
    out: &mut dyn Write,
    session: &Session,
    story: &Story,
    heads: &Heads,
) -> io::Result<()> {
    writeln!(
        out,
        "<h3>Messages</h3><div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Messages\"><table><thead><tr><th scope=\"col\">time</th><th scope=\"col\">frames</th><th scope=\"col\">from</th><th scope=\"col\">message</th></tr></thead><tbody>"
    )?;
    let (first, skipped, last) = story.shortened(LISTED);
    first.iter().try_for_each(|step| row(out, session, step, heads))?;
    if skipped > 0 {
        writeln!(
            out,
            "<tr><td></td><td></td><td></td><td class=\"odd\">{} left out</td></tr>",
            text::count(skipped as u64, "step")
        )?;
    }
    last.iter().try_for_each(|step| row(out, session, step, heads))?;
    writeln!(out, "</tbody></table></div>")
}

fn row(out: &mut dyn Write, session: &Session, step: &Step, heads: &Heads) -> io::Result<()> {
    let seconds = step.time().secs_since(session.started);
    match step {
        Step::Note { words, .. } => writeln!(
            out,
            "<tr><td class=\"num\">{seconds:.6}</td><td></td><td></td><td class=\"odd\">{}</td></tr>",
            Esc(words)
        ),
        Step::Message(message) => {
            let exchange = session.exchanges.get(message.exchange);
            line(out, seconds, message, exchange, heads)
        }
    }
}

fn line(
    out: &mut dyn Write,
    seconds: f64,
    message: &Message,
    exchange: Option<&Exchange>,
    heads: &Heads,
) -> io::Result<()> {
    let [first, last] = [message.span.first, message.span.last].map(|at| at.name());
    let frames = if first == last { first } else { format!("{first}–{last}") };
    let from = match message.from {
        Side::Client => "→ client",
        Side::Server => "← server",
    };
    let class = match message.tone {
        Tone::Good => "good",
        Tone::Odd => "odd",
        Tone::Bad => "bad",
        _ => "verdict",
    };
    write!(
        out,
        "<tr><td class=\"num\">{seconds:.6}</td><td class=\"num\">{frames}</td><td>{from}</td><td><span class=\"{class}\">{}</span> {}",
        Esc(&message.what),
        Esc(&message.detail)
    )?;
    let found = exchange.map(|exchange| heads.of(exchange));
    let head = found.and_then(
        |(request, response)| if message.from == Side::Client { request } else { response },
    );
    if let Some(head) = head {
        raw(out, head)?;
    }
    writeln!(out, "</td></tr>")
}

fn raw(out: &mut dyn Write, head: &RawHead) -> io::Result<()> {
    write!(out, "<details><summary>head</summary><pre>{}", Esc(&head.line))?;
    for (name, value) in &head.fields {
        write!(out, "\n{}: {}", Esc(name), Esc(value))?;
    }
    write!(out, "</pre></details>")
}
