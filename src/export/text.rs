//! Words, numbers and times for people; nothing from the wire reaches a terminal unescaped.

use std::borrow::Cow;
use std::fmt::Write;

use jiff::tz::TimeZone;

use crate::at::Timestamp;
use crate::rules::wording::counted;

/// Makes text from the wire safe to show: controls, bidirectional overrides and characters without
/// width become escapes such as `\x1b` and `\u{202e}`.
pub fn escape(text: &str) -> Cow<'_, str> {
    escape_where(text, is_unsafe)
}

/// As [`escape`], with everything outside ASCII escaped too.
pub fn escape_ascii(text: &str) -> Cow<'_, str> {
    escape_where(text, |c| !c.is_ascii() || is_unsafe(c))
}

fn escape_where(text: &str, hides: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&hides) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        let code = u32::from(c);
        // Writing to a string cannot fail.
        let _ = match c {
            c if !hides(c) => safe.write_char(c),
            '\n' => safe.write_str("\\n"),
            '\r' => safe.write_str("\\r"),
            '\t' => safe.write_str("\\t"),
            _ if code < 0x80 => write!(safe, "\\x{code:02x}"),
            _ => write!(safe, "\\u{{{code:x}}}"),
        };
    }
    Cow::Owned(safe)
}

/// Controls, format characters (Unicode Cf), line separators, variation selectors and blank fillers.
pub(super) fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c),
            0xAD | 0x34F | 0x600..=0x605 | 0x61C | 0x6DD | 0x70F | 0x890..=0x891 | 0x8E2
            | 0x115F..=0x1160 | 0x17B4..=0x17B5 | 0x180B..=0x180F | 0x200B..=0x200F
            | 0x2028..=0x202E | 0x2060..=0x206F | 0x3164 | 0xFE00..=0xFE0F | 0xFEFF | 0xFFA0
            | 0xFFF0..=0xFFFB | 0x110BD | 0x110CD | 0x13430..=0x1343F | 0x1BCA0..=0x1BCA3
            | 0x1D173..=0x1D17A | 0xE0000..=0xE0FFF)
}

/// A number in groups of three: `40 960`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// A count of bytes in full: `40 960 B`.
pub fn bytes(count: u64) -> String {
    format!("{} B", grouped(count))
}

/// A size in two to three digits: `999 B`, `41 kB`, `1.5 GB` (powers of 1,000).
pub fn size(count: f64) -> String {
    let mut rest = count;
    for unit in ["B", "kB", "MB", "GB", "TB"] {
        if rest < 999.5 {
            let digits = usize::from(unit != "B" && rest < 9.95);
            return format!("{rest:.digits$} {unit}");
        }
        rest /= 1000.0;
    }
    format!("{rest:.0} PB")
}

/// How much of `whole` is `part`: `147 %`; nothing where `whole` is 0.
pub fn percent(part: u64, whole: u64) -> Option<String> {
    (whole > 0).then(|| {
        // Rounded down: 100 % is all of it.
        format!("{} %", u128::from(part) * 100 / u128::from(whole))
    })
}

/// A length of time: `35 µs` is `0.035 ms`, then `401 ms`, `2.10 s`, `3 min 5 s`, `2 h 10 min`.
pub fn duration(nanos: i64) -> String {
    let secs = nanos as f64 / 1e9;
    let whole = nanos / 1_000_000_000;
    match secs.abs() {
        s if s < 0.001 => format!("{:.3} ms", secs * 1e3),
        s if s < 0.9995 => format!("{:.0} ms", secs * 1e3),
        s if s < 9.995 => format!("{secs:.2} s"),
        s if s < 60.0 => format!("{secs:.1} s"),
        s if s < 3600.0 => format!("{} min {} s", whole / 60, (whole % 60).abs()),
        _ => format!("{} h {} min", whole / 3600, (whole % 3600 / 60).abs()),
    }
}

/// The number with its ending: `1st`, `2nd`, `11th`.
pub fn ordinal(number: usize) -> String {
    let ending = match (number % 10, number % 100) {
        (1, rest) if rest != 11 => "st",
        (2, rest) if rest != 12 => "nd",
        (3, rest) if rest != 13 => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

/// A count in groups of three with its noun: `1 connection`, `2 000 connections`.
pub fn count(number: u64, noun: &str) -> String {
    counted(grouped(number), noun)
}

/// How times are shown; the letters are those of tshark's `-t`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Times {
    /// `r`: seconds since the first frame of the session.
    #[default]
    Relative,
    /// `a`: local time of day.
    Absolute,
    /// `ad`: local date and time.
    AbsoluteDate,
    /// `d`: seconds since the line before.
    Delta,
    /// `e`: seconds since 1970.
    Epoch,
    /// `u`: time of day in UTC.
    Utc,
    /// `ud`: date and time in UTC.
    UtcDate,
}

impl std::str::FromStr for Times {
    type Err = String;

    fn from_str(letters: &str) -> Result<Self, String> {
        Ok(match letters {
            "r" => Self::Relative,
            "a" => Self::Absolute,
            "ad" => Self::AbsoluteDate,
            "d" => Self::Delta,
            "e" => Self::Epoch,
            "u" => Self::Utc,
            "ud" => Self::UtcDate,
            _ => return Err("one of r, a, ad, d, e, u and ud is expected".to_owned()),
        })
    }
}

/// Shows the times of successive lines.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    times: Times,
    origin: Option<Timestamp>,
    previous: Option<Timestamp>,
}

