//! Uploads as dialogues: the verdict, then a line for every message and what the rules say of it.

pub(super) mod beside;
mod findings;
mod head;
mod layout;
#[cfg(test)]
pub(super) mod samples;
mod words;

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};

use super::legend;
use super::style::{Style, Tone};
use super::text::{self, Clock};
use crate::at::Span;
use crate::model::notification::Notification;
use crate::model::session::Reply;
use crate::model::{Exchange, Report, Session};
use crate::rules::{Finding, sender};
use crate::stream::{Connection, Reset};
use layout::{Line, Mark, Message};

pub use head::nothing;
pub(super) use head::{
    again, error_words, headline, identity, rate, seen_twice, server, sign, sizes, successor,
    tally, tone,
};
pub use layout::line;
pub(super) use layout::wrapped;
pub(super) use words::{Said, Words};

const MILLISECOND: i64 = 1_000_000;

/// Writes a block for every session of the report, and a summary where there is not just one.
pub fn write(out: &mut dyn Write, report: &Report, style: &Style) -> io::Result<()> {
    for finding in &report.findings {
        write_aside(out, finding, style)?;
    }
    for session in &report.sessions {
        head::write(out, session, report, style)?;
        let mut lines = Dialogue::of(session, style).lines(session);
        findings::add(&mut lines, &session.findings, style);
        layout::write(out, &lines, style)?;
        writeln!(out)?;
    }
    match report.sessions.len() {
        0 => writeln!(out, "{}", layout::wrapped(&head::nothing(report), 2, Tone::Plain, style))?,
        1 => {}
        _ => writeln!(out, "{}", head::summary(report))?,
    }
    legend::write(out, &legend::of(report), style)
}

/// Writes a finding that belongs to no session.
fn write_aside(out: &mut dyn Write, finding: &Finding, style: &Style) -> io::Result<()> {
    let (sign, words) = findings::words(finding, &[], style);
    let words = layout::wrapped(&style.clean(&words), 2, Tone::Plain, style);
    let tone = Tone::of(finding.severity);
    writeln!(out, "{}", style.paint(tone, format_args!("{sign} {words}")))
}

/// Writes the lines of a session that hold any of `frames`.
pub(super) fn write_proof(
    out: &mut dyn Write,
    session: &Session,
    frames: &[u64],
    style: &Style,
) -> io::Result<()> {
    let mut lines = Dialogue::of(session, style).lines(session);
    lines.retain(|line| line.has_any(frames));
    layout::write(out, &lines, style)
}

/// Writes one exchange as it happens, below its connection where that is to be said `anew`, for a timeline that never
/// ends; `clock` goes on from one to the next.
pub fn write_exchange(
    out: &mut dyn Write,
    exchange: &Exchange,
    anew: bool,
    clock: &mut Clock,
    style: &Style,
) -> io::Result<()> {
    let arrow = style.signs().right;
    let mut dialogue = Dialogue {
        style: *style,
        clock: *clock,
        words: words::Words::new(*style),
        last: None,
        before: None,
        known: BTreeSet::new(),
        resets: Vec::new(),
        quiet: i64::MAX,
    };
    let mut lines = Vec::with_capacity(2);
    dialogue.request(exchange, &mut lines);
    dialogue.response(exchange, &mut lines);
    *clock = dialogue.clock;
    let ends = format!("{} {arrow} {}", exchange.client, exchange.server);
    if anew {
        writeln!(out, "{}", style.paint(Tone::Quiet, ends))?;
    }
    layout::write(out, &lines, style)
}

/// Turns the exchanges of a session into lines.
struct Dialogue<'a> {
    style: Style,
    clock: Clock,
    words: words::Words<'a>,
    /// The frames of the line before.
    last: Option<Span>,
    /// The connection of the exchange before, and its ends.
    before: Option<(u64, IpAddr, SocketAddr)>,
    known: BTreeSet<u64>,
    /// RSTs by the connection that they ended, with who sent them.
    resets: Vec<(u64, Reset, String)>,
    /// Waits shorter than this, in nanoseconds, are not shown.
    quiet: i64,
}

impl<'a> Dialogue<'a> {
    fn of(session: &'a Session, style: &Style) -> Self {
        Self {
            style: *style,
            clock: Clock::new(style.times, Some(session.started)),
            words: words::Words::of(session, *style),
            last: None,
            before: None,
            known: BTreeSet::new(),
            resets: resets(session),
            quiet: quiet(&session.exchanges),
        }
    }

    fn lines(mut self, session: &Session) -> Vec<Line> {
        let mut lines = Vec::with_capacity(session.exchanges.len() * 2 + 1);
        let mut reply = session.reply.as_ref();
        let mut told = session.notifications.iter().peekable();
        for exchange in &session.exchanges {
            if let Some(reply) = reply.take_if(|reply| reply.is_ahead_of(exchange)) {
                self.fetch(reply, &mut lines);
            }
            let began = exchange.span().first.time;
            while let Some(one) = told.next_if(|one| one.request.first.time < began) {
                self.notification(one, &mut lines);
            }
            let change = self.change(exchange);
            // What has no request is told by its response alone.
            let next = exchange.request.as_ref().map(|request| request.span);
            lines.extend(next.and_then(|next| self.wait(next, change)));
            self.request(exchange, &mut lines);
            while let Some(one) = told.next_if(|one| one.is_within(exchange)) {
                self.notification(one, &mut lines);
            }
            self.response(exchange, &mut lines);
        }
        told.for_each(|one| self.notification(one, &mut lines));
        if let Some(reply) = reply {
            self.fetch(reply, &mut lines);
        }
        if session.exchanges_omitted > 0 {
            let words = format!("{} left out", text::count(session.exchanges_omitted, "exchange"));
            lines.push(self.note(&words, Tone::Odd));
        }
        lines
    }

