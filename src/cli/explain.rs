//! `bitsleuth explain`: what words and numbers mean.

use std::ffi::OsStr;
use std::io::{self, Write};

use bitsleuth::explain::{Article, explain};
use bitsleuth::export::{explain as text, json, text::escape};
use bitsleuth::rules::ALL;
use clap::builder::{PossibleValue, TypedValueParser};
use clap::{Arg, Args, Command};

use super::output::{self, Output};
use super::run::{Failure, Status};
use super::show::Look;

pub const EXAMPLES: &str = "\
Examples:
  bitsleuth explain session-not-found        a rule
  bitsleuth explain 0x8020001F -2145386465   a code, in any notation
  bitsleuth explain 404                      an HTTP status, as BITS reports it
  bitsleuth explain 12002                    a Win32 error
  bitsleuth explain {7df0354d-249b-430f-820d-3d2a9bef4931}
  bitsleuth explain Ping no-common-protocol  a packet, a word of the report

Exit status:
  0  everything was explained
  2  something is not known, or the command line is wrong";

/// What to explain.
#[derive(Args, Debug, Clone)]
pub struct ExplainArgs {
    /// Rules, codes, HTTP statuses, Win32 errors, protocol GUIDs, packet types, words of the report
    #[arg(required = true, value_parser = Name, hide_possible_values = true, allow_negative_numbers = true)]
    what: Vec<String>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    look: Look,
}

impl ExplainArgs {
    /// Runs the command.
    pub fn run(&self) -> Result<Status, Failure> {
        let (mut articles, mut status): (Vec<Article>, _) = (Vec::new(), Status::Clean);
        for what in &self.what {
            match explain(what) {
                Ok(found) => articles.extend(found),
                Err(unknown) => {
                    status = Status::Unreadable;
                    output::tell(format_args!("bitsleuth: {}", escape(&unknown.to_string())));
                }
            }
        }
        let mut out = Output::new();
        if self.json {
            json::write(&mut out, &articles)?;
        } else {
            self.write(&mut out, &articles)?;
        }
        out.flush()?;
        Ok(status)
    }

    fn write(&self, out: &mut dyn Write, articles: &[Article]) -> io::Result<()> {
        let style = self.look.style();
        for (place, article) in articles.iter().enumerate() {
            if place > 0 {
                writeln!(out)?;
            }
            text::write(out, article, &style)?;
        }
        Ok(())
    }
}

/// Takes any text; completes to the rules.
#[derive(Clone, Copy, Debug)]
struct Name;

impl TypedValueParser for Name {
    type Value = String;

    fn parse_ref(
        &self,
        _: &Command,
        _: Option<&Arg>,
        value: &OsStr,
    ) -> Result<String, clap::Error> {
        Ok(value.to_string_lossy().into_owned())
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(ALL.iter().map(|rule| PossibleValue::new(rule.id()).help(rule.title()))))
    }
}
