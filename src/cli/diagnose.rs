//! `bitsleuth diagnose`: why uploads failed.

use std::io::Write;

use bitsleuth::export::{diagnosis, json};
use bitsleuth::rules::{Severity, worst};
use clap::{Args, ValueEnum};

use super::input::InputArgs;
use super::run::{Failure, Status, analyse, output};
use super::select::Select;
use super::show::Show;

pub const EXAMPLES: &str = "\
Examples:
  bitsleuth diagnose upload.pcap
  bitsleuth diagnose -q monday/*.pcapng.gz
  bitsleuth diagnose --json --fail-on warning upload.pcap

Exit status:
  0  nothing at or above the level of --fail-on
  1  a finding at or above it
  2  an input could not be read, or the command line is wrong";

/// What to diagnose.
#[derive(Args, Debug, Clone)]
pub struct DiagnoseArgs {
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    select: Select,
    #[command(flatten)]
    show: Show,
    /// One line per upload
    #[arg(short, long)]
    quiet: bool,
    /// Print the report as one JSON document
    #[arg(long)]
    json: bool,
    /// From which severity on findings make the exit status 1
    #[arg(long, value_enum, value_name = "LEVEL", default_value = "error")]
    fail_on: Level,
}

/// A severity, or none.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Level {
    Error,
    Warning,
    Note,
    Never,
}

impl Level {
    fn reached(self, worst: Option<Severity>) -> bool {
        let least = match self {
            Self::Error => Severity::Error,
            Self::Warning => Severity::Warning,
            Self::Note => Severity::Note,
            Self::Never => return false,
        };
        worst >= Some(least)
    }
}

impl DiagnoseArgs {
    /// Runs the command.
    pub fn run(&self) -> Result<Status, Failure> {
        let (mut report, status) = analyse(&self.input, false, &mut ())?;
        report.sessions.retain(|session| self.select.keep(session));
        let mut out = output();
        if self.json {
            json::write(&mut out, &report)?;
        } else {
            diagnosis::write(&mut out, &report, &self.show.style(), self.quiet)?;
        }
        out.flush()?;
        let found = status == Status::Clean && self.fail_on.reached(worst(&report));
        Ok(if found { Status::Findings } else { status })
    }
}
