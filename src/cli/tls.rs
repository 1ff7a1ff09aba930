//! `bitsleuth tls`: what is known of TLS, connection by connection.

use std::io::{self, Write};

use bitsleuth::Options;
use bitsleuth::export::{Style, json, text, tls};
use bitsleuth::model::TlsConnection;
use bitsleuth::observe::Observer;
use bitsleuth::stream::Connection;
use clap::Args;

use super::input::InputArgs;
use super::output::Output;
use super::run::{Failure, Status, analyse, is_in_vain};
use super::show::{Form, Look};

pub const EXAMPLES: &str = "\
Examples:
  bitsleuth tls upload.pcapng
  bitsleuth tls --tls-keys keys.log upload.pcap
  bitsleuth tls --format ndjson upload.pcap | jq -r 'select(.shape.bits_upload == \"likely\") | .sni'";

/// What to list.
#[derive(Args, Debug, Clone)]
pub struct TlsArgs {
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    look: Look,
    /// How to print it
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Form,
}

impl TlsArgs {
    /// Runs the command: connections as they end.
    pub fn run(&self) -> Result<Status, Failure> {
        let mut lister = Lister {
            out: Output::new(),
            style: self.look.style(),
            format: self.format,
            any: false,
            written: Ok(()),
        };
        let (report, status) = analyse(&self.input, Options::default(), &mut lister)?;
        let Lister { mut out, any, written, .. } = lister;
        written?;
        if self.format == Form::Text && !any && !is_in_vain(&report, status) {
            let all = text::count(report.quality.connections, "connection");
            writeln!(out, "no TLS in {all}")?;
        }
        out.flush()?;
        Ok(status)
    }
}

struct Lister<W> {
    out: W,
    style: Style,
    format: Form,
    any: bool,
    written: io::Result<()>,
}

impl<W: Write> Observer for Lister<W> {
    fn closed(&mut self, connection: &Connection) {
        for one in TlsConnection::all_of(connection) {
            self.any = true;
            if self.written.is_ok() {
                self.written = match self.format {
                    Form::Text => tls::write_text(&mut self.out, &one, &self.style),
                    Form::Ndjson => json::write_line(&mut self.out, &one),
                };
            }
        }
    }

    fn has_enough(&self) -> bool {
        self.written.is_err()
    }
}
