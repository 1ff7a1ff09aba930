//! `bitsleuth export`: the report in the formats of other programs.

use std::path::PathBuf;

use bitsleuth::export::ecs::Ecs;
use bitsleuth::export::events::{Events, Form};
use bitsleuth::export::ndjson::Ndjson;
use bitsleuth::export::tables::Table;
use bitsleuth::export::{csv, har, json, redact, stix};
use bitsleuth::model::Report;
use bitsleuth::observe::Observer;
use bitsleuth::observe::heads::Heads;
use bitsleuth::rules::worst;
use clap::{Args, ValueEnum};

use super::judge::Level;
use super::run::{Digest, Failure, Status};
use super::sink::{self, Sink};
use super::target::Target;
use super::uploads::Uploads;

pub const EXAMPLES: &str = "\
Examples:
  bitsleuth export --format csv --table fragments upload.pcap > fragments.csv
  bitsleuth export --format parquet -o sessions.parquet monday/*.pcapng.gz
  tcpdump -U -w - tcp port 80 | bitsleuth export --format ecs - | filebeat -e
  bitsleuth export --format har --outcome failed -o case.har upload.pcap

ndjson and ecs are written line by line as exchanges are answered; sessions and findings follow at the end. With an \
option that chooses sessions, all lines wait for the end, for only then it is known what to choose. In csv, text that a \
spreadsheet would take for a formula has an apostrophe in front.";

/// What to export.
#[derive(Args, Debug, Clone)]
pub struct ExportArgs {
    #[command(flatten)]
    uploads: Uploads,
    /// The format
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Format,
    /// The table, for csv and parquet [default: sessions]
    #[arg(long, value_enum, value_name = "TABLE")]
    table: Option<TableName>,
    /// Begin csv with a byte order mark, for Excel
    #[arg(long)]
    bom: bool,
    /// Hash each file of which every byte was captured, unless it is open which bytes the server took
    #[arg(long, value_enum, value_name = "ALGORITHM")]
    digest: Option<Digest>,
    /// Write to this file instead of standard output; it appears when it is complete
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// A format of somebody else's, or our own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// The report, as `sessions --json`
    Json,
    /// One event a line, with `event_type`
    Ndjson,
    /// One event a line, in the words of Elastic Common Schema 8
    Ecs,
    /// A table as comma-separated values
    Csv,
    /// HTTP Archive 1.2
    Har,
    /// STIX 2.1 bundle
    Stix,
    /// A table as Parquet
    #[cfg(feature = "parquet")]
    Parquet,
}

impl Format {
    fn is_table(self) -> bool {
        self == Self::Csv || !self.is_text()
    }

    const fn is_text(self) -> bool {
        #[cfg(feature = "parquet")]
        if matches!(self, Self::Parquet) {
            return false;
        }
        true
    }
}

/// A table of the report.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum TableName {
    /// One row per upload
    #[default]
    Sessions,
    /// One row per Fragment
    Fragments,
    /// One row per finding
    Findings,
}

impl From<TableName> for Table {
    fn from(name: TableName) -> Self {
        match name {
            TableName::Sessions => Self::Sessions,
            TableName::Fragments => Self::Fragments,
            TableName::Findings => Self::Findings,
        }
    }
}

impl ExportArgs {
    /// Runs the command.
    pub fn run(&self) -> Result<Status, Failure> {
        self.check()?;
        let open = if self.format.is_text() { Target::open } else { Target::open_for_bytes };
        let out = open(self.output.as_deref(), &self.uploads.input)?;
        match self.format {
            Format::Ndjson => self.events(out, Ndjson),
            Format::Ecs => self.events(out, Ecs::of(self.uploads.input.names())),
            Format::Stix => self.bundle(out),
            _ => self.document(out),
        }
    }

    /// Whether each option is of use to the format.
    fn check(&self) -> Result<(), Failure> {
        let misplaced = [
            (self.table.is_some() && !self.format.is_table(), "--table is for csv and parquet"),
            (self.bom && self.format != Format::Csv, "--bom is for csv"),
        ];
        let why = misplaced.into_iter().find_map(|(is, why)| is.then_some(why));
        why.map_or(Ok(()), |why| Err(Failure::Message(why.to_owned())))
    }

    fn report(&self, observer: &mut impl Observer) -> Result<(Report, Status), Failure> {
        self.uploads.report(self.output.as_deref(), self.digest.is_some(), observer)
    }

    fn events(&self, mut out: Target, form: impl Form) -> Result<Status, Failure> {
        let Uploads { select, redact, .. } = &self.uploads;
        let mut events = Events::new(&mut out, form, select.is_empty() && !redact.is_wanted());
        let (mut report, status) = self.report(&mut events)?;
        redact.apply(&mut report);
        events.finish(&report)?;
        out.finish()?;
        Ok(self.uploads.judge.status(status, worst(&report), Level::Never))
    }

    fn bundle(&self, mut out: Target) -> Result<Status, Failure> {
        let Uploads { select, redact, input, .. } = &self.uploads;
        let names = redact.pseudonyms();
        let mut captures = input.names();
        if names.is_some() {
            captures = (1..=captures.len()).map(redact::capture_name).collect();
        }
        let form = sink::Form::Bundle(stix::Bundle::new(&mut out, captures));
        let mut sink = Sink::new(select, names.as_ref(), form);
        let (report, status) = self.report(&mut sink)?;
        let Sink { form, worst: of_sessions, failed, .. } = sink;
        failed?;
        if let sink::Form::Bundle(bundle) = form {
            bundle.finish()?;
        }
        out.finish()?;
        let worst = worst(&report).max(of_sessions);
        Ok(self.uploads.judge.status(status, worst, Level::Never))
    }

    fn document(&self, mut out: Target) -> Result<Status, Failure> {
        let mut heads = Heads::new(self.uploads.input.secrets());
        let (mut report, status) = match self.format {
            Format::Har => self.report(&mut heads)?,
            _ => self.report(&mut ())?,
        };
        self.uploads.redact.apply_to_all(&mut report, &mut heads);
        let table = self.table.unwrap_or_default().into();
        match self.format {
            Format::Csv => csv::write(&mut out, &report, table, self.bom)?,
            Format::Har => har::write(&mut out, &report, &heads)?,
            #[cfg(feature = "parquet")]
            Format::Parquet => {
                bitsleuth::export::parquet::write(&mut out, &report, table)?;
            }
            Format::Json | Format::Ndjson | Format::Ecs | Format::Stix => {
                json::write(&mut out, &report)?;
            }
        }
        out.finish()?;
        Ok(self.uploads.judge.status(status, worst(&report), Level::Never))
    }
}
