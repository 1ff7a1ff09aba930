//! `bitsleuth capture`: watches an interface.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

#[cfg(not(feature = "live"))]
use bitsleuth::capture::Frame;
use bitsleuth::capture::Input;
use bitsleuth::export::{text, timeline};
use bitsleuth::model::Exchange;
use bitsleuth::observe::Observer;
use bitsleuth::{Analysis, Options};
use clap::Args;

use super::input::Habits;
#[cfg(feature = "live")]
use super::live::run_live;
use super::output::{self, Output};
use super::run::{Failure, Status};
use super::show::Show;
use super::target::no_text;

pub const EXAMPLES: &str = "\
Examples:
  bitsleuth capture -i eth0
  bitsleuth capture -i eth0 -f 'tcp port 8530' -a 600 -w kept.pcap
  bitsleuth capture -i eth0 -w - | wireshark -k -i -";

/// The most bytes of a frame, as with tcpdump.
const SNAPLEN: u32 = 262_144;

/// The command with its options.
#[derive(Args, Clone, Debug)]
pub struct CaptureCommand {
    #[command(flatten)]
    args: CaptureArgs,
    #[command(flatten)]
    show: Show,
}

impl CaptureCommand {
    /// Runs the command: exchanges as they complete, then the timeline and the counters, whatever ended the capture.
    pub fn run(&self) -> Result<Status, Failure> {
        let to_stdout = self.args.writes_to_stdout();
        if to_stdout && io::stdout().is_terminal() {
            return Err(no_text());
        }
        let style = if to_stdout { self.show.style_on(&io::stderr()) } else { self.show.style() };
        let (mut analysis, mut done) = (Analysis::new(Options::default()), Completed::default());
        analysis.keys().complete();
        let out: Box<dyn Write> =
            if to_stdout { Box::new(output::aside()) } else { Box::new(Output::new()) };
        let mut out = Text { out, spared: self.args.write.is_some(), lost: None };
        let (mut clock, mut last) = (text::Clock::new(style.times, None), None);
        let caught = run_live(&self.args, &mut |frame| {
            analysis.push(frame, &mut done);
            for exchange in done.0.drain(..) {
                let ends = (exchange.client, exchange.server);
                let anew = last.replace(ends) != Some(ends);
                timeline::write_exchange(&mut out, &exchange, anew, &mut clock, &style)?;
                out.flush()?;
            }
            Ok(())
        })?;
        let captured = text::count(caught.input.frames, "frame");
        let report = analysis.finish(vec![caught.input], &mut ());
        writeln!(out)?;
        timeline::write(&mut out, &report, &style)?;
        out.flush()?;
        if let Some(Counted { received, dropped, interface_dropped }) = caught.counted {
            output::tell(format_args!(
                "{captured} captured, {} received by the filter, {dropped} dropped by the kernel, {interface_dropped} by the interface",
                text::grouped(received)
            ));
        }
        caught.problem.map_or(Ok(out.status()), Err)
    }
}

/// The text, on which a recording does not depend, as with tcpdump and dumpcap: where it is `spared`, the first failure
/// is told, and what comes later is dropped.
struct Text {
    out: Box<dyn Write>,
    spared: bool,
    lost: Option<io::ErrorKind>,
}

impl Text {
    fn spare<T>(&mut self, done: io::Result<T>, instead: T) -> io::Result<T> {
        done.or_else(|error| {
            if !self.spared || error.kind() == io::ErrorKind::Interrupted {
                return Err(error);
            }
            output::tell(format_args!(
                "bitsleuth: {error}; frames are still written, without the text"
            ));
            self.lost = Some(error.kind());
            Ok(instead)
        })
    }

    /// Whoever closes a pipe has seen enough; any other loss is a failure.
    fn status(&self) -> Status {
        let failed = self.lost.is_some_and(|kind| kind != io::ErrorKind::BrokenPipe);
        if failed { Status::Unreadable } else { Status::Clean }
    }
}

impl Write for Text {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.lost.is_some() {
            return Ok(bytes.len());
        }
        let written = self.out.write(bytes);
        self.spare(written, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.lost.is_some() {
            return Ok(());
        }
        let flushed = self.out.flush();
        self.spare(flushed, ())
    }
}

/// Exchanges that were answered since the last look.
#[derive(Default)]
struct Completed(Vec<Exchange>);

impl Observer for Completed {
    fn exchange(&mut self, exchange: &Exchange) {
        self.0.push(exchange.clone());
    }
}

/// What to capture, with the letters of tcpdump and dumpcap.
#[derive(Args, Clone, Debug)]
pub struct CaptureArgs {
    /// Interface to capture on; `bitsleuth interfaces` lists them
    #[arg(short, long, value_name = "IFACE")]
    pub interface: String,

    /// Capture only the frames that match, as in `tcp port 80`; see pcap-filter(7)
    #[arg(short, long, value_name = "EXPR")]
    pub filter: Option<String>,

