//! A table as comma-separated values (RFC 4180).

use std::borrow::Cow;
use std::io::{self, Write};

use csv::{Terminator, WriterBuilder};

use super::tables::{Table, Value};
use super::text;
use crate::model::Report;

/// Writes one table of a report: a row of names, then the rows, each ended by CR LF. With `bom`, a byte order mark goes
/// in front, without which Excel takes UTF-8 for something else.
pub fn write(out: &mut dyn Write, report: &Report, table: Table, bom: bool) -> io::Result<()> {
    if bom {
        out.write_all("\u{feff}".as_bytes())?;
    }
    let mut csv = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(out);
    csv.write_record(table.columns().iter().map(|column| column.name))?;
    for row in table.rows(report) {
        let cells =
            table.columns().iter().map(|column| column.of(&row).map_or_else(String::new, cell));
        csv.write_record(cells)?;
    }
    csv.flush()
}

fn cell(value: Value) -> String {
    match value {
        Value::Text(raw) => guarded(&text::escape(&raw)).into_owned(),
        Value::Integer(number) => number.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Time(time) => time.to_string(),
        Value::Flag(flag) => flag.to_string(),
    }
}

/// Text with an apostrophe in front of what a spreadsheet would take for a formula: at its start, and behind semicolons,
/// at which cells end where commas are decimal points.
fn guarded(text: &str) -> Cow<'_, str> {
    if !text.split(';').any(is_formula) {
        return text.into();
    }
    let guard = |part| format!("{}{part}", if is_formula(part) { "'" } else { "" });
    text.split(';').map(guard).collect::<Vec<_>>().join(";").into()
}

/// Some take wide signs for the narrow ones. Quotes at which a semicolon opens a cell are not of its text.
fn is_formula(text: &str) -> bool {
    text.trim_start_matches(['"', ' ']).starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_guarded_and_numbers_are_not() {
        for raw in ["=1+1", "+1", "-1", "@SUM(A1)", "＝1+1"] {
            assert_eq!(cell(Value::Text(raw.to_owned())), format!("'{raw}"));
        }
        assert_eq!(cell(Value::Text("BITS;=1+1;b;@c".to_owned())), "BITS;'=1+1;b;'@c");
        for raw in ["a;\"=1+1", "a; =1+1"] {
            assert_eq!(cell(Value::Text(raw.to_owned())), raw.replace("a;", "a;'"));
        }
        assert_eq!(cell(Value::Number(-1.5)), "-1.5");
        assert_eq!(cell(Value::Text("a=b\n".to_owned())), "a=b\\n");
    }
}
