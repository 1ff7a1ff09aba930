//! `bitsleuth redact`: a capture that can leave the house.

use std::path::PathBuf;

use bitsleuth::capture::{Frame, Input, Item, Merge};
use bitsleuth::export::redact::capture::First;
use bitsleuth::export::redact::{self, Pseudonyms};
use bitsleuth::export::text;
use bitsleuth::limits::Limits;
use bitsleuth::model::Report;
use bitsleuth::observe::heads::Heads;
use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use super::input::{self, Progress};
use super::output;
use super::run::{Failure, Status, status_of};
use super::target::Target;
use super::twice::OneInput;
use super::verdicts::Verdicts;

pub const EXAMPLES: &str = "\
Examples:
  bitsleuth redact upload.pcap -o for-the-vendor.pcapng
  bitsleuth redact --key 'case 4711' monday.pcapng.gz -o monday-redacted.pcapng
  bitsleuth annotate --only-bits --session DEAD upload.pcap -o - | bitsleuth redact - -o one-upload.pcapng

What stays: times, ports, TCP with its flags, numbers, hop counts and losses; methods, statuses, lengths, ranges, offsets, \
error codes, protocol GUIDs, names of known header fields, words of products. What becomes a pseudonym of the same length: \
addresses, hosts, paths, names, ids, other fields. What goes: bodies, credentials, values of cookies, the link layer and \
tunnels, whatever is not TCP, and all that is inside TLS: for that, use --redact of \
report, export, timeline, sessions and diagnose.

A pseudonym without --key cannot be made again. Look at the result before you send it.";

/// What to redact.
#[derive(Args, Debug, Clone)]
pub struct RedactArgs {
    #[command(flatten)]
    input: OneInput,
    /// Make the same pseudonyms wherever this text is given; who has it can test guesses
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    key: Option<String>,
    /// The pcapng file to write; `-` is standard output
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

/// Options of commands whose output can leave the house.
#[derive(Args, Debug, Clone, Default)]
#[command(next_help_heading = "To send it away")]
pub struct Redact {
    /// Replace who and where by pseudonyms, and leave digests out
    #[arg(long)]
    redact: bool,
    /// Make the same pseudonyms wherever this text is given; who has it can test guesses
    #[arg(long, value_name = "TEXT", requires = "redact", value_parser = NonEmptyStringValueParser::new())]
    key: Option<String>,
}

impl Redact {
    /// Whether anything is to be replaced.
    pub const fn is_wanted(&self) -> bool {
        self.redact
    }

    /// What makes pseudonyms, if any are wanted.
    pub fn pseudonyms(&self) -> Option<Pseudonyms> {
        self.redact.then(|| Pseudonyms::new(self.key.as_deref()))
    }

    /// Replaces names in a report, if that is wanted.
    pub fn apply(&self, report: &mut Report) {
        self.apply_to_all(report, &mut Heads::default());
    }

    /// Replaces names in a report and in raw heads, if that is wanted.
    pub fn apply_to_all(&self, report: &mut Report, heads: &mut Heads) {
        if let Some(pseudonyms) = self.pseudonyms() {
            redact::report(report, &pseudonyms);
            redact::heads(heads, &pseudonyms);
        }
    }
}

impl RedactArgs {
    /// Runs the command.
    pub fn run(&self) -> Result<Status, Failure> {
        let (limits, pseudonyms) = (Limits::default(), Pseudonyms::new(self.key.as_deref()));
        let twice = self.input.keep(&self.output)?;
        let mut out = Target::open_for_bytes(Some(&self.output), &twice.input)?;
        let mut first = First::new(&pseudonyms, &limits);
        let (mut before, mut after) = (Verdicts::new(&limits), Verdicts::new(&limits));
        let mut merge = twice.input.open(limits.clone())?;
        if status_of(&merge) == Status::Unreadable {
            return Ok(Status::Unreadable);
        }
        let (mut reader, progress_of) = twice.open(&limits)?;
        twice.input.confine();
        read(&mut merge, |frame| {
            first.push(frame);
            before.push(frame);
        });
        let status = status_of(&merge);
        if status == Status::Unreadable && merge.inputs().iter().all(|input| input.frames == 0) {
            return Ok(status);
        }
        let snaplen = merge.inputs().first().and_then(Input::kept_snaplen);
        let mut second = first.second(&mut out, snaplen)?;
        let progress = progress_of();
        // What is damaged ends both readings at the same place.
        while let Ok(Some(item)) = reader.next() {
            if let Item::Frame(frame) = item {
                second.push(&frame, |frame| after.push(frame))?;
            }
        }
        drop(progress);
        let left = second.finish();
        out.finish()?;
        if left.frames + left.tls > 0 {
            output::tell(format_args!(
                "bitsleuth: left out {} without TCP; {} with TLS emptied",
                text::count(left.frames, "frame"),
                text::count(left.tls, "connection")
            ));
        }
        if let Some(changed) = before.compare(after) {
            output::tell(format_args!("bitsleuth: not diagnosed as in the original: {changed}"));
        }
        Ok(status)
    }
}

/// Hands each frame to `each`, and says on standard error what ended the reading early.
fn read(merge: &mut Merge, mut each: impl FnMut(&Frame<'_>)) {
    let told = merge.problems().len();
    let progress = Progress::show(merge);
    while let Some(item) = merge.next() {
        if let Item::Frame(frame) = item {
            each(&frame);
        }
    }
    drop(progress);
    merge.problems().iter().skip(told).for_each(input::warn);
}
