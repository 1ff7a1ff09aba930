//! The command line described for shells and for man.

use std::io::{self, Write};

use clap::{Args, Command};
use clap_complete::Shell;

/// Prints completions for a shell
#[derive(Args, Clone, Copy, Debug)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    /// Writes the script that the shell has to load.
    pub fn write(&self, out: &mut dyn Write, mut command: Command) -> io::Result<()> {
        let name = command.get_name().to_owned();
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, name, &mut script);
        out.write_all(&script)
    }
}

/// Writes the manual page of the command, followed by those of its subcommands.
pub fn man(out: &mut dyn Write, mut command: Command) -> io::Result<()> {
    command.build();
    page(out, command)
}

fn page(out: &mut dyn Write, command: Command) -> io::Result<()> {
    let inner: Vec<Command> = command
        .get_subcommands()
        .filter(|inner| !inner.is_hide_set() && inner.get_name() != "help")
        .cloned()
        .collect();
    clap_mangen::Man::new(command).render(out)?;
    inner.into_iter().try_for_each(|inner| page(out, inner))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command() -> Command {
        Command::new("bitsleuth").subcommand(Command::new("sessions").about("Lists uploads"))
    }

    #[test]
    fn the_manual_covers_the_whole_tree() {
        let mut out = Vec::new();
        man(&mut out, command()).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains(".TH bitsleuth 1"), "{text}");
        assert!(text.contains(".TH bitsleuth-sessions 1"), "{text}");
    }

    #[test]
    fn completions_know_the_subcommands() {
        let mut out = Vec::new();
        Completions { shell: Shell::Bash }.write(&mut out, command()).unwrap();
        assert!(String::from_utf8(out).unwrap().contains("sessions"));
    }
}
