//! Where a command writes: standard output, a device, or a file that is whole or not there.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Component, Path, PathBuf, Prefix};

use bitsleuth::export::aside;
use bitsleuth::export::text::escape;
use tempfile::TempPath;

use super::input::InputArgs;
use super::output::{STDOUT, named};
use super::run::Failure;
use super::signal;

/// Links to links that are followed, as by Linux.
const LINKS: u32 = 40;

/// Standard output, a device, or a file under way beside its place.
pub enum Target {
    /// Standard output, as it is: no end of line or colour is touched.
    Stdout(BufWriter<io::Stdout>),
    /// A file that takes its place when finished.
    File(BufWriter<File>, TempPath, PathBuf),
    /// A device or pipe, which keeps its place.
    Through(BufWriter<File>, PathBuf),
}

impl Target {
    /// Opens `path`; none and `-` are standard output.
    ///
    /// # Errors
    ///
    /// Where the file is one of the inputs, or cannot be created.
    pub fn open(path: Option<&Path>, inputs: &InputArgs) -> Result<Self, Failure> {
        let Some(path) = path.filter(|path| *path != Path::new("-")) else {
            return Ok(Self::Stdout(BufWriter::with_capacity(64 << 10, io::stdout())));
        };
        if let Ok(place) = path.canonicalize() {
            let is_there = |input: &PathBuf| {
                let standard = input == Path::new("-");
                let input = if standard { Path::new("/dev/stdin") } else { input };
                input.canonicalize().is_ok_and(|input| input == place)
            };
            let keys = inputs.tls_keys.iter().chain(&inputs.tls_rsa_key);
            if inputs.files.0.iter().chain(keys).any(is_there) {
                return Err(failed(path, "is an input, and would be overwritten"));
            }
        }
        if is_device(path) {
            let file = File::options().write(true).open(path);
            let file = file.map_err(|error| failed(path, &error.to_string()))?;
            return Ok(Self::Through(BufWriter::with_capacity(64 << 10, file), path.to_owned()));
        }
        let place = place_of(path);
        let file = aside::file(beside(&place)).map_err(|error| failed(path, &error.to_string()))?;
        keep_mode(&place, file.as_file());
        signal::removes(file.path());
        let (file, under_way) = file.into_parts();
        Ok(Self::File(BufWriter::with_capacity(64 << 10, file), under_way, place))
    }

    /// Opens `path` for what is no text, which a terminal is spared.
    ///
    /// # Errors
    ///
    /// The errors of [`Self::open`]; where it is a terminal.
    pub fn open_for_bytes(path: Option<&Path>, inputs: &InputArgs) -> Result<Self, Failure> {
        let target = Self::open(path, inputs)?;
        let shown = match &target {
            Self::Stdout(_) => io::stdout().is_terminal(),
            Self::File(..) => false,
            Self::Through(out, _) => out.get_ref().is_terminal(),
        };
        if shown { Err(no_text()) } else { Ok(target) }
    }

    /// Puts the file in its place.
    ///
    /// # Errors
    ///
    /// Where the rest cannot be written, or the file not renamed.
    pub fn finish(mut self) -> Result<(), Failure> {
        match self {
            Self::Stdout(_) | Self::Through(..) => Ok(self.flush()?),
            Self::File(out, under_way, path) => {
                out.into_inner().map_err(|error| failed(&path, &error.to_string()))?;
                under_way.persist(&path).map_err(|error| failed(&path, &error.error.to_string()))
            }
        }
    }

    /// What is written through, and what it is called.
    fn parts(&mut self) -> (&mut dyn Write, &Path) {
        match self {
            Self::Stdout(out) => (out, Path::new(STDOUT)),
            Self::File(out, _, path) | Self::Through(out, path) => (out, path),
        }
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (out, path) = self.parts();
        out.write(bytes).map_err(|error| named(path, &error))
    }

    fn flush(&mut self) -> io::Result<()> {
        let (out, path) = self.parts();
        out.flush().map_err(|error| named(path, &error))
    }
}

/// The folder that a file is to be in; there is none for what is written to standard output or a device.
pub fn folder_of(path: &Path) -> Option<PathBuf> {
    let is_there = path == Path::new("-") || is_device(path);
    (!is_there).then(|| beside(&place_of(path)).to_owned())
}

/// What a link leads to, which stays one, whether or not there is a file yet.
fn place_of(path: &Path) -> PathBuf {
    let mut place = path.to_owned();
    for _ in 0..LINKS {
        let Ok(to) = place.read_link() else { break };
        place = beside(&place).join(to);
    }
    place
}

/// Gives a file the mode of the one that it is to replace: it may have been closed to others.
#[cfg(unix)]
fn keep_mode(replaced: &Path, file: &File) {
    if let Ok(facts) = replaced.metadata() {
        // Where that fails, nobody gets more rights than with a new file.
        let _ = file.set_permissions(facts.permissions());
    }
}

#[cfg(not(unix))]
fn keep_mode(_replaced: &Path, _file: &File) {}

fn is_device(path: &Path) -> bool {
    path.metadata().map_or_else(|_| is_reserved(path), |place| !place.is_file())
}

/// Whether Windows keeps the name for a device, as `NUL` in any folder.
fn is_reserved(path: &Path) -> bool {
    let absolute = std::path::absolute(path).unwrap_or_default();
    match absolute.components().next() {
        Some(Component::Prefix(start)) => matches!(start.kind(), Prefix::DeviceNS(_)),
        _ => false,
    }
}

fn beside(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// That a terminal is not for packets and the like.
pub fn no_text() -> Failure {
    Failure::Message(
        "that is no text for a terminal: name a file, or a pipe to a program".to_owned(),
    )
}

/// A failure that names the file.
pub fn failed(path: &Path, why: &str) -> Failure {
    Failure::Message(format!("{}: {why}", escape(&path.display().to_string())))
}
