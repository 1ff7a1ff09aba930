//! The command line described for shells and for man.

use std::io::{self, Write};

use bitsleuth::export::text::escape;
use clap::{Args, Command};
use clap_complete::Shell;
use clap_mangen::roff::{Roff, bold, roman};
use jiff::Timestamp;

use super::run::Failure;

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

/// Prints a page of the manual
#[derive(Args, Clone, Debug)]
pub struct Man {
    /// The command that it is about; without one, bitsleuth as a whole
    #[arg(value_name = "COMMAND")]
    about: Option<String>,
}

impl Man {
    /// Writes the page, with the date of today, or of `SOURCE_DATE_EPOCH` (reproducible-builds.org).
    ///
    /// # Errors
    ///
    /// Where there is no such command.
    pub fn write(&self, out: &mut dyn Write, mut whole: Command) -> Result<(), Failure> {
        whole.build();
        let command = match &self.about {
            None => &whole,
            Some(name) => whole
                .find_subcommand(name)
                .ok_or_else(|| Failure::Message(format!("{}: no such command", escape(name))))?,
        };
        let epoch = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|secs| secs.parse().ok());
        let date = epoch.and_then(|secs| Timestamp::from_second(secs).ok());
        let page = page(command, &date.unwrap_or_else(Timestamp::now).strftime("%F").to_string())?;
        Ok(out.write_all(page.as_bytes())?)
    }
}

fn page(command: &Command, date: &str) -> io::Result<String> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    let page = clap_mangen::Man::new(command.clone())
        .title(name.to_uppercase())
        .date(date)
        .manual("User Commands")
        .source(concat!("bitsleuth ", env!("CARGO_PKG_VERSION")));
    let mut out = Vec::new();
    page.render_title(&mut out)?;
    page.render_name_section(&mut out)?;
    synopsis(command).to_writer(&mut out)?;
    page.render_description_section(&mut out)?;
    page.render_options_section(&mut out)?;
    let mut also = "pcap-filter(7)";
    if command.has_subcommands() {
        page.render_subcommands_section(&mut out)?;
    } else {
        also = "bitsleuth(1), pcap-filter(7)";
    }
    let mut rest = sections(command);
    rest.control("SH", ["SEE ALSO"]).text([roman(also)]);
    rest.to_writer(&mut out)?;
    let text = String::from_utf8_lossy(&out);
    // One break is enough before the values that an option may have.
    Ok(text.replace("\n.br\n\n.br\n", "\n.sp\n"))
}

/// How the command is written, as its help says.
fn synopsis(command: &Command) -> Roff {
    let usage = command.clone().render_usage().to_string();
    let mut roff = Roff::new();
    roff.control("SH", ["SYNOPSIS"]);
    for (place, line) in usage.lines().enumerate() {
        if place > 0 {
            roff.control("br", []);
        }
        let line = line.trim_start_matches("Usage:").trim();
        let names = line.find(['[', '<', '-']).unwrap_or(line.len());
        let (names, rest) = line.split_at_checked(names).unwrap_or((line, ""));
        roff.text([bold(names), roman(rest)]);
    }
    roff
}

/// What stands behind the options in the help: paragraphs, and tables below headings.
fn sections(command: &Command) -> Roff {
    let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let mut roff = Roff::new();
    let mut table = false;
    for line in help.lines().filter(|line| !line.is_empty()) {
        let row = line.strip_prefix("  ");
        if row.is_some() != table {
            table = !table;
            roff.control(if table { "EX" } else { "EE" }, []);
        }
        match (row, line.strip_suffix(':')) {
            (Some(row), _) => roff.text([roman(row)]),
            (None, Some(heading)) => roff.control("SH", [heading.to_uppercase().as_str()]),
            (None, None) => roff.control("PP", []).text([roman(line)]),
        };
    }
    if table {
        roff.control("EE", []);
    }
    roff
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command() -> Command {
        let sessions = Command::new("sessions").about("Lists uploads").after_help(
            "Examples:\n  bitsleuth sessions x.pcap   all\n\nA remark.\n\nExit status:\n  0  well\n  2  not",
        );
        Command::new("bitsleuth").version("1").subcommand(sessions)
    }

    fn manual(about: Option<&str>) -> Result<String, Failure> {
        let mut out = Vec::new();
        let man = Man { about: about.map(str::to_owned) };
        man.write(&mut out, command()).map(|()| String::from_utf8(out).unwrap())
    }

    #[test]
    fn each_command_has_a_page_of_its_own() {
        let whole = manual(None).unwrap();
        assert!(whole.starts_with(".TH BITSLEUTH 1 ") || whole.contains("\n.TH BITSLEUTH 1 "));
        assert!(whole.matches(".TH").count() == 1 && whole.contains("sessions(1)"), "{whole}");
        let one = manual(Some("sessions")).unwrap();
        assert!(
            one.contains(".TH BITSLEUTH\\-SESSIONS 1 ")
                || one.contains(".TH BITSLEUTH-SESSIONS 1 "),
            "{one}"
        );
        assert!(manual(Some("session")).is_err());
    }

    #[test]
    fn tables_of_the_help_keep_their_lines() {
        let page = manual(Some("sessions")).unwrap();
        let expected = "\
.SH EXAMPLES
.EX
bitsleuth sessions x.pcap   all
.EE
.PP
A remark.
.SH \"EXIT STATUS\"
.EX
0  well
2  not
.EE
.SH \"SEE ALSO\"
";
        assert!(page.contains(expected), "{page}");
    }

    #[test]
    fn completions_know_the_subcommands() {
        let mut out = Vec::new();
        Completions { shell: Shell::Bash }.write(&mut out, command()).unwrap();
        assert!(String::from_utf8(out).unwrap().contains("sessions"));
    }
}
