//! `bitsleuth sessions`: one row per upload, or the report as JSON.

use std::io::Write;

use bitsleuth::export::{json, table};
use clap::{Args, ValueEnum};

use super::input::InputArgs;
use super::judge::{Judge, Level};
use super::redact::Redact;
use super::run::{Failure, Status, analyse, output};
use super::select::Select;
use super::show::Show;

pub const EXAMPLES: &str = "\
Examples:
  bitsleuth sessions monday/*.pcapng.gz
  bitsleuth sessions --json --digest sha256 upload.pcap | jq '.sessions[].file'
  bitsleuth sessions --outcome failed --client 10.0.0.5 upload.pcap";

/// What to summarise.
#[derive(Args, Debug, Clone)]
pub struct SessionsArgs {
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    select: Select,
    #[command(flatten)]
    judge: Judge,
    #[command(flatten)]
    redact: Redact,
    #[command(flatten)]
    show: Show,
    /// Print the report as one JSON document
    #[arg(long)]
    json: bool,
    /// Hash each file of which every byte was captured
    #[arg(long, value_enum, value_name = "ALGORITHM")]
    digest: Option<Digest>,
}

/// A hash function.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Digest {
    Sha256,
}

impl SessionsArgs {
    /// Runs the command.
    pub fn run(&self) -> Result<Status, Failure> {
        let (mut report, status) =
            analyse(&self.input, self.digest.is_some(), &self.judge, &mut ())?;
        report.sessions.retain(|session| self.select.keep(session));
        self.redact.apply(&mut report);
        let mut out = output();
        if self.json {
            json::write(&mut out, &report)?;
        } else {
            table::write(&mut out, &report, &self.show.style())?;
        }
        out.flush()?;
        Ok(self.judge.status(status, &report, Level::Never))
    }
}
