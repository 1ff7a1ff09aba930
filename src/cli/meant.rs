//! What may be meant by a command line that is wrong.

use std::path::Path;

use bitsleuth::export::text::escape;
use clap::CommandFactory;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::Cli;

/// Options that people know from other programs, or from other commands, and where it is that they mean.
const HABITS: [(&[&str], &str); 14] = [
    (&["--json"], "`bitsleuth sessions --json`, or `diagnose --json`"),
    (&["-T", "-e"], "`bitsleuth sessions --json`, or `bitsleuth export`"),
    (&["-D"], "`bitsleuth interfaces`"),
    (&["-i"], "`bitsleuth capture -i`"),
    (&["-c"], "`bitsleuth capture -c`, or `editcap -r` for files"),
    (
        &["-w", "--write"],
        "`bitsleuth capture -w`; for files `bitsleuth annotate -o`, or `redact -o`",
    ),
    (
        &["-o", "--output"],
        "`-o` of `bitsleuth report`, `export`, `annotate` and `redact`, or `capture -w`; what is printed goes to `> FILE`",
    ),
    (&["-Y", "-R"], "`-f` for frames; `--session`, `--url`, `--outcome` and others for uploads"),
    (&["-v", "--verbose"], "`bitsleuth diagnose -v`, or `timeline` for every message"),
    (&["-q", "--quiet"], "`bitsleuth sessions`, or `diagnose -q`, for a line per upload"),
    (&["-x", "-X", "-A"], "`bitsleuth http` for heads, `bitsleuth extract` for files"),
    (&["-z"], "`bitsleuth sessions`, `http` and `tls` for what there is to count"),
    (
        &["-b", "-C", "-G", "-W"],
        "`dumpcap -b` for rings of files; their names may be given together",
    ),
    (
        &["--last", "--since", "--until", "--after", "--before", "--from", "--to"],
        "`editcap -A START -B STOP` to cut a span of time out first",
    ),
];

/// Words that expressions of pcap-filter(7) begin with.
const PRIMITIVES: [&str; 20] = [
    "and",
    "arp",
    "dst",
    "ether",
    "greater",
    "host",
    "icmp",
    "icmp6",
    "ip",
    "ip6",
    "less",
    "net",
    "not",
    "or",
    "port",
    "portrange",
    "src",
    "tcp",
    "udp",
    "vlan",
];

/// How like an option has to be to be offered for another one, from 0 to 1.
const LIKE_AN_OPTION: f64 = 0.6;

/// Puts what may be meant into a complaint, and takes out what is of no help.
pub fn hint(said: &mut clap::Error) {
    let Some(ContextValue::String(option)) = said.get(ContextKind::InvalidArg) else { return };
    let name = option.split('=').next().unwrap_or_default();
    let unknown = said.kind() == ErrorKind::UnknownArgument;
    let habit = HABITS.iter().find(|(options, _)| unknown && options.contains(&name));
    let place = habit.map(|(_, place)| format!("see {place}"));
    let one = unknown && !option.starts_with('-') && takes_one_capture(said);
    let place = place.or_else(|| one.then(|| ONE.to_owned()));
    let place = place.or_else(|| begins_filter(option).then(|| FILTER.to_owned()));
    if let Some(ContextValue::String(other)) = said.get(ContextKind::SuggestedArg) {
        let like = strsim::normalized_damerau_levenshtein(name, other);
        if place.is_some() || like < LIKE_AN_OPTION {
            said.remove(ContextKind::SuggestedArg);
            // It is that of the other option.
            said.remove(ContextKind::Usage);
        }
    }
    match place {
        Some(place) => {
            let hint = ContextValue::StyledStrs(vec![place.into()]);
            said.insert(ContextKind::Suggested, hint);
        }
        // An option behind `--` is a file that is not there.
        None if unknown => {
            said.remove(ContextKind::Suggested);
        }
        None => {}
    }
}

/// What to do with several captures where one is read twice.
const ONE: &str = "one capture is taken; join several first, as in `mergecap -w - *.pcap | bitsleuth redact - -o OUT`";

/// Whether the complaint is of a command that reads one capture twice.
fn takes_one_capture(said: &clap::Error) -> bool {
    let Some(ContextValue::StyledStr(usage)) = said.get(ContextKind::Usage) else { return false };
    let usage = usage.to_string();
    ["annotate", "redact"].iter().any(|name| usage.split_whitespace().any(|word| word == *name))
}

const FILTER: &str = "a filter is one word behind -f, as in `-f 'tcp port 80'`";

/// What to say of a word that is no file where it begins a filter, as tcpdump takes them.
pub fn filter_among<'p>(mut words: impl Iterator<Item = &'p Path>) -> Option<String> {
    let word = words
        .find_map(|word| word.to_str().filter(|text| begins_filter(text) && !word.exists()))?;
    Some(format!("{}: no such file; {FILTER}", escape(word)))
}

fn begins_filter(text: &str) -> bool {
    text.split_whitespace().next().is_some_and(|word| PRIMITIVES.contains(&word))
}

/// How like the name of a command, from 0 to 1, a word has to be to be taken for one that is misspelt.
const ALIKE: f64 = 0.7;

/// What to say of words that are no files, where a command may be meant: the first that is much like one, or any that
/// is one.
pub fn misspelt<'p>(mut words: impl Iterator<Item = &'p Path>) -> Option<String> {
    let cli = Cli::command();
    let like = words.next().and_then(|word| said_of(word, &cli, ALIKE));
    like.or_else(|| words.find_map(|word| said_of(word, &cli, 1.0)))
}

fn said_of(word: &Path, cli: &clap::Command, alike: f64) -> Option<String> {
    let name = word.to_str().filter(|_| !word.exists())?;
    let like = |command: &str| strsim::normalized_damerau_levenshtein(name, command);
    let commands = cli.get_subcommands().map(|command| (like(command.get_name()), command));
    let (likeness, command) = commands.max_by(|(a, _), (b, _)| a.total_cmp(b))?;
    let command = command.get_name();
    if command == name {
        return Some(format!(
            "{name}: no such file; if it is a command, put it before all options"
        ));
    }
    let begins = alike < 1.0 && name.len() > 2 && command.starts_with(name);
    (begins || likeness >= alike)
        .then(|| format!("{}: no such file or command; there is `{command}`", escape(name)))
}
