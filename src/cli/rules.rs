//! `bitsleuth rules`: the catalogue.

use std::io::Write;

use bitsleuth::explain::RuleEntry;
use bitsleuth::export::{json, rules};
use bitsleuth::rules::{ALL, Rule};
use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};

use super::output::Output;
use super::run::{Failure, Status};
use super::show::Look;

pub const EXAMPLES: &str = "\
Examples:
  bitsleuth rules
  bitsleuth rules --family tcp
  bitsleuth rules --json | jq -r '.[] | select(.severity == \"error\").id'";

/// What to list.
#[derive(Args, Debug, Clone)]
pub struct RulesArgs {
    /// Only the rules of this family
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(rules::families(ALL)))]
    family: Option<String>,
    /// How to print them
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,
    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
    #[command(flatten)]
    look: Look,
}

/// A form of the catalogue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A line for each
    #[default]
    Text,
    /// One JSON document with all that their documentation says
    Json,
    /// Tables by family
    Markdown,
}

impl RulesArgs {
    /// Runs the command.
    pub fn run(&self) -> Result<Status, Failure> {
        let meant =
            |rule: &&Rule| self.family.as_deref().is_none_or(|family| rule.family() == family);
        let chosen: Vec<&Rule> = ALL.iter().copied().filter(meant).collect();
        let mut out = Output::new();
        match if self.json { Format::Json } else { self.format } {
            Format::Json => {
                let entries: Vec<_> = chosen.iter().map(|rule| RuleEntry::of(rule)).collect();
                json::write(&mut out, &entries)?;
            }
            Format::Text => rules::write_text(&mut out, &chosen, &self.look.style())?,
            Format::Markdown => rules::write_markdown(&mut out, &chosen)?,
        }
        out.flush()?;
        Ok(Status::Clean)
    }
}
