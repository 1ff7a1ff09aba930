//! `bitsleuth capture`: watches an interface.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

use bitsleuth::capture::{Error, Frame, Input};
use bitsleuth::export::{text, timeline};
use bitsleuth::model::Exchange;
use bitsleuth::observe::Observer;
use bitsleuth::{Analysis, Options};
use clap::Args;

use super::output::{self, Output};
use super::run::{Failure, Status};
#[cfg(feature = "live")]
use super::sandbox;
use super::show::Show;
#[cfg(feature = "live")]
use super::signal;
use super::target::no_text;

pub const EXAMPLES: &str = "\
Examples:
  bitsleuth capture -i eth0
  bitsleuth capture -i eth0 -f 'tcp port 8530' -a 600 -w kept.pcap";

/// The command with its options.
#[derive(Args, Clone, Debug)]
pub struct CaptureCommand {
    #[command(flatten)]
    args: CaptureArgs,
    #[command(flatten)]
    show: Show,
}

impl CaptureCommand {
    /// Runs the command: exchanges as they complete, then the timeline and the counters.
    pub fn run(&self) -> Result<Status, Failure> {
        let to_stdout = self.args.write.as_ref().is_some_and(|path| path.as_os_str() == "-");
        if to_stdout && io::stdout().is_terminal() {
            return Err(no_text());
        }
        let style = self.show.style();
        let (mut analysis, mut done) = (Analysis::new(Options::default()), Completed::default());
        analysis.keys().complete();
        let mut out = Output::new();
        let mut clock = text::Clock::new(style.times, None);
        let stats = run_live(&self.args, &mut |frame| {
            analysis.push(frame, &mut done);
            for exchange in done.0.drain(..) {
                timeline::write_exchange(&mut out, &exchange, &mut clock, &style)?;
                out.flush()?;
            }
            Ok(())
        })?;
        let report = analysis.finish(vec![stats.input], &mut ());
        writeln!(out)?;
        timeline::write(&mut out, &report, &style)?;
        out.flush()?;
        let Stats { received, dropped, interface_dropped, .. } = stats;
        output::tell(format_args!(
            "{} received, {dropped} dropped by the kernel, {interface_dropped} by the interface",
            text::count(received, "frame")
        ));
        Ok(Status::Clean)
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
struct CaptureArgs {
    /// Interface to capture on; `bitsleuth interfaces` lists them
    #[arg(short, long, value_name = "IFACE")]
    interface: String,

    /// Capture only the frames that match, as in `tcp port 80`; see pcap-filter(7)
    #[arg(short, long, value_name = "EXPR")]
    filter: Option<String>,

    /// Bytes to capture of each frame
    #[arg(short, long, value_name = "BYTES", default_value_t = 262_144,
          value_parser = clap::value_parser!(u32).range(1..=262_144))]
    snaplen: u32,

    /// See only what is sent from, to or past this machine: no promiscuous mode
    #[arg(short = 'p', long)]
    no_promiscuous: bool,

    /// Stop after so many frames
    #[arg(short, long, value_name = "COUNT")]
    count: Option<u64>,

    /// Stop after so many seconds
    #[arg(short = 'a', long, value_name = "SECS")]
    duration: Option<u64>,

    /// Write the frames to a pcap file, too
    #[arg(short, long, value_name = "FILE")]
    write: Option<PathBuf>,

    /// Keep the right to open files and the network while capturing; Linux takes both away otherwise
    #[arg(long)]
    no_sandbox: bool,
}

/// What came of a capture.
#[derive(Clone, Debug, Default)]
struct Stats {
    /// Facts about the frames.
    input: Input,
    /// Frames that passed the filter, as the kernel counts them.
    received: u64,
    /// Frames lost because they were not taken in time.
    dropped: u64,
    /// Frames lost by the interface.
    interface_dropped: u64,
}

/// Hands every frame to `each` until Ctrl-C, the count or the duration ends it.
///
/// # Errors
///
/// Where the interface cannot be opened, goes away, or the file cannot be written; that of `each`, which ends it too.
#[cfg(feature = "live")]
fn run_live(
    args: &CaptureArgs,
    each: &mut impl FnMut(&Frame<'_>) -> io::Result<()>,
) -> Result<Stats, Failure> {
    use bitsleuth::capture::live::{Live, Settings};

    signal::ends_reading();
    let end = args.duration.and_then(|secs| {
        std::time::Instant::now().checked_add(std::time::Duration::from_secs(secs))
    });
    let mut live = Live::open(&Settings {
        interface: &args.interface,
        snaplen: args.snaplen,
        promiscuous: !args.no_promiscuous,
        filter: args.filter.as_deref(),
        save: args.write.as_deref(),
    })?;
    sandbox::drop_root().map_err(|error| Error::Live {
        interface: args.interface.clone(),
        why: format!("cannot give up the rights of root: {error}"),
    })?;
    if !args.no_sandbox {
        sandbox::enter(&[]);
    }
    let mut left = args.count.unwrap_or(u64::MAX);
    let mut shown = Ok(());
    while left > 0
        && shown.is_ok()
        && !signal::has_ended()
        && end.is_none_or(|end| std::time::Instant::now() < end)
    {
        if let Some(frame) = live.next()? {
            left -= 1;
            shown = each(&frame);
        }
    }
    let input = live.input().clone();
    let counted = live.finish()?;
    shown?;
    let (received, dropped, interface_dropped) =
        (counted.received, counted.dropped, counted.interface_dropped);
    Ok(Stats { input, received, dropped, interface_dropped })
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
) -> Result<Stats, Failure> {
    Err(Error::NotBuiltIn.into())
}
