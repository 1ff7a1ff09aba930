//! Explanations for people.

use std::io::{self, Write};

use super::diagnosis::{block, blocks};
use super::style::{Style, Tone};
use super::timeline::wrapped;
use crate::bits::{fields, hresult};
use crate::explain::{Article, Code, Protocol, RuleEntry, Word};

/// Columns before a paragraph.
const MARGIN: usize = 2;

/// Writes an explanation.
pub fn write(out: &mut dyn Write, article: &Article, style: &Style) -> io::Result<()> {
    match article {
        Article::Rule(rule) => write_rule(out, rule, style),
        Article::Code(code) => write_code(out, code, style),
        Article::Protocol(protocol) => write_protocol(out, protocol, style),
        Article::Word(word) => write_word(out, word, style),
    }
}

fn write_rule(out: &mut dyn Write, rule: &RuleEntry, style: &Style) -> io::Result<()> {
    let severity = style.paint(Tone::of(rule.severity), rule.severity.name());
    writeln!(out, "{}   {severity}, {}", style.paint(Tone::Strong, &rule.id), rule.family)?;
    paragraph(out, rule.title, Tone::Strong, style)?;
    for text in &rule.text {
        writeln!(out)?;
        paragraph(out, text, Tone::Plain, style)?;
    }
    writeln!(out)?;
    let mut label = "fires on";
    for line in rule.example.iter().flat_map(|example| example.lines()) {
        block(out, label, line, Tone::Quiet, &Style { width: 0, ..*style })?;
        label = "";
    }
    let client = rule.client_code.map(in_words);
    let notes = [
        ("answerable", rule.answerable),
        ("do", rule.advice),
        ("client log", client.as_deref()),
        ("confirm", rule.confirm),
        ("reference", rule.reference),
    ];
    blocks(out, &notes, style)
}

/// A code of a rule's documentation with its name and meaning.
fn in_words(code: &str) -> String {
    fields::hresult(code).map_or_else(|| code.to_owned(), |(code, _)| hresult::in_words(code))
}

fn write_code(out: &mut dyn Write, code: &Code, style: &Style) -> io::Result<()> {
    let symbol = code.symbol.map_or_else(String::new, |symbol| format!("   {symbol}"));
    let decimal = format!("   {}", code.decimal);
    let head = style.paint(Tone::Strong, format_args!("{}{symbol}", code.code));
    writeln!(out, "{head}{}", style.paint(Tone::Quiet, decimal))?;
    let same = match (code.http_status, code.win32) {
        (Some(status), _) => Some(format!("HTTP status {status}, as BITS reports it")),
        (None, Some(error)) => Some(format!("Win32 error {error}")),
        (None, None) => None,
    };
    for words in code.meaning.into_iter().chain(same.as_deref()) {
        paragraph(out, words, Tone::Plain, style)?;
    }
    let rules = (!code.rules.is_empty()).then(|| code.rules.join(", "));
    let notes = [("cause", code.cause), ("do", code.remedy), ("rules", rules.as_deref())];
    if notes.iter().any(|(_, words)| words.is_some()) {
        writeln!(out)?;
    }
    blocks(out, &notes, style)
}

fn write_protocol(out: &mut dyn Write, protocol: &Protocol, style: &Style) -> io::Result<()> {
    writeln!(out, "{}", style.paint(Tone::Strong, &protocol.guid))?;
    if let Some(name) = protocol.name {
        paragraph(out, name, Tone::Strong, style)?;
    }
    paragraph(out, protocol.meaning, Tone::Plain, style)
}

fn write_word(out: &mut dyn Write, word: &Word, style: &Style) -> io::Result<()> {
    writeln!(out, "{}   {}", style.paint(Tone::Strong, &word.word), word.about)?;
    paragraph(out, &word.meaning, Tone::Plain, style)
}

fn paragraph(out: &mut dyn Write, text: &str, tone: Tone, style: &Style) -> io::Result<()> {
    let text = wrapped(&style.clean(text), MARGIN, tone, style);
    writeln!(out, "{:MARGIN$}{text}", "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::explain;

    fn text(what: &str, width: usize) -> String {
        let mut out = Vec::new();
        for article in explain(what).unwrap() {
            write(&mut out, &article, &Style { width, ..Style::default() }).unwrap();
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_code_is_said_with_its_cause_and_remedy() {
        assert_eq!(
            text("0x80072F96", 0),
            "0x80072F96   ERROR_WINHTTP_HEADER_SIZE_OVERFLOW   -2147012714
  the header of the answer is too large
  Win32 error 12182

  cause       Large cookies or authentication fields.
  do          Make them smaller.
"
        );
    }

    #[test]
    fn a_status_without_a_name_is_short() {
        assert_eq!(
            text("450", 0),
            "0x801901C2   -2145844798\n  HTTP status 450, as BITS reports it\n"
        );
    }

    #[test]
    fn nothing_but_examples_is_wider_than_asked_for() {
        for what in ["session-not-found", "404", "Ping", "{7df0354d-249b-430f-820d-3d2a9bef4931}"] {
            let wide = text(what, 60);
            assert!(wide.lines().all(|line| line.chars().count() <= 60), "{wide}");
        }
    }
}
