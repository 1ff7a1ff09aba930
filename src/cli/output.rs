//! Standard output, in large pieces, in which nothing waits for long.

use std::fmt;
use std::io::{self, BufWriter, LineWriter, Stdout, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};
use std::time::Duration;

use anstream::{AutoStream, ColorChoice};
use bitsleuth::export::text::escape;

/// What standard output is called.
pub const STDOUT: &str = "standard output";

/// Bytes of a piece.
const PIECE: usize = 64 << 10;

/// How long something waits for more: who reads a pipe wants to know now.
const MOMENT: Duration = Duration::from_millis(50);

type Held = BufWriter<AutoStream<Stdout>>;

/// Standard output, which is written when enough was put into it, or after a moment. To be flushed at the end.
pub struct Output {
    held: Arc<Mutex<Held>>,
    /// Writes what waits; started when something does.
    flusher: Option<Thread>,
}

impl Output {
    /// Nothing waits in it.
    pub fn new() -> Self {
        let out = AutoStream::new(io::stdout(), ColorChoice::Always);
        Self { held: Arc::new(Mutex::new(BufWriter::with_capacity(PIECE, out))), flusher: None }
    }

    /// Has what was just put into it written in a moment. Without a thread it waits for the rest.
    fn wake(&mut self) {
        if self.flusher.is_none() {
            let held = Arc::clone(&self.held);
            let life = move || {
                loop {
                    thread::sleep(MOMENT);
                    // Who writes next learns of a failure.
                    let _ = lock(&held).flush();
                    thread::park();
                }
            };
            let started = thread::Builder::new().name("output".to_owned()).spawn(life);
            self.flusher = started.ok().map(|handle| handle.thread().clone());
        } else if let Some(flusher) = &self.flusher {
            flusher.unpark();
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut held = lock(&self.held);
        let empty = held.buffer().is_empty();
        let written = held.write(bytes).map_err(|error| named(STDOUT.as_ref(), &error))?;
        let waits = !held.buffer().is_empty();
        drop(held);
        if empty && waits {
            self.wake();
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        lock(&self.held).flush().map_err(|error| named(STDOUT.as_ref(), &error))
    }
}

/// An error of the same kind that says where it happened.
pub fn named(place: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", escape(&place.display().to_string())))
}

/// Standard error for a text, where standard output is for something else.
pub fn aside() -> impl Write {
    LineWriter::new(AutoStream::new(io::stderr(), ColorChoice::Always))
}

/// Says something on standard error.
pub fn tell(what: fmt::Arguments<'_>) {
    // Nobody is left to tell where it is closed.
    let _ = writeln!(io::stderr(), "{what}");
}

fn lock(held: &Mutex<Held>) -> MutexGuard<'_, Held> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}
