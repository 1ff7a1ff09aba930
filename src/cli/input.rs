//! Which captures to read.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use bitsleuth::bits::secrets::Secrets;
use bitsleuth::capture::{Filter, Merge, Problem, name_of};
use bitsleuth::export::text::escape;
use bitsleuth::limits::Limits;
use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{ArgAction, ArgMatches, Args, Command, FromArgMatches};
use indicatif::{ProgressBar, ProgressStyle};

use super::descriptors;
use super::meant;
use super::output;
use super::run::Failure;
use super::sandbox;
use super::signal::Stdin;

/// Bytes that are read too fast for a progress bar to be of use.
const QUICK: u64 = 64 << 20;

/// Any path, also the empty one: a variable may be set to nothing.
pub fn any_path() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}

/// Captures in the order of the command line, whichever way they are named.
#[derive(Clone, Debug, Default)]
pub struct Files(pub Vec<PathBuf>);

/// The ways to name captures.
#[derive(Args)]
struct Named {
    /// Captures to read, several as one, by the times of their frames, in whichever order they are named: pcap, pcapng,
    /// snoop or Network Monitor, also compressed by gzip, zstd or lz4; `-` is standard input
    #[arg(value_name = "FILE", required_unless_present = "read")]
    files: Vec<PathBuf>,

    /// Capture to read, as with tcpdump
    #[arg(short, long, value_name = "FILE")]
    read: Vec<PathBuf>,
}

impl FromArgMatches for Files {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let Named { files, read } = Named::from_arg_matches(matches)?;
        let places = |name| matches.indices_of(name).into_iter().flatten();
        let all = places("files").zip(files).chain(places("read").zip(read));
        let all: BTreeMap<usize, PathBuf> = all.collect();
        Ok(Self(all.into_values().collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for Files {
    fn augment_args(command: Command) -> Command {
        Named::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Named::augment_args_for_update(command)
    }
}

/// Options of tcpdump and tshark that ask for what is done anyway: no names are looked up, and no line waits for long.
#[derive(Args, Clone, Debug, Default)]
pub struct Habits {
    #[arg(short = 'n', action = ArgAction::Count, hide = true)]
    _no_names: u8,
    #[arg(short = 'l', action = ArgAction::Count, hide = true)]
    _line_by_line: u8,
}

/// What to read, and how.
#[derive(Args, Clone, Debug, Default)]
pub struct InputArgs {
    #[command(flatten)]
    pub files: Files,

    /// Consider only the frames that match, as in `tcp port 8080`; see pcap-filter(7)
    #[arg(short, long, value_name = "EXPR")]
    pub filter: Option<String>,

    /// Read several captures one behind the other as they are named, whatever their times: for files of one capture
    /// between which its clock was set back
    #[arg(long)]
    pub append: bool,

    /// File of TLS keys, as browsers and curl write it
    #[arg(long, alias = "tls-keylog", value_name = "FILE", env = "SSLKEYLOGFILE", hide_env_values = true,
          value_parser = any_path())]
    pub tls_keys: Vec<PathBuf>,

    /// RSA private key of a server in PEM form, for TLS without forward secrecy
    #[arg(long, value_name = "FILE")]
    pub tls_rsa_key: Vec<PathBuf>,

    /// Keep the right to open other files and the network while reading; Linux takes both away otherwise
    #[arg(long)]
    pub no_sandbox: bool,

    /// Show passwords, tokens, cookies and credentials instead of masking them
    #[arg(long)]
    pub show_secrets: bool,

    #[command(flatten)]
    pub habits: Habits,

    /// Folders in which a command creates files while it reads.
    #[arg(skip)]
    pub writes_to: Vec<PathBuf>,

    /// Where the one input is kept that came through a pipe.
    #[arg(skip)]
    pub kept: Option<PathBuf>,
}

impl InputArgs {
    /// What becomes of credentials in heads and URLs.
    pub const fn secrets(&self) -> Secrets {
        if self.show_secrets { Secrets::Show } else { Secrets::Mask }
    }

