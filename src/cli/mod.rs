//! The command line: one file per subcommand.

pub mod annotate;
pub mod capture;
pub mod descriptors;
mod diagnose;
pub mod docs;
pub mod explain;
pub mod export;
pub mod extract;
pub mod http;
pub mod input;
pub mod interfaces;
pub mod judge;
#[cfg(feature = "live")]
mod live;
pub mod meant;
pub mod output;
pub mod redact;
pub mod report;
pub mod rules;
pub mod run;
pub mod sandbox;
pub mod select;
pub mod sessions;
pub mod show;
mod signal;
mod sink;
pub mod target;
pub mod timeline;
pub mod tls;
pub mod twice;
pub mod uploads;
pub mod verdicts;
pub mod version;

use clap::{Parser, Subcommand};

/// See what BITS uploads in a capture did, and how they ended.
#[derive(Parser, Debug)]
#[command(
    name = "bitsleuth",
    version,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true
)]
#[command(after_help = EXAMPLES)]
pub struct Cli {
    /// What to do; without it, `timeline`
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub timeline: timeline::TimelineArgs,
}

const EXAMPLES: &str = "\
Examples:
  bitsleuth upload.pcap                      what client and server said, in order
  bitsleuth sessions --json *.pcapng.gz      a summary of each upload for scripts
  bitsleuth explain 0x80190194               what a code in the client's log means
  tcpdump -w - tcp port 80 | bitsleuth -     a capture from standard input
  bitsleuth capture -i eth0 -f 'port 8530'   uploads as they happen

Exit status:
  0  everything was read, and nothing was found that --fail-on names
  1  something was found that --fail-on names; `diagnose` names errors by itself,
     and an upload that was rejected or failed is one
  2  input could not be read or output be written, or the command line is wrong

Environment:
  SSLKEYLOGFILE   a file of TLS keys, as --tls-keys names one
  NO_COLOR        no colour, whatever else is set; --color goes before all of these
  CLICOLOR_FORCE, FORCE_COLOR
                  colour also where the output is no terminal; 0 is as if not set
  CLICOLOR        no colour on a terminal where it is 0
  TERM            no colour where it is `dumb`
  LC_ALL, LC_CTYPE, LANG
                  the first that is set: ASCII signs only where it does not name UTF-8
  TZ              the time zone of -t a and ad
  TMPDIR          where what came through a pipe is kept, if it has to be read twice
  SOURCE_DATE_EPOCH
                  the date of man pages, in seconds since 1970";

/// The subcommands.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Each upload message by message
    #[command(after_help = timeline::EXAMPLES)]
    Timeline(timeline::TimelineArgs),
    /// One row per upload, or the report as JSON
    #[command(after_help = sessions::EXAMPLES)]
    Sessions(sessions::SessionsArgs),
    /// Why uploads failed: the cause, its proof, what to do
    #[command(after_help = diagnose::EXAMPLES)]
    Diagnose(diagnose::DiagnoseArgs),
    /// A page to show, or text for a ticket
    #[command(after_help = report::EXAMPLES)]
    Report(report::ReportArgs),
    /// The uploaded files themselves, put together from their fragments
    #[command(after_help = extract::EXAMPLES)]
    Extract(extract::ExtractArgs),
    /// The report in the formats of other programs
    #[command(after_help = export::EXAMPLES)]
    Export(export::ExportArgs),
    /// The same packets with comments on what they carry
    #[command(after_help = annotate::EXAMPLES)]
    Annotate(annotate::AnnotateArgs),
    /// A capture that can leave the house: pseudonyms, no bodies
    #[command(after_help = redact::EXAMPLES)]
    Redact(redact::RedactArgs),
    /// What a rule, a code, an HTTP status, a protocol GUID or a word means
    #[command(after_help = explain::EXAMPLES)]
    Explain(explain::ExplainArgs),
    /// List the rules
    #[command(after_help = rules::EXAMPLES)]
    Rules(rules::RulesArgs),
    /// Every HTTP exchange, BITS or not
    #[command(after_help = http::EXAMPLES)]
    Http(http::HttpArgs),
    /// What is known of TLS, connection by connection
    #[command(after_help = tls::EXAMPLES)]
    Tls(tls::TlsArgs),
    /// Watch an interface and show exchanges as they complete
    #[command(after_help = capture::EXAMPLES)]
    Capture(capture::CaptureCommand),
    /// List the interfaces that can be captured on
    #[command(after_help = "Examples:\n  bitsleuth interfaces")]
    Interfaces,
    /// Print the JSON Schema of the report
    #[command(after_help = "Examples:\n  bitsleuth schema > bitsleuth.schema.json")]
    Schema,
    /// Print a completion script
    #[command(
        after_help = "Examples:\n  bitsleuth completions bash > /etc/bash_completion.d/bitsleuth\n  bitsleuth completions powershell >> $PROFILE"
    )]
    Completions(docs::Completions),
    /// Print the man page of bitsleuth, or of a command
    #[command(
        after_help = "Examples:\n  bitsleuth man | man -l -\n  bitsleuth man diagnose > /usr/local/share/man/man1/bitsleuth-diagnose.1"
    )]
    Man(docs::Man),
}
