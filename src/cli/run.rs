//! From the inputs of the command line to a report.

use std::io::{self, Write};

use bitsleuth::capture::{self, Item};
use bitsleuth::limits::Limits;
use bitsleuth::model::Report;
use bitsleuth::observe::Observer;
use bitsleuth::{Analysis, Options};

use super::input::{self, InputArgs, Progress};
use super::judge::Judge;

/// Why a command ended early.
#[derive(Debug)]
pub enum Failure {
    /// Something to tell.
    Message(String),
    /// Standard output.
    Output(io::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<capture::Error> for Failure {
    fn from(error: capture::Error) -> Self {
        Self::Message(error.to_string())
    }
}

/// What a command came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// All inputs were read.
    Clean,
    /// There are findings at or above the level asked for.
    Findings,
    /// An input could not be read at all.
    Unreadable,
}

/// Analyses the inputs.
///
/// # Errors
///
/// Where the filter or a key file cannot be used; inputs that cannot be read only count in the status.
pub fn analyse(
    args: &InputArgs,
    digest: bool,
    judge: &Judge,
    observer: &mut impl Observer,
) -> Result<(Report, Status), Failure> {
    let limits = Limits::default();
    let mut analysis = Analysis::new(Options {
        limits: limits.clone(),
        digest,
        rules: judge.rules(),
        secrets: args.secrets(),
    });
    for text in keys(args)? {
        analysis.secrets(&text);
    }
    let mut merge = args.open(limits)?;
    args.confine();
    let told = merge.problems().len();
    let progress = Progress::show(&merge);
    while let Some(item) = merge.next() {
        match item {
            Item::Frame(frame) => analysis.push(&frame, observer),
            Item::Secrets(text) => analysis.secrets(text),
        }
        if observer.has_enough() {
            break;
        }
    }
    drop(progress);
    merge.problems().iter().skip(told).for_each(input::warn);
    let status = if merge.problems().iter().any(|problem| problem.fatal) {
        Status::Unreadable
    } else {
        Status::Clean
    };
    Ok((analysis.finish(merge.inputs(), observer), status))
}

/// The contents of the key files that were named.
pub fn keys(args: &InputArgs) -> Result<Vec<Vec<u8>>, Failure> {
    let read = |path: &std::path::PathBuf| {
        std::fs::read(path).map_err(|error| {
            let name = path.display().to_string();
            Failure::Message(format!("{}: {error}", bitsleuth::export::text::escape(&name)))
        })
    };
    args.tls_keys.iter().map(read).collect()
}

/// Standard output, in large pieces.
pub fn output() -> impl Write {
    io::BufWriter::with_capacity(
        64 << 10,
        anstream::AutoStream::new(io::stdout(), anstream::ColorChoice::Always),
    )
}