impl Clock {
    /// Counts from `origin`; without one, from the first time that is shown.
    pub const fn new(times: Times, origin: Option<Timestamp>) -> Self {
        Self { times, origin, previous: None }
    }

    /// The time of the next line.
    pub fn show(&mut self, at: Timestamp) -> String {
        let previous = self.previous.replace(at).unwrap_or(at);
        let origin = *self.origin.get_or_insert(at);
        match self.times {
            Times::Relative => seconds(at.since(origin)),
            Times::Delta => seconds(at.since(previous)),
            Times::Absolute => local(at, "%H:%M:%S%.6f%:z"),
            Times::AbsoluteDate => local(at, "%Y-%m-%d %H:%M:%S%.6f%:z"),
            Times::Epoch => format!("{:.6}", at.moment().as_duration().as_secs_f64()),
            Times::Utc => at.moment().strftime("%H:%M:%S%.6fZ").to_string(),
            Times::UtcDate => at.moment().strftime("%Y-%m-%d %H:%M:%S%.6fZ").to_string(),
        }
    }
}

fn local(at: Timestamp, format: &str) -> String {
    at.moment().to_zoned(TimeZone::system()).strftime(format).to_string()
}

/// Seconds to the microsecond, in groups: `0.201 507`.
fn seconds(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let micros = nanos.unsigned_abs() / 1000;
    let (whole, part) = (micros / 1_000_000, micros % 1_000_000);
    format!("{sign}{whole}.{:03} {:03}", part / 1000, part % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_steers_a_terminal_gets_through() {
        assert_eq!(escape("a\x1b[31m\u{7}b\u{9b}c\x7f"), "a\\x1b[31m\\x07b\\u{9b}c\\x7f");
        assert_eq!(
            escape("x\u{202e}y\u{2066}\u{200b}\u{feff}"),
            "x\\u{202e}y\\u{2066}\\u{200b}\\u{feff}"
        );
        assert_eq!(escape("r\r\nü→"), "r\\r\\nü→");
        assert_eq!(escape_ascii("ü"), "\\u{fc}");
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!(
            [grouped(7), grouped(999), grouped(40960), grouped(1_234_567)],
            ["7", "999", "40 960", "1 234 567"]
        );
        assert_eq!(
            [size(999.0), size(9000.0), size(40960.0), size(1.5e9)],
            ["999 B", "9.0 kB", "41 kB", "1.5 GB"]
        );
        assert_eq!(
            [duration(401_000_000), duration(2_100_000_000), duration(185_000_000_000)],
            ["401 ms", "2.10 s", "3 min 5 s"]
        );
        assert_eq!([ordinal(1), ordinal(12), ordinal(22)], ["1st", "12th", "22nd"]);
    }

    #[test]
    fn times_follow_their_letter() {
        let show = |letters: &str| {
            let at = Timestamp::from_nanos(1_182_200_516_201_507_000);
            let origin = Timestamp::from_nanos(1_182_200_516_000_000_000);
            let mut clock = Clock::new(letters.parse().unwrap(), Some(origin));
            clock.show(origin);
            clock.show(at)
        };
        assert_eq!(show("r"), "0.201 507");
        let mut clock = Clock::new(Times::Relative, None);
        let shown = [7, 9].map(|secs| clock.show(Timestamp::from_nanos(secs * 1_000_000_000)));
        assert_eq!(shown, ["0.000 000", "2.000 000"]);
        assert_eq!(show("d"), "0.201 507");
        assert_eq!(show("u"), "21:01:56.201507Z");
        // Whatever zone that is, it is told: `+02:00`.
        assert_eq!(
            [show("a"), show("ad")].map(|text| text.rfind(['+', '-'])),
            [Some(15), Some(26)]
        );
        assert_eq!(show("ud"), "2007-06-18 21:01:56.201507Z");
        assert_eq!(show("e"), "1182200516.201507");
    }
}
