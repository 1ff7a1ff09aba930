//! `bitsleuth http`: every HTTP exchange, BITS or not.

use std::io::{self, Write};

use bitsleuth::Options;
use bitsleuth::export::http;
use bitsleuth::export::json;
use bitsleuth::observe::listing::{Listing, Row};
use clap::Args;

use super::input::InputArgs;
use super::output::Output;
use super::run::{Failure, Status, analyse, is_in_vain};
use super::show::{Form, Look};

pub const EXAMPLES: &str = "\
Examples:
  bitsleuth http upload.pcap
  bitsleuth http --format ndjson upload.pcap | jq -r .request.target";

/// What to list.
#[derive(Args, Debug, Clone)]
pub struct HttpArgs {
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    look: Look,
    /// How to print it
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Form,
}

impl HttpArgs {
    /// Runs the command.
    pub fn run(&self) -> Result<Status, Failure> {
        let (mut out, style) = (Output::new(), self.look.style());
        let mut written: io::Result<()> = Ok(());
        let mut head = self.format == Form::Text;
        let mut listing = Listing::new(
            |row: &Row| {
                if std::mem::take(&mut head) {
                    written = http::write_head(&mut out, &style);
                }
                if written.is_ok() {
                    written = match self.format {
                        Form::Text => http::write_text(&mut out, row, &style),
                        Form::Ndjson => json::write_line(&mut out, row),
                    };
                }
                written.is_ok()
            },
            self.input.secrets(),
        );
        let (report, status) = analyse(&self.input, Options::default(), &mut listing)?;
        listing.finish();
        written?;
        if head && !is_in_vain(&report, status) {
            http::write_head(&mut out, &style)?;
        }
        out.flush()?;
        Ok(status)
    }
}
