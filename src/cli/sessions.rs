//! `bitsleuth sessions`: one row per upload, the report as one JSON document, or a line of JSON per upload.

use std::io::Write;

use bitsleuth::export::document::Document;
use bitsleuth::export::{json, redact, table};
use bitsleuth::rules::worst;
use clap::{Args, ValueEnum};

use super::judge::Level;
use super::output::Output;
use super::run::{Digest, Failure, Status, is_in_vain};
use super::show::Look;
use super::sink::{Form, Sink};
use super::uploads::Uploads;

pub const EXAMPLES: &str = "\
Examples:
  bitsleuth sessions monday/*.pcapng.gz
  bitsleuth sessions --json --digest sha256 upload.pcap | jq '.sessions[].file'
  bitsleuth sessions --format ndjson huge.pcapng | jq -r .url
  bitsleuth sessions --outcome failed --client 10.0.0.5 upload.pcap";

/// What to summarise.
#[derive(Args, Debug, Clone)]
pub struct SessionsArgs {
    #[command(flatten)]
    uploads: Uploads,
    #[command(flatten)]
    look: Look,
    /// How to print it
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,
    /// Print the report as one JSON document, as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Hash each file of which every byte was captured, unless it is open which bytes the server took
    #[arg(long, value_enum, value_name = "ALGORITHM")]
    digest: Option<Digest>,
}

/// A form of the summary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table
    #[default]
    Text,
    /// The report, one document
    Json,
    /// Each upload as one JSON object a line, as soon as it is over: closed, and its connections too or five minutes
    /// quiet
    Ndjson,
}

impl SessionsArgs {
    /// Runs the command.
    pub fn run(&self) -> Result<Status, Failure> {
        let names = self.uploads.redact.pseudonyms();
        let mut out = Output::new();
        let form = match if self.json { Format::Json } else { self.format } {
            Format::Text => Form::Table,
            Format::Json => Form::Document(Document::default()),
            Format::Ndjson => Form::Lines(json::Lines::new(&mut out)),
        };
        let names = names.as_ref();
        let mut sink = Sink::new(&self.uploads.select, names, form);
        let digest = self.digest.is_some();
        let (mut report, status) = self.uploads.report(None, digest, &mut sink)?;
        let Sink { form, unasked, worst: of_sessions, failed, .. } = sink;
        failed?;
        report.unasked += unasked;
        if let Some(names) = names {
            redact::report(&mut report, names);
        }
        let status =
            self.uploads.judge.status(status, worst(&report).max(of_sessions), Level::Never);
        match form {
            Form::Table if is_in_vain(&report, status) => {}
            Form::Table => table::write(&mut out, &report, &self.look.style())?,
            Form::Document(document) => document.write(&mut out, report)?,
            Form::Lines(_) | Form::Bundle(_) => {}
        }
        out.flush()?;
        Ok(status)
    }
}
