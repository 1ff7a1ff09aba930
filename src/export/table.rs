//! Sessions as a table.

use std::io::{self, Write};
use std::ops::Range;

use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, Table, Width};
use unicode_width::UnicodeWidthStr;

use super::legend;
use super::style::{Style, Tone};
use super::text;
use super::timeline::{self, error_words, rate, server, sign, tone, wrapped};
use crate::model::url::{host_and_port, path_within};
use crate::model::{Report, Session};

const COLUMNS: [&str; 12] = [
    "outcome", "client", "server", "url", "size", "sent", "acked", "time", "rate", "begins",
    "error", "sha256",
];
/// Where an upload begins, which is of use only among several captures.
const BEGINS: usize = 9;
/// Hashes, where there are any.
const DIGEST: usize = 11;
/// The columns that hold numbers.
const NUMBERS: Range<usize> = 4..9;
/// The columns that may wrap, and how narrow they may get.
const LONG: [(usize, u16); 2] = [(3, 18), (10, 26)];
/// The columns that are left where all of them would be too wide; the others go below their row.
const FEW: [usize; 7] = [0, 4, 5, 6, 7, 8, BEGINS];

/// Writes a row for every session, or that there is none. Where the style has a width, cells wrap, or what does not fit
/// goes below the row.
pub fn write(out: &mut dyn Write, report: &Report, style: &Style) -> io::Result<()> {
    write_rows(out, report, style)?;
    if let Some(words) = timeline::seen_twice(report) {
        let words = format!("{}, {words}", text::count(report.sessions.len() as u64, "upload"));
        writeln!(out, "\n{}", wrapped(&words, 2, Tone::Plain, style))?;
    }
    legend::write(out, &legend::of_rows(report), style)
}

fn write_rows(out: &mut dyn Write, report: &Report, style: &Style) -> io::Result<()> {
    if report.sessions.is_empty() {
        return timeline::write(out, report, style);
    }
    let digests = report.sessions.iter().any(|session| digest(session).is_some());
    let told = |column: &usize| match *column {
        BEGINS => report.captures.len() > 1,
        DIGEST => digests,
        _ => true,
    };
    let all: Vec<usize> = (0..COLUMNS.len()).filter(told).collect();
    let plain = Style { color: false, ..*style };
    let fits = |line: &String| line.width() <= style.width;
    if style.width == 0 || lines(report, &plain, &all).iter().all(fits) {
        return lines(report, style, &all).iter().try_for_each(|line| writeln!(out, "{line}"));
    }
    let few: Vec<usize> = FEW.into_iter().filter(told).collect();
    let rows = lines(report, &Style { width: 0, ..*style }, &few);
    let mut rows = rows.iter();
    rows.next().map_or(Ok(()), |head| writeln!(out, "{head}"))?;
    for (row, session) in rows.zip(&report.sessions) {
        writeln!(out, "{row}")?;
        write_below(out, session, style)?;
    }
    Ok(())
}

fn write_below(out: &mut dyn Write, session: &Session, style: &Style) -> io::Result<()> {
    let arrow = style.signs().right;
    let ends = format!("{} {arrow} {}", session.client.address, server_of(session));
    let ends = [ends.as_str(), url(session, style).unwrap_or_default()].join("   ");
    let hash = digest(session).map(|hash| format!("sha256 {hash}"));
    for words in [Some(ends), error_words(session), hash].into_iter().flatten() {
        writeln!(out, "  {}", wrapped(style.clean(&words).trim_end(), 2, Tone::Plain, style))?;
    }
    Ok(())
}

/// The lines of a table that has these columns.
fn lines(report: &Report, style: &Style, columns: &[usize]) -> Vec<String> {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    let names = columns.iter().filter_map(|number| COLUMNS.get(*number));
    table.set_header(names);
    for session in &report.sessions {
        let row = (0..).zip(row(session, style));
        table.add_row(row.filter(|(number, _)| columns.contains(number)).map(|(_, cell)| cell));
    }
    for (place, number) in columns.iter().enumerate() {
        let Some(column) = table.column_mut(place) else { continue };
        column.set_constraint(constraint(*number));
        if place == 0 {
            column.set_padding((0, 1));
        }
        if NUMBERS.contains(number) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    arrange(&mut table, style);
    colored(table.lines(), report, style)
}

/// The lines of a table, each row of which begins with the outcome; further lines of a row are indented.
fn colored(mut lines: impl Iterator<Item = String>, report: &Report, style: &Style) -> Vec<String> {
    let head = lines.next().map(|head| style.paint(Tone::Strong, head.trim_end()));
    let mut sessions = report.sessions.iter();
    let rows = lines.map(|line| {
        let goes_on = line.starts_with(' ');
        let line = line.trim_end();
        let session = if goes_on { None } else { sessions.next() };
        let painted = session.and_then(|session| {
            let outcome = outcome(session, style);
            let rest = line.strip_prefix(&outcome)?;
            Some(style.paint(tone(session.outcome), outcome) + rest)
        });
        painted.unwrap_or_else(|| line.to_owned())
    });
    head.into_iter().chain(rows).collect()
}

fn digest(session: &Session) -> Option<&str> {
    session.file.as_ref()?.sha256.as_deref()
}

/// The server, and whether it was spoken to in TLS.
fn server_of(session: &Session) -> String {
    let tls = if session.exchanges.iter().any(|exchange| exchange.tls) { " (TLS)" } else { "" };
    format!("{}{tls}", server(session))
}

fn constraint(number: usize) -> ColumnConstraint {
    let long = LONG.iter().find(|(long, _)| *long == number);
    long.map_or(ColumnConstraint::ContentWidth, |(_, width)| {
        ColumnConstraint::LowerBoundary(Width::Fixed(*width))
    })
}

/// The URL; on a terminal its path alone, where its host is the address that stands beside it.
fn url<'s>(session: &'s Session, style: &Style) -> Option<&'s str> {
    let url = session.url_or_path()?;
    let (host, _) = host_and_port(url);
    let path = session.url.as_deref().map_or("", path_within);
    let twice = host.trim_matches(['[', ']']).parse() == Ok(session.server.address);
    Some(if style.width > 0 && twice && !path.is_empty() { path } else { url })
}

