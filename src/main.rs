//! `bitsleuth`, the command.

mod cli;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};

use cli::output::{self, Output};
use cli::run::{Failure, Status};
use cli::{Cli, Command};

fn main() -> ExitCode {
    let command = Cli::command().long_version(cli::version::long());
    let matches = command.try_get_matches_from(args());
    let cli = matches.and_then(|matches| Cli::from_arg_matches(&matches));
    match cli.map_or_else(tell, run) {
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

#[cfg(not(windows))]
fn args() -> std::env::ArgsOs {
    std::env::args_os()
}

/// The shells of Windows leave it to programs what `*.pcap` stands for.
#[cfg(windows)]
fn args() -> wild::ArgsOs {
    wild::args_os()
}

/// Prints help that was asked for, or what is wrong with the command line.
fn tell(mut said: clap::Error) -> Result<Status, Failure> {
    cli::meant::hint(&mut said);
    let printed = said.print().and_then(|()| io::stdout().flush());
    if said.use_stderr() {
        return Ok(Status::Unreadable);
    }
    printed.map_err(|error| output::named(output::STDOUT.as_ref(), &error))?;
    Ok(Status::Clean)
}

fn run(cli: Cli) -> Result<Status, Failure> {
    let Some(command) = cli.command else {
        return match cli::meant::misspelt(cli.timeline.files()) {
            Some(message) => Err(Failure::Message(message)),
            None => cli.timeline.run(),
        };
    };
    match command {
        Command::Timeline(args) => args.run(),
        Command::Sessions(args) => args.run(),
        Command::Diagnose(args) => args.run(),
        Command::Extract(args) => args.run(),
        Command::Annotate(args) => args.run(),
        Command::Report(args) => args.run(),
        Command::Redact(args) => args.run(),
        Command::Export(args) => args.run(),
        Command::Explain(args) => args.run(),
        Command::Rules(args) => args.run(),
        Command::Http(args) => args.run(),
        Command::Tls(args) => args.run(),
        Command::Capture(args) => args.run(),
        Command::Interfaces => print(|out| Ok(cli::interfaces::run(out)?)),
        Command::Schema => print(|out| Ok(bitsleuth::export::json::schema(out)?)),
        Command::Completions(args) => print(|out| Ok(args.write(out, Cli::command())?)),
        Command::Man(args) => print(|out| args.write(out, Cli::command())),
    }
}

fn print(write: impl FnOnce(&mut Output) -> Result<(), Failure>) -> Result<Status, Failure> {
    let mut out = Output::new();
    write(&mut out)?;
    out.flush()?;
    Ok(Status::Clean)
}

fn complain(message: &str) -> ExitCode {
    output::tell(format_args!("bitsleuth: {message}"));
    ExitCode::from(2)
}
