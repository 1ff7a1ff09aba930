//! Lines in columns.

use std::io::{self, Write};

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::words::Said;
use crate::at::Span;
use crate::export::style::{Style, Tone};

/// The narrowest last column that is worth wrapping.
const NARROW: usize = 16;

/// A line of a dialogue.
pub(super) enum Line {
    Message(Message),
    /// What happened between two messages.
    Note {
        sign: String,
        words: String,
        tone: Tone,
    },
    /// What a rule says of the line above.
    Finding {
        sign: &'static str,
        words: String,
        tone: Tone,
    },
}

impl Line {
    /// Whether one of `frames` is among those of the line.
    pub fn has_any(&self, frames: &[u64]) -> bool {
        let Self::Message(Message { span, .. }) = self else { return false };
        frames.iter().any(|frame| (span.first.frame..=span.last.frame).contains(frame))
    }

    /// Whether it is a message that begins behind a frame.
    pub const fn begins_behind(&self, frame: u64) -> bool {
        matches!(self, Self::Message(Message { span, .. }) if span.first.frame > frame)
    }
}

/// One message, or what cut it off.
pub(super) struct Message {
    pub time: String,
    pub frames: String,
    pub span: Span,
    pub mark: Mark,
    pub said: Said,
}

/// Who speaks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Request,
    Response,
    /// Nobody: the connection was reset.
    Cut,
}

/// Columns of the cells before the last.
#[derive(Default)]
struct Widths {
    time: usize,
    frames: usize,
    what: usize,
}

impl Widths {
    /// Columns before the arrow of a message.
    const fn before_arrow(&self) -> usize {
        2 + self.time + 3 + self.frames + 3
    }

    fn of(lines: &[Line]) -> Self {
        let mut widths = Self { time: 8, frames: 7, what: 14 };
        for line in lines {
            if let Line::Message(message) = line {
                widths.time = widths.time.max(message.time.width());
                widths.frames = widths.frames.max(message.frames.width());
                widths.what = widths.what.max(message.said.what.width().min(32));
            }
        }
        widths
    }
}

/// Writes the lines, the columns as wide as their widest cell.
pub(super) fn write(out: &mut dyn Write, lines: &[Line], style: &Style) -> io::Result<()> {
    let widths = Widths::of(lines);
    for line in lines {
        match line {
            Line::Message(message) => write_message(out, message, &widths, style)?,
            Line::Note { sign, words, tone } => {
                let (sign, words) = (style.clean(sign), style.clean(words));
                let column = widths.time + 4;
                let gap = if words.is_empty() { "" } else { "   " };
                let lead = format!("{:column$}{sign}{gap}", "");
                writeln!(out, "{}", self::line(&lead, &words, column + 2, *tone, style))?;
            }
            Line::Finding { sign, words, tone } => {
                let column = widths.before_arrow() + sign.width() + 1;
                let words = wrapped(&style.clean(words), column, *tone, style);
                let sign = style.paint(*tone, sign);
                writeln!(out, "{:before$}{sign} {words}", "", before = widths.before_arrow())?;
            }
        }
    }
    Ok(())
}

fn write_message(
    out: &mut dyn Write,
    message: &Message,
    widths: &Widths,
    style: &Style,
) -> io::Result<()> {
    let signs = style.signs();
    let arrow = match message.mark {
        Mark::Request => signs.right,
        Mark::Response => signs.left,
        Mark::Cut => signs.cut,
    };
    let what = style.clean(&message.said.what);
    let lead = format!(
        "  {}   {}   ",
        pad_left(&message.time, widths.time),
        pad(&message.frames, widths.frames)
    );
    let name = match message.mark {
        Mark::Cut => format!("{arrow} "),
        _ => format!("{arrow} {}   ", pad(&what, widths.what)),
    };
    let column = lead.width() + name.width();
    let detail = style.clean(&message.said.detail);
    let (lead, name) = (style.paint(Tone::Quiet, lead), style.paint(message.said.tone, name));
    if detail.is_empty() {
        return writeln!(out, "{lead}{}", name.trim_end());
    }
    writeln!(out, "{lead}{name}{}", wrapped(&detail, column, message.said.aside, style))
}

