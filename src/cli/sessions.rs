//! `bitsleuth sessions`: one row per upload, the report as one JSON document, or a line of JSON per upload.

use std::io::{self, Write};

use bitsleuth::export::document::Document;
use bitsleuth::export::redact::{self, Pseudonyms};
use bitsleuth::export::{json, table};
use bitsleuth::model::Session;
use bitsleuth::observe::Observer;
use bitsleuth::rules::{Severity, worst, worst_of};
use clap::{Args, ValueEnum};

use super::judge::Level;
use super::output::Output;
use super::run::{Digest, Failure, Status, is_in_vain};
use super::select::Select;
use super::show::Look;
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
        let (select, names) = (&self.uploads.select, names.as_ref());
        let mut sink = Sink { select, names, form, unasked: 0, worst: None, failed: Ok(()) };
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
            Form::Lines(_) => {}
        }
        out.flush()?;
        Ok(status)
    }
}

/// Takes the sessions that were selected, in the form they are asked for.
struct Sink<'a> {
    select: &'a Select,
    names: Option<&'a Pseudonyms>,
    form: Form<'a>,
    /// How many were not.
    unasked: usize,
    worst: Option<Severity>,
    failed: io::Result<()>,
}

/// What becomes of a session.
enum Form<'a> {
    /// It is kept for the table.
    Table,
    /// It is packed for the document.
    Document(Document),
    /// It is written.
    Lines(json::Lines<'a>),
}

impl Observer for Sink<'_> {
    fn session(&mut self, mut session: Session) -> Option<Session> {
        if self.failed.is_err() {
            return None;
        }
        if !self.select.keep(&session) {
            self.unasked += 1;
            return None;
        }
        self.worst = self.worst.max(worst_of(&session));
        if let (Some(names), false) = (self.names, matches!(self.form, Form::Table)) {
            redact::session(&mut session, names);
        }
        self.failed = match &mut self.form {
            // Named with the rest of the report.
            Form::Table => return Some(session),
            Form::Document(document) => document.add(&session),
            Form::Lines(lines) => lines.write(&session),
        };
        None
    }

    fn has_enough(&self) -> bool {
        self.failed.is_err()
    }
}