fn arrange(table: &mut Table, style: &Style) {
    match u16::try_from(style.width) {
        Ok(width) if width > 0 => {
            table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
        }
        _ => {
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
    }
}

fn outcome(session: &Session, style: &Style) -> String {
    format!("{} {}", sign(session.outcome, style.ascii), session.outcome.name())
}

fn row(session: &Session, style: &Style) -> Vec<Cell> {
    let dash = || style.signs().dash.to_owned();
    let total = session.bytes_total.unwrap_or(0);
    let error = error_words(session).unwrap_or_default();
    let cells = [
        outcome(session, style),
        session.client.address.to_string(),
        server_of(session),
        url(session, style).map_or_else(dash, str::to_owned),
        session.bytes_total.map_or_else(dash, |total| text::size(total as f64)),
        text::percent(session.bytes_sent, total).unwrap_or_else(dash),
        text::percent(session.bytes_acknowledged, total).unwrap_or_else(dash),
        text::duration(session.ended.since(session.started)),
        rate(session).unwrap_or_else(dash),
        session.span().map_or_else(dash, |span| span.first.name()),
        error,
        digest(session).unwrap_or_default().to_owned(),
    ];
    cells.iter().map(|cell| Cell::new(style.clean(cell))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::timeline::samples;

    #[test]
    fn a_session_is_a_row() {
        let mut out = Vec::new();
        write(&mut out, &samples::report(), &Style::default()).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "\
outcome       client      server         url                                   size  sent  acked    time      rate  error
… incomplete  10.20.0.11  10.20.0.80:80  http://10.20.0.80/backup/backup.bak  41 kB   6 %   20 %  401 ms  6.8 kB/s
"
        );
    }

    #[test]
    fn without_sessions_it_says_so() {
        let mut report = samples::report();
        report.sessions.clear();
        let mut out = Vec::new();
        write(&mut out, &report, &Style::default()).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "no BITS upload in 0 frames\n");
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let mut report = samples::report();
        report.sessions[0].url = Some(format!("http://10.20.0.80/{}", "a".repeat(90)).into());
        let file = report.sessions[0].file.get_or_insert_default();
        file.sha256 = Some("0123456789abcdef".repeat(4));
        for width in [60, 80, 100, 120, 200] {
            let mut out = Vec::new();
            write(&mut out, &report, &Style { width, ..Style::default() }).unwrap();
            let text = String::from_utf8(out).unwrap();
            assert!(text.lines().all(|line| line.width() <= width), "{width}\n{text}");
        }
        let mut out = Vec::new();
        report.sessions[0].url = Some("http://10.20.0.80/a".into());
        write(&mut out, &report, &Style { width: 80, ..Style::default() }).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "\
outcome        size  sent  acked    time      rate
… incomplete  41 kB   6 %   20 %  401 ms  6.8 kB/s
  10.20.0.11 → 10.20.0.80:80   /a
  sha256 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
"
        );
    }

    #[test]
    fn each_row_has_the_colour_of_its_own_outcome() {
        let mut report = samples::report();
        report.sessions[0].url = Some(format!("http://{}/a", " ".repeat(90)).into());
        report.sessions.push(report.sessions[0].clone());
        let style = Style { width: 110, color: true, ..Style::default() };
        let mut out = Vec::new();
        write(&mut out, &report, &style).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.matches("\u{1b}[33m… incomplete\u{1b}[0m").count(), 2, "{text}");
    }

    #[test]
    fn a_pipe_gets_every_character() {
        let mut report = samples::report();
        let long = format!("http://10.20.0.80/{}", "a".repeat(500));
        report.sessions[0].url = Some(long.as_str().into());
        let mut out = Vec::new();
        write(&mut out, &report, &Style::default()).unwrap();
        assert!(String::from_utf8(out).unwrap().contains(&long));
    }
}
