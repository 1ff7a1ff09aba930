//! `bitsleuth timeline`: each upload message by message.

use std::io::Write;
use std::path::{Path, PathBuf};

use bitsleuth::export::timeline;
use bitsleuth::rules::worst;
use clap::Args;

use super::judge::Level;
use super::output::Output;
use super::run::{Failure, Status, is_in_vain};
use super::show::Show;
use super::uploads::Uploads;

pub const EXAMPLES: &str = "\
Examples:
  bitsleuth timeline upload.pcap
  bitsleuth timeline --url /reports/ -t ud monday.pcapng tuesday.pcapng
  bitsleuth timeline --outcome failed --ascii upload.pcap.gz";

/// What to show.
#[derive(Args, Debug, Clone)]
pub struct TimelineArgs {
    #[command(flatten)]
    uploads: Uploads,
    #[command(flatten)]
    show: Show,
}

impl TimelineArgs {
    /// The captures.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.uploads.input.files.0.iter().map(PathBuf::as_path)
    }

    /// Runs the command.
    pub fn run(&self) -> Result<Status, Failure> {
        let (report, status) = self.uploads.redacted_report()?;
        let mut out = Output::new();
        if !is_in_vain(&report, status) {
            timeline::write(&mut out, &report, &self.show.style())?;
        }
        out.flush()?;
        Ok(self.uploads.judge.status(status, worst(&report), Level::Never))
    }
}
