//! The report as one JSON document, and the schema of that document.

use std::io::{self, Write};

use crate::model::Report;

/// Writes the report as an indented JSON document that ends in a line feed.
pub fn write(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, report)?;
    writeln!(out)
}

/// Writes the JSON Schema of the report.
pub fn schema(out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &schemars::schema_for!(Report))?;
    writeln!(out)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_schema_names_what_a_report_must_have() {
        let mut out = Vec::new();
        super::schema(&mut out).unwrap();
        let schema: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(schema["title"], "Report");
        assert_eq!(schema["properties"]["sessions"]["type"], "array");
    }
}
