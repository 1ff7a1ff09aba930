//! How text output looks: colour, signs, width.

use std::borrow::Cow;
use std::fmt::Display;

use anstyle::{AnsiColor, Effects};

use super::text::{self, Times};
use crate::rules::Severity;

/// How text output looks. The default has neither colour nor an end of line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Colour, which repeats what signs and words say.
    pub color: bool,
    /// ASCII alone.
    pub ascii: bool,
    /// Columns of the terminal; 0 is unlimited.
    pub width: usize,
    /// How times are shown.
    pub times: Times,
}

/// What a piece of text is, for its colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// Nothing special.
    #[default]
    Plain,
    /// There to be looked up, not read.
    Quiet,
    /// What stands out.
    Strong,
    /// As it should be.
    Good,
    /// Worth a look.
    Odd,
    /// Wrong.
    Bad,
}

/// Signs that have an ASCII form.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signs {
    pub right: &'static str,
    pub left: &'static str,
    pub dash: &'static str,
    pub dots: &'static str,
    pub block: &'static str,
    pub wait: &'static str,
    pub cut: &'static str,
    pub note: &'static str,
}

const UNICODE: Signs = Signs {
    right: "→",
    left: "←",
    dash: "–",
    dots: "…",
    block: "█",
    wait: "⋮",
    cut: "✂",
    note: "·",
};
const ASCII: Signs = Signs {
    right: "->",
    left: "<-",
    dash: "-",
    dots: "...",
    block: "#",
    wait: ":",
    cut: "x",
    note: "-",
};

impl Style {
    pub(crate) const fn signs(&self) -> Signs {
        if self.ascii { ASCII } else { UNICODE }
    }

    /// Makes text safe to show: see [`text::escape`].
    pub fn clean<'t>(&self, raw: &'t str) -> Cow<'t, str> {
        if self.ascii { text::escape_ascii(raw) } else { text::escape(raw) }
    }

    /// Text with the colour of its tone; empty text stays empty.
    pub(crate) fn paint(&self, tone: Tone, shown: impl Display) -> String {
        let shown = shown.to_string();
        if !self.color || tone == Tone::Plain || shown.trim().is_empty() {
            return shown;
        }
        let style = tone.style();
        format!("{style}{shown}{style:#}")
    }
}

impl Tone {
    /// The tone of a finding.
    pub(crate) const fn of(severity: Severity) -> Self {
        match severity {
            Severity::Error => Self::Bad,
            Severity::Warning => Self::Odd,
            Severity::Note => Self::Quiet,
        }
    }

    const fn style(self) -> anstyle::Style {
        match self {
            Self::Plain => anstyle::Style::new(),
            Self::Quiet => anstyle::Style::new().effects(Effects::DIMMED),
            Self::Strong => anstyle::Style::new().effects(Effects::BOLD),
            Self::Good => AnsiColor::Green.on_default(),
            Self::Odd => AnsiColor::Yellow.on_default(),
            Self::Bad => AnsiColor::Red.on_default(),
        }
    }
}