    /// These inputs for a command that goes on creating files in `folder`.
    pub fn writing_to(&self, folder: Option<&Path>) -> Self {
        Self { writes_to: folder.map(Path::to_owned).into_iter().collect(), ..self.clone() }
    }

    /// Gives up what is not needed once everything is open.
    pub fn confine(&self) {
        if !self.no_sandbox {
            let folders: Vec<&Path> = self.writes_to.iter().map(PathBuf::as_path).collect();
            sandbox::enter(&folders);
        }
    }

    /// Each input: what the user calls it, and where it is to be read.
    pub fn places(&self) -> impl Iterator<Item = (&Path, &Path)> {
        let names = self.files.0.iter().map(PathBuf::as_path);
        names.map(|name| (name, self.kept.as_deref().unwrap_or(name)))
    }

    /// What the user calls each input.
    pub fn names(&self) -> Vec<String> {
        self.places().map(|(name, _)| name_of(name)).collect()
    }

    /// Opens all captures, and says on standard error which cannot be read.
    ///
    /// # Errors
    ///
    /// Where the filter cannot be used, or standard input is named twice.
    pub fn open(&self, limits: Limits) -> Result<Merge, Failure> {
        if self.places().filter(|(name, _)| *name == Path::new("-")).count() > 1 {
            let message = "standard input can be read only once, but `-` is named more than once";
            return Err(Failure::Message(message.to_owned()));
        }
        if let Some(message) = meant::filter_among(self.places().map(|(_, place)| place)) {
            return Err(Failure::Message(message));
        }
        // A pcapng file may be read twice, for the keys behind the packets.
        descriptors::allow(self.places().count() * 2);
        let mut merge = Merge::new(limits);
        if let Some(expression) = &self.filter {
            merge = merge.filtered(Filter::new(expression)?);
        }
        if self.append {
            merge = merge.appending();
        }
        for (name, place) in self.places() {
            match self.kept.as_ref().map(|_| File::open(place)) {
                Some(Ok(file)) => {
                    let size = file.metadata().map(|facts| facts.len()).ok();
                    merge.add(&name_of(name), size, Box::new(file));
                }
                _ if place == Path::new("-") => merge.add("-", None, Box::new(Stdin::new())),
                _ => merge.add_path(place),
            }
        }
        merge.problems().iter().for_each(warn);
        Ok(merge)
    }
}

/// Says on standard error what is wrong with an input.
pub fn warn(problem: &Problem) {
    let Problem { name, message, .. } = problem;
    output::tell(format_args!("bitsleuth: {}: {}", escape(name), escape(message)));
}

/// A progress bar on standard error that goes away when dropped.
pub struct Progress {
    over: Arc<AtomicBool>,
    drawing: Option<JoinHandle<()>>,
}

impl Progress {
    /// Shows how far `merge` is; `None` where this is no terminal or hardly worth it.
    pub fn show(merge: &Merge) -> Option<Self> {
        Self::over(merge.total()?, merge.used())
    }

    /// Shows how much of `total` bytes is used; `None` where this is no terminal or hardly worth it.
    pub fn over(total: u64, used: Arc<AtomicU64>) -> Option<Self> {
        if total <= QUICK || !std::io::stderr().is_terminal() {
            return None;
        }
        let over = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&over);
        let drawing = thread::spawn(move || draw(total, &used, &stop));
        Some(Self { over, drawing: Some(drawing) })
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(drawing) = self.drawing.take() {
            drawing.thread().unpark();
            // It cannot have failed in a way that matters.
            let _ = drawing.join();
        }
    }
}

fn draw(total: u64, used: &AtomicU64, over: &AtomicBool) {
    let bar = ProgressBar::new(total);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {bytes} of {total_bytes}, {eta} left")
    {
        bar.set_style(style);
    }
    while !over.load(Ordering::Relaxed) {
        bar.set_position(used.load(Ordering::Relaxed));
        thread::park_timeout(Duration::from_millis(100));
    }
    bar.finish_and_clear();
}
