//! Sessions as a table.

use std::io::{self, Write};

use comfy_table::{
    Attribute, Cell, CellAlignment, Color, ColumnConstraint, ContentArrangement, Table, Width,
};

use super::style::{Style, Tone};
use super::text;
use super::timeline::{error_words, rate, server, sign, tone};
use crate::model::{Report, Session};

const COLUMNS: [&str; 10] =
    ["outcome", "client", "server", "url", "size", "sent", "acked", "time", "rate", "error"];
/// The columns that hold numbers.
const NUMBERS: std::ops::Range<usize> = 4..9;
/// The columns that may wrap, and how narrow they may get.
const LONG: [(usize, u16); 2] = [(3, 18), (9, 26)];

/// Writes a row for every session; cells wrap only where the style has a width.
pub fn write(out: &mut dyn Write, report: &Report, style: &Style) -> io::Result<()> {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(COLUMNS.iter().map(|name| Cell::new(name).add_attribute(Attribute::Bold)));
    for session in &report.sessions {
        table.add_row(row(session, style));
    }
    if let Some(column) = table.column_mut(0) {
        column.set_padding((0, 1));
    }
    for (number, constraint) in (0..COLUMNS.len()).map(constraint).enumerate() {
        if let Some(column) = table.column_mut(number) {
            column.set_constraint(constraint);
        }
    }
    for number in NUMBERS {
        if let Some(column) = table.column_mut(number) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    arrange(&mut table, style);
    for line in table.lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

fn constraint(number: usize) -> ColumnConstraint {
    let long = LONG.iter().find(|(long, _)| *long == number);
    long.map_or(ColumnConstraint::ContentWidth, |(_, width)| {
        ColumnConstraint::LowerBoundary(Width::Fixed(*width))
    })
}

/// The URL; on a terminal its path alone, the server stands beside it.
fn url<'s>(session: &'s Session, style: &Style) -> Option<&'s str> {
    let url = session.url.as_deref()?;
    let path =
        url.split_once("://").and_then(|(_, rest)| rest.find('/').and_then(|at| rest.get(at..)));
    Some(path.filter(|_| style.width > 0).unwrap_or(url))
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
    if style.color {
        table.enforce_styling();
    } else {
        table.force_no_tty();
    }
}

fn row(session: &Session, style: &Style) -> Vec<Cell> {
    let dash = || style.signs().dash.to_owned();
    let total = session.bytes_total.unwrap_or(0);
    let outcome = format!("{} {}", sign(session.outcome, style.ascii), session.outcome.name());
    let tls = if session.exchanges.iter().any(|exchange| exchange.tls) { " (TLS)" } else { "" };
    let error = error_words(session).unwrap_or_default();
    let cells = [
        session.client.address.to_string(),
        format!("{}{tls}", server(session)),
        url(session, style).map_or_else(dash, str::to_owned),
        session.bytes_total.map_or_else(dash, |total| text::size(total as f64)),
        text::percent(session.bytes_sent, total).unwrap_or_else(dash),
        text::percent(session.bytes_acknowledged, total).unwrap_or_else(dash),
        text::duration(session.ended.since(session.started)),
        rate(session).unwrap_or_else(dash),
        error,
    ];
    let first = colored(Cell::new(outcome), tone(session.outcome));
    std::iter::once(first).chain(cells.iter().map(|cell| Cell::new(style.clean(cell)))).collect()
}

fn colored(cell: Cell, tone: Tone) -> Cell {
    match tone {
        Tone::Good => cell.fg(Color::DarkGreen),
        Tone::Odd => cell.fg(Color::DarkYellow),
        Tone::Bad => cell.fg(Color::DarkRed),
        Tone::Plain | Tone::Quiet | Tone::Strong => cell,
    }
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
    fn a_pipe_gets_every_character() {
        let mut report = samples::report();
        let long = format!("http://10.20.0.80/{}", "a".repeat(500));
        report.sessions[0].url = Some(long.as_str().into());
        let mut out = Vec::new();
        write(&mut out, &report, &Style::default()).unwrap();
        assert!(String::from_utf8(out).unwrap().contains(&long));
    }
}
