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
        let mut out: Box<dyn Write> =
            if to_stdout { Box::new(output::aside()) } else { Box::new(Output::new()) };
        let mut clock = text::Clock::new(style.times, None);
        let caught = run_live(&self.args, &mut |frame| {
            analysis.push(frame, &mut done);
            for exchange in done.0.drain(..) {
                timeline::write_exchange(&mut out, &exchange, &mut clock, &style)?;
                out.flush()?;
            }
            Ok(())
        })?;
        let report = analysis.finish(vec![caught.input], &mut ());
        writeln!(out)?;
        timeline::write(&mut out, &report, &style)?;
        out.flush()?;
        if let Some(Counted { received, dropped, interface_dropped }) = caught.counted {
            output::tell(format_args!(
                "{} received, {dropped} dropped by the kernel, {interface_dropped} by the interface",
                text::count(received, "frame")
            ));
        }
        caught.problem.map_or(Ok(Status::Clean), Err)
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

    /// Bytes to capture of each frame
    #[arg(short, long, value_name = "BYTES", default_value_t = 262_144,
          value_parser = clap::value_parser!(u32).range(1..=262_144))]
    pub snaplen: u32,

    /// See only what is sent from, to or past this machine: no promiscuous mode
    #[arg(short = 'p', long)]
    pub no_promiscuous: bool,

    /// Stop after so many frames
    #[arg(short, long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,

    /// Stop after so many seconds
    #[arg(short = 'a', long, value_name = "SECS", value_parser = seconds)]
    pub duration: Option<u64>,

    /// Write the frames to a pcap file, too; with `-`, standard output is for them, and the text goes to standard error
    #[arg(short, long, value_name = "FILE")]
    pub write: Option<PathBuf>,

    /// Keep the right to open files and the network while capturing; Linux takes both away otherwise
    #[arg(long)]
    pub no_sandbox: bool,

    #[command(flatten)]
    _habits: Habits,
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
