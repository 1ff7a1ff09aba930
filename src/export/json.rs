//! The report as one JSON document, and the schema of that document.

use std::io::{self, Write};

use serde::Serialize;

use crate::model::Report;

/// Writes the report as an indented JSON document that ends in a line feed.
pub fn write(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    write_value(out, report)
}

/// Writes any value as an indented JSON document that ends in a line feed.
pub fn write_value(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer_pretty(Spelled(&mut *out), value)?;
    writeln!(out)
}

/// Writes a value as one line of JSON without its line feed.
pub(super) fn write_line(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    Ok(serde_json::to_writer(Spelled(out), value)?)
}

/// Spells out the control characters that JSON lets pass, DEL and C1, lest the wire operate the terminal.
struct Spelled<'w>(&'w mut dyn Write);

impl Write for Spelled<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // The serializer hands over whole characters, and has these ones within strings only.
        let mut rest = str::from_utf8(bytes).map_err(io::Error::other)?;
        while let Some((before, control, after)) = split_at_control(rest) {
            write!(self.0, "{before}\\u{:04x}", u32::from(control))?;
            rest = after;
        }
        self.0.write_all(rest.as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn split_at_control(text: &str) -> Option<(&str, char, &str)> {
    let (at, control) = text.char_indices().find(|(_, c)| matches!(c, '\x7f'..='\u{9f}'))?;
    Some((text.get(..at)?, control, text.get(at + control.len_utf8()..)?))
}

/// Writes the JSON Schema of the report.
pub fn schema(out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &schemars::schema_for!(Report))?;
    writeln!(out)
}

#[cfg(test)]
mod tests {
    #[test]
    fn controls_that_json_lets_pass_are_spelled_out() {
        let (mut out, text) = (Vec::new(), "a\x1b\x7f\u{80}é\u{9f}\u{a0}z");
        super::write_line(&mut out, &text).unwrap();
        let written = String::from_utf8(out).unwrap();
        assert_eq!(written, "\"a\\u001b\\u007f\\u0080é\\u009f\u{a0}z\"");
        assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
    }

    #[test]
    fn the_schema_names_what_a_report_must_have() {
        let mut out = Vec::new();
        super::schema(&mut out).unwrap();
        let schema: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(schema["title"], "Report");
        assert_eq!(schema["properties"]["sessions"]["type"], "array");
    }
}
