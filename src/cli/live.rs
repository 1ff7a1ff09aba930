//! Frames as an interface sees them, one after the other and into a file.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bitsleuth::at::Timestamp;
use bitsleuth::capture::live::{Live, Settings};
use bitsleuth::capture::{Error, Frame, LinkType};
use bitsleuth::export::pcap::Writer;

use super::capture::{CaptureArgs, Caught, Counted};
use super::output::{STDOUT, named};
use super::run::Failure;
use super::target::failed;
use super::{sandbox, signal};

/// How long the kernel may hold a frame back to hand over many at once: twice the time-out of a capture, and some.
const HELD: Duration = Duration::from_millis(250);

/// How long frames that wait at the end are taken at most, whatever the clocks say.
const REST: Duration = Duration::from_secs(2);

/// Hands every frame to `each` until Ctrl-C, the count, the duration or a problem ends it.
///
/// # Errors
///
/// Where it cannot begin: the interface cannot be opened, or the file not be made.
pub fn run_live(
    args: &CaptureArgs,
    each: &mut impl FnMut(&Frame<'_>) -> io::Result<()>,
) -> Result<Caught, Failure> {
    signal::ends_reading();
    let end = args.duration.and_then(|secs| Instant::now().checked_add(Duration::from_secs(secs)));
    let mut live = Live::open(&Settings {
        interface: &args.interface,
        snaplen: args.snaplen,
        buffer: args.buffer,
        promiscuous: !args.no_promiscuous,
        filter: args.filter.as_deref(),
    })?;
    let mut file = Kept::create(args, live.link())?;
    sandbox::drop_root().map_err(|error| Error::Live {
        interface: args.interface.clone(),
        why: format!("cannot give up the rights of root: {error}"),
    })?;
    if !args.no_sandbox {
        sandbox::enter(&[]);
    }
    let mut take = || -> Result<Option<Timestamp>, Failure> {
        let Some(frame) = live.next()? else {
            file.flush()?;
            return Ok(None);
        };
        file.write(&frame)?;
        each(&frame)?;
        Ok(Some(frame.at.time))
    };
    let watched = watch(args, end, &mut take);
    let flushed = file.flush().map_err(Failure::Output);
    let input = live.input().clone();
    let counted = live.finish().map(|counted| Counted {
        received: counted.received,
        dropped: counted.dropped,
        interface_dropped: counted.interface_dropped,
    });
    let (counted, untold) = match counted {
        Ok(counted) => (Some(counted), None),
        Err(error) => (None, Some(error.into())),
    };
    Ok(Caught { input, counted, problem: watched.and(flushed).err().or(untold) })
}

/// Takes frames until the count or what was received until Ctrl-C or the end of the duration is complete.
fn watch(
    args: &CaptureArgs,
    end: Option<Instant>,
    take: &mut impl FnMut() -> Result<Option<Timestamp>, Failure>,
) -> Result<(), Failure> {
    let mut left = args.count.unwrap_or(u64::MAX);
    while left > 0 && !signal::has_ended() && end.is_none_or(|end| Instant::now() < end) {
        left -= u64::from(take()?.is_some());
    }
    let (ended, last) = (Instant::now(), now());
    while left > 0 && ended.elapsed() < REST {
        match take()? {
            Some(time) if time > last => break,
            Some(_) => left -= 1,
            None if ended.elapsed() >= HELD => break,
            None => {}
        }
    }
    Ok(())
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_nanos(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

/// The file that frames are kept in, if any.
struct Kept {
    writer: Option<Writer<BufWriter<Box<dyn Write>>>>,
    /// What it is called.
    name: PathBuf,
}

impl Kept {
    /// Makes the file that is asked for, or takes standard output, and begins a capture there.
    fn create(args: &CaptureArgs, link: LinkType) -> Result<Self, Failure> {
        let Some(path) = &args.write else {
            return Ok(Self { writer: None, name: PathBuf::new() });
        };
        let (out, name): (Box<dyn Write>, _) = if args.writes_to_stdout() {
            (Box::new(io::stdout()), PathBuf::from(STDOUT))
        } else {
            let file = File::create(path).map_err(|error| failed(path, &error.to_string()))?;
            (Box::new(file), path.clone())
        };
        let begun = Writer::new(BufWriter::with_capacity(64 << 10, out), link, args.snaplen);
        let mut kept = Self { writer: Some(begun.map_err(|error| named(&name, &error))?), name };
        kept.flush()?;
        Ok(kept)
    }

    fn write(&mut self, frame: &Frame<'_>) -> io::Result<()> {
        let Some(writer) = &mut self.writer else { return Ok(()) };
        let written = writer.packet(frame.at.time, frame.data, frame.wire_len);
        written.map_err(|error| named(&self.name, &error))
    }

    /// Hands on what waits: whoever reads a pipe wants it now, and a full disk is to be known soon.
    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.writer.as_mut().map_or(Ok(()), Writer::flush);
        flushed.map_err(|error| named(&self.name, &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::capture::tests::parsed;

    fn args(write: &str) -> CaptureArgs {
        parsed(&["-i", "lo", "-w", write]).unwrap()
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_that_cannot_be_written_is_named_at_once() {
        let tried = Kept::create(&args("/dev/full"), LinkType(1)).map(|_| ());
        let Err(Failure::Output(error)) = tried else { panic!("nothing said") };
        assert!(error.to_string().starts_with("/dev/full: No space left"), "{error}");
    }

    #[test]
    fn what_tshark_takes_is_taken() {
        let line = |last: &str| parsed(&["-ni", "lo", "-l", "-a", last]);
        assert_eq!(line("duration:60").unwrap().duration, Some(60));
        assert_eq!(line("60").unwrap().duration, Some(60));
        assert!(line("filesize:60").is_err());
    }

    #[test]
    fn standard_output_has_two_names() {
        assert!(args("-").writes_to_stdout() && args("/dev/stdout").writes_to_stdout());
        assert!(!args("stdout").writes_to_stdout());
    }
}