    fn request(&mut self, exchange: &Exchange, lines: &mut Vec<Line>) {
        if let Some(request) = &exchange.request {
            let said = self.words.request(exchange, request);
            lines.push(self.message(request.span, Mark::Request, said));
        }
    }

    fn response(&mut self, exchange: &Exchange, lines: &mut Vec<Line>) {
        match &exchange.response {
            Some(response) => {
                lines.extend(self.wait(response.span, None));
                let said = self.words.response(exchange, response);
                lines.push(self.message(response.span, Mark::Response, said));
            }
            None if was_reset(exchange) => lines.push(self.cut(exchange)),
            None => lines.push(self.note("no answer seen", Tone::Odd)),
        }
    }

    /// The request for the reply of an upload-reply session, and the answer that decided.
    fn fetch(&mut self, reply: &Reply, lines: &mut Vec<Line>) {
        lines.extend(self.wait(reply.request, None));
        lines.push(self.message(reply.request, Mark::Request, beside::fetch(reply)));
        if let Some(response) = &reply.response {
            lines.extend(self.wait(response.span, None));
            lines.push(self.message(response.span, Mark::Response, beside::fetched(response)));
        }
    }

    /// What the server tells the application behind it, and what that answers.
    fn notification(&mut self, one: &Notification, lines: &mut Vec<Line>) {
        lines.extend(self.wait(one.request, None));
        lines.push(self.message(one.request, Mark::Request, beside::notification(one)));
        if let Some((span, said)) = one.response.zip(beside::notified(one)) {
            lines.extend(self.wait(span, None));
            lines.push(self.message(span, Mark::Response, said));
        }
    }

    fn message(&mut self, span: Span, mark: Mark, said: words::Said) -> Line {
        self.last = Some(span);
        let time = self.clock.show(span.first.time);
        let frames = layout::frames(span, &self.style);
        Line::Message(Message { time, frames, span, mark, said })
    }

    /// The RST that left a request without its answer.
    fn cut(&mut self, exchange: &Exchange) -> Line {
        let known = self.resets.iter().find(|(connection, ..)| *connection == exchange.connection);
        let Some((_, reset, who)) = known else {
            return self.note("the connection was reset inside the request", Tone::Odd);
        };
        let whole = exchange.request.as_ref().is_some_and(|request| request.body.complete);
        let place = if whole { "before the answer to" } else { "in the middle of" };
        let detail = format!("{who} resets the connection {place} the {}", exchange.kind);
        let said = words::Said { what: String::new(), detail, tone: Tone::Odd, aside: Tone::Odd };
        self.message(Span::at(reset.at), Mark::Cut, said)
    }

    /// What lies between the last line and the next: a wait, something that changed, or neither.
    fn wait(&self, next: Span, change: Option<String>) -> Option<Line> {
        let gap = self.last.map_or(0, |last| next.first.time.since(last.last.time));
        let sign = self.style.signs().wait;
        let shown = (gap >= self.quiet).then(|| format!("{sign} {}", text::duration(gap)));
        if shown.is_none() && change.is_none() {
            return None;
        }
        let words = change.unwrap_or_default();
        Some(Line::Note { sign: shown.unwrap_or_else(|| sign.to_owned()), words, tone: Tone::Odd })
    }

    fn note(&self, words: &str, tone: Tone) -> Line {
        Line::Note { sign: self.style.signs().wait.to_owned(), words: words.to_owned(), tone }
    }

    /// What to say where the conversation goes on over another connection.
    fn change(&mut self, exchange: &Exchange) -> Option<String> {
        let Exchange { connection: now, client, server, .. } = *exchange;
        let before = self.before.replace((now, client.ip(), server));
        let fresh = self.known.insert(now);
        let (_, old_client, old_server) = before.filter(|(before, ..)| *before != now)?;
        let how = if fresh { "new connection" } else { "back on the connection" };
        let mut words = format!("{how}, port {}", client.port());
        if old_client != client.ip() {
            words.push_str(&format!(", from {}", client.ip()));
        }
        if old_server != server {
            words.push_str(&format!(", to {server}"));
        }
        Some(words)
    }
}

/// From how many nanoseconds on a wait is shown: 100 ms and five times the median, at most a second.
fn quiet(exchanges: &[Exchange]) -> i64 {
    let spans: Vec<Span> = exchanges
        .iter()
        .flat_map(|e| [e.request.as_ref().map(|r| r.span), e.response.as_ref().map(|r| r.span)])
        .flatten()
        .collect();
    let mut gaps: Vec<i64> = spans
        .iter()
        .zip(spans.iter().skip(1))
        .map(|(last, next)| next.first.time.since(last.last.time).max(0))
        .collect();
    gaps.sort_unstable();
    let median = gaps.get(gaps.len() / 2).copied().unwrap_or(0);
    median.saturating_mul(5).clamp(100 * MILLISECOND, 1000 * MILLISECOND)
}

fn was_reset(exchange: &Exchange) -> bool {
    exchange.request.as_ref().is_some_and(|request| request.body.reset)
}

fn resets(session: &Session) -> Vec<(u64, Reset, String)> {
    let known = |connection: &Connection| {
        let reset = connection.reset?;
        Some((connection.id, reset, sender::in_whose_name(session, connection, &reset, "")))
    };
    session.connections().filter_map(known).collect()
}

#[cfg(test)]
mod tests;
