//! One capture that is read twice: to understand it, and to write it anew.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use bitsleuth::capture::{self, Reader, Stream};
use bitsleuth::limits::Limits;
use clap::Args;
use tempfile::NamedTempFile;

use super::input::{Files, Habits, InputArgs, Progress};
use super::run::Failure;
use super::signal;
use super::target::{failed, folder_of};

/// The capture to read.
#[derive(Args, Clone, Debug)]
pub struct OneInput {
    /// Capture to read: pcap, pcapng, snoop or Network Monitor, also compressed by gzip, zstd or lz4; `-` is standard
    /// input, as for several files behind `mergecap -w - *.pcap |`
    #[arg(value_name = "FILE", required_unless_present = "read")]
    file: Option<PathBuf>,

    /// Capture to read, named as for tcpdump
    #[arg(short, long, value_name = "FILE", conflicts_with = "file")]
    read: Option<PathBuf>,

    /// File of TLS keys, as browsers and curl write it
    #[arg(long, alias = "tls-keylog", value_name = "FILE", env = "SSLKEYLOGFILE", hide_env_values = true,
          value_parser = super::input::any_path())]
    tls_keys: Vec<PathBuf>,

    /// Keep the right to open other files and the network while reading; Linux takes both away otherwise
    #[arg(long)]
    no_sandbox: bool,

    #[command(flatten)]
    habits: Habits,
}

/// A capture that can be read again.
pub struct Twice {
    /// It as an input of an analysis.
    pub input: InputArgs,
    /// What the user calls it.
    name: PathBuf,
    /// Where it is kept, if it came through a pipe.
    _kept: Option<NamedTempFile>,
}

impl OneInput {
    /// Makes it readable twice, for a command that writes to `output`: what comes through a pipe is kept in a temporary
    /// file.
    ///
    /// # Errors
    ///
    /// Where that cannot be written.
    pub fn keep(&self, output: &Path) -> Result<Twice, Failure> {
        let named = self.file.as_ref().or(self.read.as_ref()).cloned().unwrap_or_default();
        let store = |source| store(source).map_err(|error| failed(&named, &error.to_string()));
        let kept = piped(&named).map(store).transpose()?;
        // What was kept has to be removed in the end.
        let temporary = kept.as_ref().map(|_| std::env::temp_dir());
        let folder = folder_of(output);
        let input = InputArgs {
            files: Files(vec![named.clone()]),
            kept: kept.as_ref().map(|file| file.path().to_owned()),
            tls_keys: self.tls_keys.clone(),
            no_sandbox: self.no_sandbox,
            habits: self.habits.clone(),
            writes_to: temporary.into_iter().chain(folder).collect(),
            ..InputArgs::default()
        };
        Ok(Twice { input, name: named, _kept: kept })
    }
}

impl Twice {
    /// Opens the capture for the second reading, to be done before the right to open files is given up; with it comes
    /// what shows how far that reading is.
    ///
    /// # Errors
    ///
    /// Where it cannot be read.
    pub fn open(
        &self,
        limits: &Limits,
    ) -> Result<(Reader<Stream>, impl FnOnce() -> Option<Progress> + use<>), Failure> {
        let path = self.input.kept.as_ref().unwrap_or(&self.name);
        let used = Arc::<AtomicU64>::default();
        let reader = capture::open(path, &used, limits)
            .map_err(|error| failed(&self.name, &error.to_string()))?;
        let total = std::fs::metadata(path).map_or(0, |facts| facts.len());
        Ok((reader, move || Progress::over(total, used)))
    }
}

/// What has to be kept; `None` for an ordinary file.
fn piped(path: &Path) -> Option<Box<dyn io::Read>> {
    if path == Path::new("-") {
        return Some(Box::new(signal::Stdin::new()));
    }
    let file = std::fs::File::open(path).ok()?;
    let ordinary = file.metadata().is_ok_and(|facts| facts.is_file());
    (!ordinary).then(|| Box::new(file) as Box<dyn io::Read>)
}

fn store(mut source: Box<dyn io::Read>) -> io::Result<NamedTempFile> {
    let mut file = tempfile::Builder::new().prefix("bitsleuth-").tempfile()?;
    signal::removes(file.path());
    io::copy(&mut source, &mut file)?;
    Ok(file)
}
