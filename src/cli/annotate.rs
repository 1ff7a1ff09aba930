//! `bitsleuth annotate`: the same packets with comments.

use std::path::PathBuf;

use bitsleuth::capture::{Input, Item, Reader, Stream};
use bitsleuth::export::annotate::Notes;
use bitsleuth::export::pcapng::{self, Writer};
use bitsleuth::export::timeline;
use bitsleuth::limits::Limits;
use bitsleuth::rules::worst;
use clap::Args;

use super::judge::{JudgeArgs, Level};
use super::output;
use super::run::{Failure, Status, analyse, is_in_vain};
use super::select::Select;
use super::target::Target;
use super::twice::OneInput;

pub const EXAMPLES: &str = "\
Examples:
  bitsleuth annotate upload.pcap -o commented.pcapng
  bitsleuth annotate --only-bits --outcome failed big.pcapng.gz -o case.pcapng
  tshark -r commented.pcapng -Y frame.comment -T fields -e frame.number -e frame.comment

Interfaces, options, secrets and comments of a pcapng file are kept. With --only-bits, IP fragments are kept whoever they \
are of; only the last fragment of a packet tells.";

/// What to comment.
#[derive(Args, Debug, Clone)]
pub struct AnnotateArgs {
    #[command(flatten)]
    input: OneInput,
    #[command(flatten)]
    select: Select,
    #[command(flatten)]
    judge: JudgeArgs,
    /// RSA private key of a server in PEM form, for TLS without forward secrecy
    #[arg(long, value_name = "FILE")]
    tls_rsa_key: Vec<PathBuf>,
    /// The pcapng file to write; `-` is standard output
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Write only the connections of the uploads that are meant
    #[arg(long)]
    only_bits: bool,
}

impl AnnotateArgs {
    /// Runs the command.
    pub fn run(&self) -> Result<Status, Failure> {
        let limits = Limits::default();
        let mut twice = self.input.keep(&self.output)?;
        twice.input.tls_rsa_key.clone_from(&self.tls_rsa_key);
        let mut out = Target::open_for_bytes(Some(&self.output), &twice.input)?;
        let (mut reader, progress) = twice.open(&limits)?;
        let (mut report, status) = analyse(&twice.input, self.judge.options(), &mut ())?;
        if is_in_vain(&report, status) {
            return Ok(status);
        }
        report.retain(|session| self.select.keep(session));
        if self.only_bits && report.sessions.is_empty() {
            output::tell(format_args!("bitsleuth: {}", timeline::nothing(&report)));
        }
        let mut notes = Notes::new(&report, &limits);
        let _shown = progress();
        if reader.format() == "pcapng" {
            self.copy(&mut reader, &mut notes, &mut out)?;
        } else {
            let snaplen = report.captures.first().and_then(Input::kept_snaplen);
            self.convert(&mut reader, &mut notes, Writer::new(&mut out, snaplen)?)?;
        }
        out.finish()?;
        Ok(self.judge.status(status, worst(&report), Level::Never))
    }

    /// Copies a pcapng file block by block. What is damaged was told before.
    fn copy(
        &self,
        reader: &mut Reader<Stream>,
        notes: &mut Notes,
        out: &mut Target,
    ) -> Result<(), Failure> {
        while let Ok(Some(block)) = reader.next_block() {
            let (comments, ours) = match &block.item {
                Some(Item::Frame(frame)) => notes.of(frame),
                _ => (Vec::new(), true),
            };
            if ours || !self.only_bits {
                pcapng::copy(out, block.raw, block.big_endian, &comments)?;
            }
        }
        Ok(())
    }

    fn convert(
        &self,
        reader: &mut Reader<Stream>,
        notes: &mut Notes,
        mut writer: Writer<&mut Target>,
    ) -> Result<(), Failure> {
        while let Ok(Some(item)) = reader.next() {
            let Item::Frame(frame) = item else { continue };
            let (comments, ours) = notes.of(&frame);
            if ours || !self.only_bits {
                writer.packet(frame.link, frame.at.time, frame.data, frame.wire_len, &comments)?;
            }
        }
        Ok(())
    }
}
