//! `bitsleuth diagnose`: why uploads failed.

use std::io::Write;

use bitsleuth::export::{diagnosis, json, sarif};
use bitsleuth::rules::{Severity, worst};
use clap::{Args, ValueEnum};

use super::judge::Level;
use super::output::Output;
use super::run::{Failure, Status, is_in_vain};
use super::show::Show;
use super::uploads::Uploads;

pub const EXAMPLES: &str = "\
Examples:
  bitsleuth diagnose upload.pcap
  bitsleuth diagnose -q monday/*.pcapng.gz
  bitsleuth diagnose --json --fail-on warning upload.pcap
  bitsleuth diagnose --format sarif --ignore security server-test.pcap > bits.sarif

Exit status:
  0  nothing at or above the level of --fail-on
  1  a finding at or above it; an upload that was rejected or failed counts as an error
  2  input could not be read or output be written, or the command line is wrong";

/// What to diagnose.
#[derive(Args, Debug, Clone)]
pub struct DiagnoseArgs {
    #[command(flatten)]
    uploads: Uploads,
    #[command(flatten)]
    show: Show,
    /// One line per upload, and per error outside them; findings that --fail-on names, too
    #[arg(short, long, conflicts_with = "verbose")]
    quiet: bool,
    /// Notes too, and what was found about healthy uploads
    #[arg(short, long)]
    verbose: bool,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Print the report as one JSON document, as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

/// How findings are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    #[default]
    Text,
    /// The report, one document
    Json,
    /// SARIF 2.1.0, for checks in CI
    Sarif,
}

impl DiagnoseArgs {
    /// Runs the command.
    pub fn run(&self) -> Result<Status, Failure> {
        let (report, status) = self.uploads.redacted_report()?;
        let mut out = Output::new();
        let judge = &self.uploads.judge;
        match if self.json { Format::Json } else { self.format } {
            Format::Json => json::write(&mut out, &report)?,
            Format::Sarif => sarif::write(&mut out, &report)?,
            Format::Text if is_in_vain(&report, status) => {}
            Format::Text => {
                let least = judge.least(Level::Error).unwrap_or(Severity::Error);
                let (style, all) = (self.show.style(), judge.asks_all());
                diagnosis::write(&mut out, &report, &style, self.detail(), least, all)?;
            }
        }
        out.flush()?;
        Ok(judge.status(status, worst(&report), Level::Error))
    }

    const fn detail(&self) -> diagnosis::Detail {
        match (self.quiet, self.verbose) {
            (true, _) => diagnosis::Detail::Brief,
            (false, true) => diagnosis::Detail::Full,
            (false, false) => diagnosis::Detail::Usual,
        }
    }
}
