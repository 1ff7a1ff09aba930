//! `bitsleuth extract`: the uploaded files themselves.

use std::io::Write;
use std::path::{Path, PathBuf};

use bitsleuth::Options;
use bitsleuth::export::style::{Style, Tone};
use bitsleuth::export::text;
use bitsleuth::export::timeline;
use bitsleuth::observe::extract::Extract;
use bitsleuth::observe::extract::manifest::{Entry, Manifest};
use clap::Args;

use super::input::InputArgs;
use super::output::Output;
use super::run::{Failure, Status, analyse, is_in_vain};
use super::select::Select;
use super::show::Look;
use super::signal;
use super::target::failed;

pub const EXAMPLES: &str = "\
Examples:
  bitsleuth extract -o files upload.pcap
  bitsleuth extract --dry-run --outcome completed upload.pcap
  bitsleuth extract -o files --limit 100M monday/*.pcapng.gz

Levels of proof:
  whole-proven  every byte captured from accepted Fragments, copies agree, the server confirmed the whole
  whole-sent    every byte captured; the manifest says what is in doubt
  conflicting   every byte captured, some twice with differing content: the first accepted copy was kept
  mixed         every byte captured with the help of earlier attempts at the same upload
  partial       bytes are missing: holes in a file whose name ends in .partial
  unjudged      not put together, as with a file beyond --limit

Even a proven file is what was sent, not what was stored: the protocol has no checksum. While it reads, the bodies are \
kept in a nameless file in DIR, so twice the room is needed.";

/// What to take out.
#[derive(Args, Debug, Clone)]
pub struct ExtractArgs {
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    select: Select,
    #[command(flatten)]
    look: Look,
    /// Where to put the files and manifest.json; it is created if need be, and nothing in it is overwritten
    #[arg(short, long, value_name = "DIR", required_unless_present = "dry_run")]
    output: Option<PathBuf>,
    /// Leave out files longer than this, as in 500k, 100M or 2G
    #[arg(long, value_name = "SIZE", value_parser = size)]
    limit: Option<u64>,
    /// Only list what would be written; copies are not compared, so the level of proof may be too good
    #[arg(long)]
    dry_run: bool,
}

impl ExtractArgs {
    /// Runs the command.
    pub fn run(&self) -> Result<Status, Failure> {
        let mut extract = match self.output.as_deref().filter(|_| !self.dry_run) {
            // What other commands take for standard output.
            Some(dir) if dir == Path::new("-") => {
                return Err(failed(dir, "a directory is meant; one of that name is ./-"));
            }
            Some(dir) if dir.exists() && !dir.is_dir() => {
                return Err(failed(dir, "is not a directory"));
            }
            Some(dir) => {
                signal::removes_in(dir);
                std::fs::create_dir_all(dir)
                    .and_then(|()| Extract::new(dir, self.limit))
                    .map_err(|error| failed(dir, &error.to_string()))?
            }
            None => Extract::dry(self.limit),
        };
        let input = self.input.writing_to(self.output.as_deref());
        let options = Options { digest: !self.dry_run, ..Options::default() };
        let (mut report, status) = analyse(&input, options, &mut extract)?;
        if let Some(dir) = self.output.as_deref().filter(|_| is_in_vain(&report, status)) {
            return Err(failed(dir, "no file written, since nothing could be read"));
        }
        report.retain(|session| self.select.keep(session));
        let manifest = extract.finish(&report).map_err(|error| {
            failed(self.output.as_deref().unwrap_or("output".as_ref()), &error.to_string())
        })?;
        let mut out = Output::new();
        write(&mut out, &manifest, &self.look.style())?;
        out.flush()?;
        Ok(status)
    }
}

fn write(out: &mut dyn Write, manifest: &Manifest, style: &Style) -> std::io::Result<()> {
    for entry in &manifest.files {
        write_entry(out, entry, style)?;
    }
    let written = manifest.files.iter().filter(|entry| entry.name.is_some()).count() as u64;
    writeln!(
        out,
        "{} of {}",
        text::grouped(written),
        text::count(manifest.files.len() as u64, "file")
    )
}

fn write_entry(out: &mut dyn Write, entry: &Entry, style: &Style) -> std::io::Result<()> {
    let name = entry.name.as_deref().unwrap_or(if style.ascii { "-" } else { "–" });
    let from =
        entry.source.url.as_deref().or(entry.source.session_id.as_deref()).unwrap_or_default();
    let media = entry.media.as_ref().map_or("", |media| media.mime.as_str());
    let line = format!("{:<12}  {:>15}  {name:<31}  ", entry.proof.name(), text::bytes(entry.size));
    let from = format!("{}  {media}", style.clean(from));
    let line = timeline::line(&line, from.trim_end(), 14, Tone::Plain, style);
    writeln!(out, "{}", line.trim_end())?;
    if let Some(hash) = &entry.sha256 {
        writeln!(out, "{:<12}  sha256 {hash}", "")?;
    }
    match &entry.problem {
        Some(problem) => writeln!(out, "{:<12}  not written: {}", "", style.clean(problem)),
        None => Ok(()),
    }
}

/// A number of bytes with k, M, G or T, powers of 1,000.
fn size(text: &str) -> Result<u64, String> {
    let (digits, unit) = match text.char_indices().last() {
        Some((at, 'k' | 'K')) => (text.get(..at), 1_000),
        Some((at, 'M')) => (text.get(..at), 1_000_000),
        Some((at, 'G')) => (text.get(..at), 1_000_000_000),
        Some((at, 'T')) => (text.get(..at), 1_000_000_000_000),
        _ => (Some(text), 1),
    };
    let number = digits.and_then(|digits| digits.parse::<u64>().ok());
    number
        .and_then(|number| number.checked_mul(unit))
        .ok_or_else(|| "a size is expected, as in 100M".to_owned())
}

#[cfg(test)]
mod tests {
    #[test]
    fn sizes_have_units() {
        assert_eq!(["7", "5k", "2M"].map(|text| super::size(text).unwrap()), [7, 5_000, 2_000_000]);
        assert!(
            ["", "M", "-1", "1x", "99999999999T"].iter().all(|text| super::size(text).is_err())
        );
    }
}
