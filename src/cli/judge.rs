//! Which rules are asked, and what their findings mean for the exit status.

use std::ffi::OsStr;

use bitsleuth::Options;
use bitsleuth::export::rules::families;
use bitsleuth::rules::{ALL, Rule, Severity};
use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Args, Command, ValueEnum};

use super::run::Status;

/// Options about rules.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Rules")]
pub struct JudgeArgs {
    /// Ask only this rule, or the rules of this family, or several: `tcp,tls`; `bitsleuth rules` lists them
    #[arg(long, value_name = "ID", value_parser = Wishes, value_delimiter = ',', hide_possible_values = true)]
    rule: Vec<Wish>,
    /// Do not ask this rule, or the rules of this family
    #[arg(long, value_name = "ID", value_parser = Wishes, value_delimiter = ',', hide_possible_values = true)]
    ignore: Vec<Wish>,
    /// Exit with status 1 for findings of this severity or above; an upload that was rejected or failed is an error
    /// [default: error for diagnose, else never]
    #[arg(long, value_enum, value_name = "LEVEL")]
    fail_on: Option<Level>,
}

/// A severity, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Level {
    Error,
    Warning,
    Note,
    Never,
}

/// A rule or a family that exists.
#[derive(Clone, Debug)]
struct Wish(String);

impl Wish {
    fn parse(text: &str) -> Result<Self, String> {
        let wish = Self(text.to_ascii_lowercase());
        if ALL.iter().any(|rule| wish.means(rule)) {
            return Ok(wish);
        }
        Err("no such rule or family; `bitsleuth rules` lists them".to_owned())
    }

    fn means(&self, rule: &Rule) -> bool {
        rule.is_named(&self.0) || rule.family() == self.0
    }
}

/// Takes the name of a rule or family, as [`Wish::parse`]; completes to them.
#[derive(Clone, Copy, Debug)]
struct Wishes;

impl TypedValueParser for Wishes {
    type Value = Wish;

    fn parse_ref(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Wish, clap::Error> {
        StringValueParser::new().try_map(|text| Wish::parse(&text)).parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let families = families(ALL).into_iter().map(PossibleValue::new);
        let rules = ALL.iter().map(|rule| PossibleValue::new(rule.id()).help(rule.title()));
        Some(Box::new(families.chain(rules)))
    }
}

impl JudgeArgs {
    /// The options of an analysis that asks the rules that are meant.
    pub fn options(&self) -> Options {
        let meant = |rule: &&Rule| {
            let any = |wishes: &[Wish]| wishes.iter().any(|wish| wish.means(rule));
            (self.rule.is_empty() || any(&self.rule)) && !any(&self.ignore)
        };
        Options { rules: ALL.iter().copied().filter(meant).collect(), ..Options::default() }
    }

    /// Whether every rule is asked.
    pub const fn asks_all(&self) -> bool {
        self.rule.is_empty() && self.ignore.is_empty()
    }

    /// The exit status where `worst` is the worst that was found; `usual` is the level where none was given.
    pub fn status(&self, status: Status, worst: Option<Severity>, usual: Level) -> Status {
        let fails = self.least(usual).is_some_and(|least| worst >= Some(least));
        if status == Status::Clean && fails { Status::Findings } else { status }
    }

    /// From what severity on a finding means exit status 1; `usual` is the level where none was given.
    pub fn least(&self, usual: Level) -> Option<Severity> {
        match self.fail_on.unwrap_or(usual) {
            Level::Error => Some(Severity::Error),
            Level::Warning => Some(Severity::Warning),
            Level::Note => Some(Severity::Note),
            Level::Never => None,
        }
    }
}
