//! The report as one JSON document, and the schema of that document.

use std::io::{self, Write};

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::text::is_unsafe;
use crate::model::Report;

/// Writes a value, such as a report, as an indented JSON document that ends in a line feed.
pub fn write(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    let mut out = Spelled::new(out);
    serde_json::to_writer_pretty(&mut out, value)?;
    out.write_all(b"\n")?;
    out.flush()
}

/// Writes a value as one line of JSON, with its line feed.
pub fn write_line(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    let mut out = Spelled::new(out);
    serde_json::to_writer(&mut out, value)?;
    out.write_all(b"\n")?;
    out.flush()
}

/// A list whose items are made one by one as they are written.
pub(super) struct Listed<F>(pub F);

impl<F: Fn() -> I, I: Iterator<Item: Serialize>> Serialize for Listed<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}

/// Writes values as lines of JSON.
pub struct Lines<'w> {
    out: &'w mut dyn Write,
    line: Vec<u8>,
}

impl<'w> Lines<'w> {
    /// None yet.
    pub fn new(out: &'w mut dyn Write) -> Self {
        Self { out, line: Vec::with_capacity(8 << 10) }
    }

    /// Writes a value as the next line.
    ///
    /// # Errors
    ///
    /// Where the writer below fails.
    pub fn write(&mut self, value: &impl Serialize) -> io::Result<()> {
        self.line.clear();
        // A long line is no reason to keep its room.
        self.line.shrink_to(HELD);
        serde_json::to_writer(&mut self.line, value)?;
        self.line.push(b'\n');
        spell(self.out, &self.line)
    }
}

/// Bytes held before they are looked through.
const HELD: usize = 64 << 10;

/// Spells out what JSON lets pass of control characters, DEL and C1, of those that turn the direction of text, and of
/// those without width, lest the wire operate the terminal. To be flushed.
pub(super) struct Spelled<'w> {
    out: &'w mut dyn Write,
    held: Vec<u8>,
}

impl<'w> Spelled<'w> {
    pub fn new(out: &'w mut dyn Write) -> Self {
        Self { out, held: Vec::with_capacity(8 << 10) }
    }
}

impl Write for Spelled<'_> {
    /// Takes all of `bytes`, which are to be whole characters.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.held.len() + bytes.len() > HELD {
            self.flush()?;
        }
        if bytes.len() > HELD {
            spell(self.out, bytes)?;
        } else {
            self.held.extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    /// Hands on what is held; the writer below is not flushed.
    fn flush(&mut self) -> io::Result<()> {
        spell(self.out, &self.held)?;
        self.held.clear();
        Ok(())
    }
}

fn spell(out: &mut dyn Write, bytes: &[u8]) -> io::Result<()> {
    // Nearly all is printable ASCII, and line feeds of the layout.
    if bytes.iter().fold(0, |highest, byte| highest.max(*byte)) < 0x7f {
        return out.write_all(bytes);
    }
    let text = std::str::from_utf8(bytes).map_err(io::Error::other)?;
    let mut rest = text;
    for c in text.chars().filter(|c| operates(*c)) {
        let (before, after) = rest.split_once(c).unwrap_or((rest, ""));
        write!(out, "{before}")?;
        for unit in c.encode_utf16(&mut [0; 2]) {
            write!(out, "\\u{unit:04x}")?;
        }
        rest = after;
    }
    out.write_all(rest.as_bytes())
}

/// Whether JSON lets a character pass that could operate a terminal, or is not seen there.
fn operates(c: char) -> bool {
    c >= '\x7f' && is_unsafe(c)
}

/// The value without keys that say nothing, and without what this leaves empty. Lists stay as they are.
pub(super) fn without_null(value: Value) -> Value {
    let Value::Object(fields) = value else { return value };
    let kept = fields.into_iter().map(|(name, value)| (name, without_null(value)));
    let empty = |value: &Value| match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    };
    Value::Object(kept.filter(|(_, value)| !empty(value)).collect())
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
        let (mut out, text) =
            (Vec::new(), "a\x1b\x7f\u{80}é\u{9f}\u{a0}\u{202e}→\u{200b}\u{e0041}\u{61b}z");
        super::write_line(&mut out, &text).unwrap();
        let written = String::from_utf8(out).unwrap().trim_end().to_owned();
        assert_eq!(
            written,
            "\"a\\u001b\\u007f\\u0080é\\u009f\u{a0}\\u202e→\\u200b\\udb40\\udc41\u{61b}z\""
        );
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