    /// Bytes to capture of each frame; 0 is the most, as with tcpdump
    #[arg(short, long, value_name = "BYTES", default_value_t = SNAPLEN, value_parser = snaplen)]
    pub snaplen: u32,

    /// Size of the kernel's buffer in KiB, as with tcpdump [default: that of libpcap]
    #[arg(short = 'B', long, value_name = "KIB",
          value_parser = clap::value_parser!(u32).range(1..=2_097_151))]
    pub buffer: Option<u32>,

    /// See only what is sent from, to or past this machine: no promiscuous mode
    #[arg(short = 'p', long)]
    pub no_promiscuous: bool,

    /// Stop after so many frames
    #[arg(short, long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,

    /// Stop after so many seconds
    #[arg(short = 'a', long, value_name = "SECS", value_parser = seconds)]
    pub duration: Option<u64>,

    /// Write the frames to a pcap file, too; with `-`, standard output is for them, and the text goes to standard error.
    /// Where the text cannot be written any more, frames still are, until the capture is stopped
    #[arg(short, long, value_name = "FILE")]
    pub write: Option<PathBuf>,

    /// Keep the right to open files and the network while capturing; Linux takes both away otherwise
    #[arg(long)]
    pub no_sandbox: bool,

    #[command(flatten)]
    _habits: Habits,
}

fn snaplen(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(0) => Ok(SNAPLEN),
        Ok(bytes @ 1..=SNAPLEN) => Ok(bytes),
        _ => Err(format!("a number of bytes up to {SNAPLEN} is meant")),
    }
}

/// Seconds, also as tshark writes them.
fn seconds(text: &str) -> Result<u64, String> {
    let number = text.strip_prefix("duration:").unwrap_or(text);
    let seconds = number.parse().ok().filter(|seconds| *seconds > 0);
    seconds.ok_or_else(|| "seconds are meant, as in `60`".to_owned())
}

impl CaptureArgs {
    /// Whether standard output is for the frames.
    pub fn writes_to_stdout(&self) -> bool {
        let names = ["-", "/dev/stdout"].map(Path::new);
        self.write.as_ref().is_some_and(|path| names.contains(&path.as_path()))
    }
}

/// What came of a capture.
#[derive(Debug, Default)]
pub struct Caught {
    /// Facts about the frames.
    pub input: Input,
    /// What the kernel counted, if it tells.
    pub counted: Option<Counted>,
    /// Why it ended before its time.
    pub problem: Option<Failure>,
}

/// What the kernel counted.
#[derive(Debug, Default)]
pub struct Counted {
    /// Frames that passed the filter.
    pub received: u64,
    /// Frames lost because they were not taken in time.
    pub dropped: u64,
    /// Frames lost by the interface.
    pub interface_dropped: u64,
}

/// Says that there is no live capture in this build.
///
/// # Errors
///
/// Always [`Error::NotBuiltIn`].
#[cfg(not(feature = "live"))]
fn run_live(
    _args: &CaptureArgs,
    _each: &mut impl FnMut(&Frame<'_>) -> io::Result<()>,
) -> Result<Caught, Failure> {
    Err(bitsleuth::capture::Error::NotBuiltIn.into())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: CaptureArgs,
    }

    /// The arguments in the words behind the name of the command.
    pub fn parsed(words: &[&str]) -> Result<CaptureArgs, clap::Error> {
        Line::try_parse_from(["x"].iter().chain(words)).map(|line| line.args)
    }

    /// Where everything fails in this way.
    struct Broken(io::ErrorKind);

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(self.0.into())
        }
    }

    fn text(kind: io::ErrorKind, spared: bool) -> Text {
        Text { out: Box::new(Broken(kind)), spared, lost: None }
    }

    #[test]
    fn a_recording_survives_its_text() {
        let mut full = text(io::ErrorKind::StorageFull, true);
        assert!(writeln!(full, "one").and_then(|()| full.flush()).is_ok());
        assert!(writeln!(full, "two").is_ok());
        assert_eq!(full.status(), Status::Unreadable);
        let mut closed = text(io::ErrorKind::BrokenPipe, true);
        assert!(closed.flush().is_ok() && closed.status() == Status::Clean);
        assert!(writeln!(text(io::ErrorKind::StorageFull, false), "one").is_err());
    }

    #[test]
    fn sizes_are_those_of_tcpdump() {
        let line = |option, size| parsed(&["-i", "lo", option, size]);
        assert_eq!(line("-s", "0").unwrap().snaplen, SNAPLEN);
        assert_eq!(line("-s", "96").unwrap().snaplen, 96);
        assert_eq!(line("-B", "4096").unwrap().buffer, Some(4096));
        assert!(["-1", "262145", "x"].iter().all(|size| line("-s", size).is_err()));
        assert!(line("-B", "0").is_err() && line("-B", "2097152").is_err());
    }
}
