//! Ctrl-C, and being asked to terminate: where a capture comes as it is made, that is its end, and what was read is
//! shown; otherwise nothing half-written stays behind.

#[cfg(unix)]
mod polled;
#[cfg(any(not(unix), test))]
mod threaded;

use std::ffi::OsStr;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, Once};
use std::time::{Duration, Instant};

use bitsleuth::export::aside;
#[cfg(unix)]
use polled::Source;
#[cfg(not(unix))]
use threaded::Source;

/// What a shell shows of a program that SIGINT ended.
const INTERRUPTED: i32 = 130;

/// How long the writer of a pipe has, which the same signal ends, to hand over what it holds.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// How long is waited for input before it is asked whether the signal came.
const MOMENT: Duration = Duration::from_millis(100);

static HANDLER: Once = Once::new();
static ENDLESS: AtomicBool = AtomicBool::new(false);
static ENDED: AtomicBool = AtomicBool::new(false);
static HALF_WRITTEN: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());
/// Folders with files that are aside.
static UNDER_WAY: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Lets the first signal end what would go on for ever; whoever reads that asks [`has_ended`] again and again. The
/// second one ends the program.
pub fn ends_reading() {
    ENDLESS.store(true, Ordering::Relaxed);
    handle();
}

/// Whether the signal came.
pub fn has_ended() -> bool {
    ENDED.load(Ordering::Relaxed)
}

/// Lets the signal remove what is under way in a folder before it ends the program.
pub fn removes_in(folder: &Path) {
    if let Ok(mut folders) = UNDER_WAY.lock() {
        folders.push(folder.to_owned());
    }
    handle();
}

/// Lets the signal remove a file under way before it ends the program.
pub fn removes(path: &Path) {
    if let Ok(mut files) = HALF_WRITTEN.lock() {
        files.push(path.to_owned());
    }
    handle();
}

fn handle() {
    // Where there can be no handler the signal ends the program, as it does by itself.
    HANDLER.call_once(|| _ = ctrlc::set_handler(signalled));
}

fn signalled() {
    if ENDLESS.load(Ordering::Relaxed) && !ENDED.swap(true, Ordering::Relaxed) {
        return;
    }
    let files = HALF_WRITTEN.lock().map(|files| files.clone()).unwrap_or_default();
    let folders = UNDER_WAY.lock().map(|folders| folders.clone()).unwrap_or_default();
    for path in files.into_iter().chain(folders.iter().flat_map(|folder| aside_in(folder))) {
        // It may have taken its place by now.
        let _ = std::fs::remove_file(path);
    }
    std::process::exit(INTERRUPTED);
}

fn aside_in(folder: &Path) -> Vec<PathBuf> {
    let prefix = aside::prefix();
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let ours = |name: &OsStr| name.as_encoded_bytes().starts_with(prefix.as_bytes());
    entries.filter(|entry| ours(&entry.file_name())).map(|entry| entry.path()).collect()
}

/// Standard input, which ends at the signal, too.
#[derive(Debug)]
pub struct Stdin {
    /// None where it is closed.
    source: Option<Source>,
    ended: Option<Instant>,
}

impl Stdin {
    /// Standard input from now on.
    pub fn new() -> Self {
        ends_reading();
        Self { source: source(), ended: None }
    }

    /// Whether nothing is waited for any more.
    fn is_over(&mut self) -> bool {
        let ended = has_ended().then(|| *self.ended.get_or_insert_with(Instant::now));
        ended.is_some_and(|at| at.elapsed() > LAST_WORDS)
    }
}

impl Read for Stdin {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !self.is_over() {
            let Some(source) = &mut self.source else { break };
            if source.is_ready()? {
                return source.read(buffer);
            }
        }
        Ok(0)
    }
}

#[cfg(unix)]
fn source() -> Option<Source> {
    Source::stdin()
}

#[cfg(not(unix))]
fn source() -> Option<Source> {
    Source::over(io::stdin())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_this_process_has_under_way_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let file = aside::file(folder.path()).unwrap();
        std::fs::write(folder.path().join(".bitsleuth-1-other"), "").unwrap();
        std::fs::write(folder.path().join("upload.bin"), "").unwrap();
        assert_eq!(aside_in(folder.path()), [file.path()]);
    }
}
