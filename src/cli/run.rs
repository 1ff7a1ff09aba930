//! From the inputs of the command line to a report.

use std::io;
use std::path::Path;

use bitsleuth::capture::{self, Item, LateSecrets, Merge, Problem};
use bitsleuth::model::Report;
use bitsleuth::observe::Observer;
use bitsleuth::tls::KeyLog;
use bitsleuth::{Analysis, Options};

use super::input::{self, InputArgs, Progress};

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

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Message(format!("{}: {}", problem.name, problem.message))
    }
}

impl From<capture::Error> for Failure {
    fn from(error: capture::Error) -> Self {
        Self::Message(error.to_string())
    }
}

/// A hash function.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum Digest {
    Sha256,
}

/// What a command came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// All inputs were read.
    Clean,
    /// There are findings at or above the level asked for.
    Findings,
    /// An input could not be read at all, or the command line not be understood.
    Unreadable,
}

/// Analyses the inputs; what becomes of credentials is for the arguments to say.
///
/// # Errors
///
/// Where the filter or a key file cannot be used; inputs that cannot be read only count in the status.
pub fn analyse(
    args: &InputArgs,
    options: Options,
    observer: &mut impl Observer,
) -> Result<(Report, Status), Failure> {
    let limits = options.limits.clone();
    let mut analysis = Analysis::new(Options { secrets: args.secrets(), ..options });
    keys(args, analysis.keys())?;
    let mut merge = args.open(limits)?;
    // Opened now: later there may be no right to.
    let mut late: Vec<LateSecrets> =
        args.places().filter_map(|(_, place)| LateSecrets::open(place)).collect();
    // Only pcapng holds secrets; what comes through a pipe or is compressed may bring some to its end.
    let with_secrets = merge.inputs().iter().filter(|input| input.format == "pcapng").count();
    let all_at_once = late.len() >= with_secrets;
    if with_secrets == 0 {
        analysis.keys().complete();
    }
    args.confine();
    let told = merge.problems().len();
    let progress = Progress::show(&merge);
    while let Some(item) = merge.next() {
        match item {
            Item::Frame(frame) => analysis.push(&frame, observer),
            Item::Secrets(text) => analysis.keys().add(text),
        }
        if analysis.waits_for_keys() {
            late.drain(..).flat_map(LateSecrets::read).for_each(|text| analysis.keys().add(&text));
            if all_at_once {
                analysis.keys().complete();
            }
        }
        if observer.has_enough() {
            break;
        }
    }
    drop(progress);
    merge.problems().iter().skip(told).for_each(input::warn);
    let status = status_of(&merge);
    Ok((analysis.finish(merge.inputs(), observer), status))
}

/// Whether there is nothing to tell but what was told on standard error.
pub fn is_in_vain(report: &Report, status: Status) -> bool {
    status == Status::Unreadable && report.captures.iter().all(|input| input.frames == 0)
}

/// Whether all inputs were read.
pub fn status_of(merge: &Merge) -> Status {
    let failed = merge.problems().iter().any(|problem| problem.fatal);
    if failed { Status::Unreadable } else { Status::Clean }
}

/// Adds the keys that were named.
///
/// # Errors
///
/// Where a file cannot be read, or is no RSA private key where one is meant.
fn keys(args: &InputArgs, keys: &mut KeyLog) -> Result<(), Failure> {
    for path in &args.tls_keys {
        let (name, text) = match read(path) {
            Ok(read) => read,
            // Browsers make it when they first need it, and it is named to all programs alike.
            Err(problem) if is_of_environment(path) => {
                if !problem.name.is_empty() {
                    let name = format!("SSLKEYLOGFILE names {}", problem.name);
                    input::warn(&Problem { name, ..problem });
                }
                continue;
            }
            Err(problem) => return Err(problem.into()),
        };
        let forgotten = keys.forgotten();
        let lines = keys.add_from(&name, &text);
        // One that was just made may be empty.
        if lines == 0 && !text.is_empty() {
            let message =
                "no line of a TLS key log is in it; it has to be ASCII or UTF-8".to_owned();
            input::warn(&Problem { name, message, fatal: false });
        } else if keys.forgotten() > forgotten {
            let message = "too many secrets; the oldest are left out".to_owned();
            input::warn(&Problem { name, message, fatal: false });
        }
    }
    for path in &args.tls_rsa_key {
        let (name, pem) = read(path)?;
        keys.add_rsa_key(&pem).map_err(|error| Failure::Message(format!("{name}: {error}")))?;
    }
    Ok(())
}

/// The name of a file, safe to show, and its contents.
fn read(path: &Path) -> Result<(String, Vec<u8>), Problem> {
    let name = bitsleuth::export::text::escape(&path.display().to_string()).into_owned();
    match std::fs::read(path) {
        Ok(contents) => Ok((name, contents)),
        Err(error) => Err(Problem { name, message: error.to_string(), fatal: false }),
    }
}

/// Whether a key log is named by the environment, and not for this command.
fn is_of_environment(path: &Path) -> bool {
    std::env::var_os("SSLKEYLOGFILE").is_some_and(|named| named == path.as_os_str())
}
