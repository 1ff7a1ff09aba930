//! `bitsleuth`, the command.

mod cli;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};

use cli::run::{Failure, Status};
use cli::{Cli, Command};

fn main() -> ExitCode {
    let matches = Cli::command().long_version(cli::version::long()).get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    match run(cli) {
        Ok(Status::Clean) => ExitCode::SUCCESS,
        Ok(Status::Findings) => ExitCode::from(1),
        Ok(Status::Unreadable) => ExitCode::from(2),
        // Whoever read the output has seen enough.
        Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(Failure::Output(error)) => complain(&error.to_string()),
        Err(Failure::Message(message)) => complain(&message),
    }
}

fn run(cli: Cli) -> Result<Status, Failure> {
    let mut out = cli::run::output();
    match cli.command {
        None => cli.timeline.run(),
        Some(Command::Timeline(args)) => args.run(),
        Some(Command::Sessions(args)) => args.run(),
        Some(Command::Diagnose(args)) => args.run(),
        Some(Command::Extract(args)) => args.run(),
        Some(Command::Annotate(args)) => args.run(),
        Some(Command::Report(args)) => args.run(),
        Some(Command::Redact(args)) => args.run(),
        Some(Command::Export(args)) => args.run(),
        Some(Command::Explain(args)) => args.run(),
        Some(Command::Rules(args)) => args.run(),
        Some(Command::Http(args)) => args.run(),
        Some(Command::Tls(args)) => args.run(),
        Some(Command::Capture(args)) => args.run(),
        Some(Command::Interfaces) => Ok(cli::interfaces::run(&mut out).map(|()| Status::Clean)?),
        Some(Command::Schema) => {
            Ok(bitsleuth::export::json::schema(&mut out).map(|()| Status::Clean)?)
        }
        Some(Command::Completions(args)) => {
            Ok(args.write(&mut out, Cli::command()).map(|()| Status::Clean)?)
        }
        Some(Command::Man) => Ok(cli::docs::man(&mut out, Cli::command()).map(|()| Status::Clean)?),
    }
}

fn complain(message: &str) -> ExitCode {
    // Nobody is left to tell where standard error is closed.
    let _ = writeln!(io::stderr(), "bitsleuth: {message}");
    ExitCode::from(2)
}
