//! How text output is to look.

use std::io::{self, IsTerminal};

use bitsleuth::export::{Style, Times};
use clap::{Args, ValueEnum};

/// Options for text output that has times.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Text output")]
pub struct Show {
    #[command(flatten)]
    look: Look,
    /// How times are shown: r since the first frame of the upload (of all, in what `capture` shows live), d since the
    /// line before, a and ad local time and date, u and ud the same in UTC, e seconds since 1970
    #[arg(short = 't', long = "time", value_name = "FORMAT", default_value = "r")]
    times: Times,
}

/// Options for any text output.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Text output")]
pub struct Look {
    /// When to use colour
    #[arg(long, value_enum, value_name = "WHEN", default_value_t)]
    color: When,
    /// Use ASCII signs only
    #[arg(long)]
    ascii: bool,
    /// Columns to wrap at, 0 for none [default: those of the terminal]
    #[arg(long, value_name = "N")]
    width: Option<usize>,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum When {
    /// On a terminal, unless the environment says otherwise
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// A form of a listing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// Lines to read
    #[default]
    Text,
    /// One JSON object a line
    Ndjson,
}

impl Show {
    /// What the options, the environment and standard output add up to.
    pub fn style(&self) -> Style {
        self.style_on(&io::stdout())
    }

    /// What the options, the environment and where the text goes add up to.
    pub fn style_on(&self, place: &impl IsTerminal) -> Style {
        Style { times: self.times, ..self.look.style_on(place) }
    }
}

impl Look {
    /// What the options, the environment and standard output add up to.
    pub fn style(&self) -> Style {
        self.style_on(&io::stdout())
    }

    fn style_on(&self, place: &impl IsTerminal) -> Style {
        let terminal = place.is_terminal();
        let columns = || terminal_size::terminal_size().map_or(0, |(width, _)| width.0);
        let columns = if terminal { usize::from(columns()) } else { 0 };
        self.resolve(terminal, columns, |name| std::env::var(name).ok())
    }

    fn resolve(
        &self,
        terminal: bool,
        columns: usize,
        env: impl Fn(&str) -> Option<String>,
    ) -> Style {
        Style {
            color: match self.color {
                When::Always => true,
                When::Never => false,
                When::Auto => wants_color(terminal, &env),
            },
            ascii: self.ascii || (cfg!(unix) && !takes_unicode(&env)),
            width: self.width.unwrap_or(columns),
            times: Times::default(),
        }
    }
}

/// NO_COLOR (no-color.org) wins over CLICOLOR_FORCE and CLICOLOR (bixense.com/clicolors), and FORCE_COLOR
/// (force-color.org).
fn wants_color(terminal: bool, env: &impl Fn(&str) -> Option<String>) -> bool {
    let set = |name: &str| env(name).filter(|value| !value.is_empty());
    if set("NO_COLOR").is_some() {
        return false;
    }
    if ["CLICOLOR_FORCE", "FORCE_COLOR"].into_iter().filter_map(set).any(|value| value != "0") {
        return true;
    }
    let dumb = set("TERM").is_some_and(|term| term == "dumb");
    terminal && !dumb && set("CLICOLOR").is_none_or(|value| value != "0")
}

/// Whether the locale names UTF-8; without any locale, as in containers, it is taken for granted.
fn takes_unicode(env: &impl Fn(&str) -> Option<String>) -> bool {
    let set = |name: &&str| env(name).filter(|value| !value.is_empty());
    let Some(locale) = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(set) else {
        return true;
    };
    let locale = locale.to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        show: Show,
    }

    fn style(options: &[&str], terminal: bool, env: &[(&str, &str)]) -> Style {
        let line = Line::try_parse_from(std::iter::once(&"x").chain(options)).unwrap();
        let find = |name: &str| {
            env.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        };
        let style = line.show.look.resolve(terminal, if terminal { 100 } else { 0 }, find);
        Style { times: line.show.times, ..style }
    }

    #[test]
    fn colour_follows_option_then_environment_then_terminal() {
        assert!(style(&[], true, &[]).color);
        assert!(!style(&[], false, &[]).color);
        assert!(!style(&[], true, &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")]).color);
        assert!(style(&[], false, &[("CLICOLOR_FORCE", "1")]).color);
        assert!(style(&[], false, &[("FORCE_COLOR", "1")]).color);
        assert!(!style(&[], false, &[("FORCE_COLOR", "0")]).color);
        assert!(!style(&[], false, &[("NO_COLOR", "1"), ("FORCE_COLOR", "1")]).color);
        assert!(!style(&[], true, &[("TERM", "dumb")]).color);
        assert!(style(&["--color", "always"], false, &[("NO_COLOR", "1")]).color);
    }

    #[test]
    fn width_and_times_are_taken_over() {
        assert_eq!(style(&[], true, &[]).width, 100);
        assert_eq!(style(&["--width", "0", "-t", "ud"], true, &[]).width, 0);
        assert_eq!(style(&["-t", "ud"], false, &[]).times, Times::UtcDate);
    }

    #[cfg(unix)]
    #[test]
    fn a_locale_without_utf_8_gets_ascii() {
        assert!(style(&[], true, &[("LANG", "C")]).ascii);
        assert!(!style(&[], true, &[("LC_ALL", "C.UTF-8"), ("LANG", "C")]).ascii);
        assert!(!style(&[], true, &[("LANG", "de_DE.utf8")]).ascii);
        assert!(!style(&[], true, &[]).ascii);
    }
}
