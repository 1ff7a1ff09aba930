//! `bitsleuth report`: a page to show, or text for a ticket.

use std::path::PathBuf;

use bitsleuth::export::{html, markdown};
use bitsleuth::observe::heads::Heads;
use bitsleuth::rules::worst;
use clap::{Args, ValueEnum};

use super::judge::Level;
use super::run::{Failure, Status, is_in_vain};
use super::target::Target;
use super::uploads::Uploads;

pub const EXAMPLES: &str = "\
Examples:
  bitsleuth report upload.pcap -o report.html
  bitsleuth report --outcome failed monday/*.pcapng.gz -o failed.html
  bitsleuth report --format markdown upload.pcap | gh issue create -F - -t 'upload fails'";

/// What to report.
#[derive(Args, Debug, Clone)]
pub struct ReportArgs {
    #[command(flatten)]
    uploads: Uploads,
    /// The form
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    format: Format,
    /// Write to this file instead of standard output; it appears when it is complete
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// A form of the report.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Format {
    /// One page that needs nothing else
    #[default]
    Html,
    /// Markdown with Mermaid diagrams
    Markdown,
}

impl ReportArgs {
    /// Runs the command.
    pub fn run(&self) -> Result<Status, Failure> {
        let (uploads, output) = (&self.uploads, self.output.as_deref());
        let mut out = Target::open(output, &uploads.input)?;
        let mut heads = Heads::new(uploads.input.secrets());
        let (mut report, status) = uploads.report(output, true, &mut heads)?;
        if is_in_vain(&report, status) {
            return Ok(status);
        }
        uploads.redact.apply_to_all(&mut report, &mut heads);
        match self.format {
            Format::Html => html::write(&mut out, &report, &heads)?,
            Format::Markdown => markdown::write(&mut out, &report)?,
        }
        out.finish()?;
        Ok(self.uploads.judge.status(status, worst(&report), Level::Never))
    }
}
