//! The catalogue of rules as a table.

use std::io::{self, Write};

use super::style::{Style, Tone};
use super::timeline::wrapped;
use crate::rules::Rule;

/// What stands above the tables in Markdown.
const ABOUT: &str = "\
# Findings

What each rule finds, by family. An error is an upload that failed or will, a warning a cost, a risk or a failure made
good, a note worth telling. `bitsleuth explain ID` says what a finding means, shows an example, and what to do.
";

/// Where the documents are that references name.
const DOCUMENTS: [(&str, &str); 2] = [
    ("[MC-BUP]", "https://learn.microsoft.com/openspecs/windows_protocols/mc-bup/"),
    ("[MS-ERREF]", "https://learn.microsoft.com/openspecs/windows_protocols/ms-erref/"),
];

/// Writes a line for every rule: id, severity, family, what it finds.
pub fn write_text(out: &mut dyn Write, rules: &[&Rule], style: &Style) -> io::Result<()> {
    let widest = |lens: &dyn Fn(&Rule) -> usize| rules.iter().map(|r| lens(r)).max().unwrap_or(0);
    let (ids, families) = (widest(&|rule| rule.id().len()), widest(&|rule| rule.family().len()));
    for rule in rules {
        let severity = format!("{:<7}", rule.severity.name());
        let severity = style.paint(Tone::of(rule.severity), severity);
        let column = ids + families + 7 + 6;
        let title = wrapped(rule.title(), column, Tone::Plain, style);
        writeln!(out, "{:<ids$}  {severity}  {:<families$}  {title}", rule.id(), rule.family())?;
    }
    Ok(())
}

/// Writes a Markdown document with a table for every family.
pub fn write_markdown(out: &mut dyn Write, rules: &[&Rule]) -> io::Result<()> {
    write!(out, "{ABOUT}")?;
    for family in families(rules) {
        writeln!(
            out,
            "\n## {family}\n\n| rule | severity | finds | reference |\n|---|---|---|---|"
        )?;
        for rule in rules.iter().filter(|rule| rule.family() == family) {
            let (title, reference) = (cell(rule.title()), cell(rule.reference().unwrap_or("")));
            let severity = rule.severity.name();
            writeln!(
                out,
                "{}",
                format!("| `{}` | {severity} | {title} | {reference} |", rule.id())
                    .replace("  ", " ")
            )?;
        }
    }
    let used = |name: &str| {
        rules.iter().any(|rule| rule.reference().is_some_and(|text| text.contains(name)))
    };
    let used: Vec<_> = DOCUMENTS.iter().filter(|(name, _)| used(name)).collect();
    if !used.is_empty() {
        writeln!(out)?;
    }
    used.iter().try_for_each(|(name, url)| writeln!(out, "{name}: {url}"))
}

/// The families of rules, each once, in the order of the rules.
pub fn families(rules: &[&Rule]) -> Vec<&'static str> {
    let mut families = Vec::new();
    for rule in rules {
        if !families.contains(&rule.family()) {
            families.push(rule.family());
        }
    }
    families
}

/// Text inside a cell of a Markdown table.
fn cell(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '|' | '<' | '*' | '\\') {
            safe.push('\\');
        }
        safe.push(c);
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::ALL;

    #[test]
    fn every_rule_has_its_line_in_both_forms() {
        let (mut text, mut markdown) = (Vec::new(), Vec::new());
        write_text(&mut text, ALL, &Style::default()).unwrap();
        write_markdown(&mut markdown, ALL).unwrap();
        let (text, markdown) =
            (String::from_utf8(text).unwrap(), String::from_utf8(markdown).unwrap());
        assert_eq!(text.lines().count(), ALL.len());
        for rule in ALL {
            assert!(text.lines().any(|line| line.starts_with(&format!("{} ", rule.id()))));
            assert!(markdown.contains(&format!("| `{}` | {} |", rule.id(), rule.severity.name())));
        }
    }

    #[test]
    fn cells_do_not_break_the_table() {
        assert_eq!(cell("a | b <6>"), "a \\| b \\<6>");
    }
}
