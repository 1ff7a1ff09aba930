//! `bitsleuth timeline`: each upload message by message.

use std::io::Write;

use bitsleuth::export::timeline;
use bitsleuth::rules::worst;
use clap::Args;

use super::input::InputArgs;
use super::judge::{Judge, Level};
use super::output::Output;
use super::redact::Redact;
use super::run::{Failure, Status, analyse};
use super::select::Select;
use super::show::Show;

pub const EXAMPLES: &str = "\
Examples:
  bitsleuth timeline upload.pcap
  bitsleuth timeline --url /reports/ -t ud monday.pcapng tuesday.pcapng
  bitsleuth timeline --outcome failed --ascii upload.pcap.gz";

/// What to show.
#[derive(Args, Debug, Clone)]
pub struct TimelineArgs {
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
}

impl TimelineArgs {
    /// Runs the command.
    pub fn run(&self) -> Result<Status, Failure> {
        let (mut report, status) = analyse(&self.input, false, &self.judge, &mut ())?;
        report.sessions.retain(|session| self.select.keep(session));
        self.redact.apply(&mut report);
        let mut out = Output::new();
        timeline::write(&mut out, &report, &self.show.style())?;
        out.flush()?;
        Ok(self.judge.status(status, worst(&report), Level::Never))
    }
}
