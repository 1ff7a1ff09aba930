//! Which rules are asked, and what their findings mean for the exit status.

use bitsleuth::Options;
use bitsleuth::rules::{ALL, Rule, Severity};
use clap::{Args, ValueEnum};

use super::run::Status;

/// Options about rules.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Rules")]
pub struct JudgeArgs {
    /// Ask only this rule, or the rules of this family; `bitsleuth rules` lists them
    #[arg(long, value_name = "ID", value_parser = Wish::parse)]
    rule: Vec<Wish>,
    /// Do not ask this rule, or the rules of this family
    #[arg(long, value_name = "ID", value_parser = Wish::parse)]
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

impl JudgeArgs {
    /// Those of an analysis that asks the rules that are meant.
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