/// Text for the column that starts at `column`, wrapped to the width of the style where there is room for that.
pub(in crate::export) fn wrapped(text: &str, column: usize, tone: Tone, style: &Style) -> String {
    let room = style.width.saturating_sub(column);
    if style.width == 0 || room < NARROW || text.width() <= room {
        return style.paint(tone, text);
    }
    let indent = format!("\n{:column$}", "");
    let lines: Vec<String> =
        fold(text, room).into_iter().map(|line| style.paint(tone, line)).collect();
    lines.join(&indent)
}

/// A line that ends in `text`, wrapped behind `lead`; where there is no room, on lines of its own in the column
/// `below`.
pub fn line(lead: &str, text: &str, below: usize, tone: Tone, style: &Style) -> String {
    let column = lead.width();
    if style.width == 0 || column + text.width().min(NARROW) <= style.width {
        return style.paint(tone, lead) + &wrapped(text, column, tone, style);
    }
    let lead = style.paint(tone, lead.trim_end());
    format!("{lead}\n{:below$}{}", "", wrapped(text, below, tone, style))
}

/// Breaks text at spaces into pieces of at most `room` columns, and within a word that is longer.
fn fold(text: &str, room: usize) -> Vec<&str> {
    let (mut lines, mut rest) = (Vec::new(), text);
    loop {
        let cut = fitting(rest, room);
        let (head, behind) = rest.split_at(cut);
        if behind.is_empty() {
            break;
        }
        let at = last_gap(rest, head).unwrap_or(cut);
        let (line, left) = rest.split_at(at);
        lines.push(line.trim_end());
        rest = left.trim_start();
    }
    if !rest.is_empty() {
        lines.push(rest);
    }
    lines
}

/// Where `head`, which `text` begins with, can end: at its last space behind a word and not within a number like
/// `8 192`.
fn last_gap(text: &str, head: &str) -> Option<usize> {
    let begins = head.len() - head.trim_start().len();
    let is_digit = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_digit());
    let byte = |at: usize| text.as_bytes().get(at).copied();
    let is_gap = |at: &usize| *at > begins && !(is_digit(byte(at - 1)) && is_digit(byte(at + 1)));
    head.rmatch_indices(' ').map(|(at, _)| at).find(is_gap)
}

/// How many bytes of the text fit into `room` columns; at least one character.
fn fitting(text: &str, room: usize) -> usize {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += c.width().unwrap_or(0);
        if used > room && at > 0 {
            return at;
        }
    }
    text.len()
}

/// Frames by number, as `input:number` where there are several inputs.
pub(super) fn frames(span: Span, style: &Style) -> String {
    let Span { first, last } = span;
    let dash = style.signs().dash;
    if last.frame == first.frame {
        first.name()
    } else if first.input > 0 && last.input == first.input {
        format!("{}{dash}{}", first.name(), last.input_frame)
    } else {
        format!("{}{dash}{}", first.name(), last.name())
    }
}

/// Fills up to `width` columns behind the text.
pub(super) fn pad(text: &str, width: usize) -> String {
    format!("{text}{:fill$}", "", fill = width.saturating_sub(text.width()))
}

fn pad_left(text: &str, width: usize) -> String {
    format!("{:fill$}{text}", "", fill = width.saturating_sub(text.width()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_breaks_at_spaces_and_inside_long_words() {
        assert_eq!(fold("one two three", 8), ["one two", "three"]);
        assert_eq!(fold("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(fold("ab cdefghijk", 4), ["ab", "cdef", "ghij", "k"]);
        assert_eq!(fold("of 8 192 B", 5), ["of", "8 192", "B"]);
        assert_eq!(fold("of 8 192 B", 7), ["of", "8 192 B"]);
    }
}
