//! `bitsleuth export`: the report in the formats of other programs.

use std::path::PathBuf;

use bitsleuth::export::ecs::Ecs;
use bitsleuth::export::events::{Events, Form};
use bitsleuth::export::ndjson::Ndjson;
use bitsleuth::export::tables::Table;
use bitsleuth::export::{csv, har, json, stix};
use bitsleuth::observe::heads::Heads;
use bitsleuth::rules::worst;
use clap::{Args, ValueEnum};

use super::input::InputArgs;
use super::judge::{Judge, Level};
use super::redact::Redact;
use super::run::{Digest, Failure, Status, analyse};
use super::select::Select;
use super::target::{Target, folder_of};

pub const EXAMPLES: &str = "\
Examples:
  bitsleuth export --format csv --table fragments upload.pcap > fragments.csv
  bitsleuth export --format parquet -o sessions.parquet monday/*.pcapng.gz
  tcpdump -U -w - tcp port 80 | bitsleuth export --format ecs - | filebeat -e
  bitsleuth export --format har --outcome failed -o case.har upload.pcap

ndjson and ecs are written line by line as exchanges are answered; sessions and findings follow at the end. With an
option that chooses sessions, all lines wait for the end, for only then it is known what to choose.";

/// What to export.
#[derive(Args, Debug, Clone)]
pub struct ExportArgs {
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    select: Select,
    #[command(flatten)]
    judge: Judge,
    /// The format
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Format,
    /// The table, for csv and parquet
    #[arg(long, value_enum, value_name = "TABLE", default_value_t)]
    table: TableName,
    /// Begin csv with a byte order mark, for Excel
    #[arg(long)]
    bom: bool,
    /// Hash each file of which every byte was captured
    #[arg(long, value_enum, value_name = "ALGORITHM")]
    digest: Option<Digest>,
    #[command(flatten)]
    redact: Redact,
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
        let out = Target::open(self.output.as_deref(), &self.input)?;
        match self.format {
            Format::Ndjson => self.events(out, Ndjson),
            Format::Ecs => self.events(out, Ecs),
            _ => self.document(out),
        }
    }

    fn input(&self) -> InputArgs {
        self.input.writing_to(self.output.as_deref().map(folder_of))
    }

    fn events(&self, mut out: Target, form: impl Form) -> Result<Status, Failure> {
        let mut events =
            Events::new(&mut out, form, self.select.is_empty() && !self.redact.is_wanted());
        let (mut report, status) =
            analyse(&self.input(), self.digest.is_some(), &self.judge, &mut events)?;
        report.sessions.retain(|session| self.select.keep(session));
        self.redact.apply(&mut report);
        events.finish(&report)?;
        out.finish()?;
        Ok(self.judge.status(status, worst(&report), Level::Never))
    }

    fn document(&self, mut out: Target) -> Result<Status, Failure> {
        self.spare_terminal()?;
        let mut heads = Heads::new(self.input.secrets());
        let digest = self.digest.is_some();
        let (mut report, status) = match self.format {
            Format::Har => analyse(&self.input(), digest, &self.judge, &mut heads)?,
            _ => analyse(&self.input(), digest, &self.judge, &mut ())?,
        };
        report.sessions.retain(|session| self.select.keep(session));
        self.redact.apply_to_all(&mut report, &mut heads);
        match self.format {
            Format::Csv => csv::write(&mut out, &report, self.table.into(), self.bom)?,
            Format::Har => har::write(&mut out, &report, &heads)?,
            Format::Stix => stix::write(&mut out, &report)?,
            #[cfg(feature = "parquet")]
            Format::Parquet => {
                bitsleuth::export::parquet::write(&mut out, &report, self.table.into())?;
            }
            Format::Json | Format::Ndjson | Format::Ecs => json::write(&mut out, &report)?,
        }
        out.finish()?;
        Ok(self.judge.status(status, worst(&report), Level::Never))
    }

    /// Refuses to write what is no text to a terminal.
    fn spare_terminal(&self) -> Result<(), Failure> {
        #[cfg(feature = "parquet")]
        if self.format == Format::Parquet
            && self.output.is_none()
            && std::io::IsTerminal::is_terminal(&std::io::stdout())
        {
            return Err(Failure::Message("parquet is no text: name a file by -o".to_owned()));
        }
        Ok(())
    }
}
