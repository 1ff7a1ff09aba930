//! `bitsleuth tls`: what is known of TLS, connection by connection.

use std::io::Write;

use bitsleuth::export::tls;
use clap::{Args, ValueEnum};

use super::input::InputArgs;
use super::judge::Judge;
use super::run::{Failure, Status, analyse, output};
use super::show::Show;

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
    show: Show,
    /// How to print it
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,
}

/// A form of the listing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A line each, with details below
    #[default]
    Text,
    /// One JSON object a line
    Ndjson,
}

impl TlsArgs {
    /// Runs the command.
    pub fn run(&self) -> Result<Status, Failure> {
        let (report, status) = analyse(&self.input, false, &Judge::default(), &mut ())?;
        let (mut out, style) = (output(), self.show.style());
        for connection in &report.tls_connections {
            match self.format {
                Format::Text => tls::write_text(&mut out, connection, &style)?,
                Format::Ndjson => tls::write_json(&mut out, connection)?,
            }
        }
        if self.format == Format::Text && report.tls_connections.is_empty() {
            writeln!(out, "no TLS in {} connections", report.quality.connections)?;
        }
        if self.format == Format::Text && report.quality.tls_omitted > 0 {
            writeln!(out, "{} more connections with TLS", report.quality.tls_omitted)?;
        }
        out.flush()?;
        Ok(status)
    }
}
