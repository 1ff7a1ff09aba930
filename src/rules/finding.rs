//! What rules say.

use std::cell::Cell;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::origin::Origin;
use super::{Rule, named};
use crate::at::{At, Span};
use crate::model::Text;

/// How much a finding matters.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth telling; normal or informational.
    Note,
    /// Cost, risk, or a failure that was made good.
    Warning,
    /// The upload failed, or will.
    Error,
}

impl Severity {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// How sure a finding is.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// One explanation among several.
    Possible,
    /// The best explanation of what was seen.
    Likely,
    /// It was on the wire.
    #[default]
    Certain,
}

impl Confidence {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Possible => "possible",
            Self::Likely => "likely",
            Self::Certain => "certain",
        }
    }
}

/// What one rule found in one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// The rule's id.
    pub rule: Text,
    /// How much it matters.
    pub severity: Severity,
    /// How sure it is.
    pub confidence: Confidence,
    /// What was found, with its numbers.
    pub message: String,
    /// The frames that prove it, counted over all inputs.
    pub frames: Vec<u64>,
    /// The frames with their times; of several inputs, as people look them up: `2:14` is frame 14 of the second.
    #[serde(
        rename = "frame_labels",
        serialize_with = "labels",
        skip_serializing_if = "are_of_one_input",
        skip_deserializing
    )]
    #[schemars(with = "Vec<String>")]
    pub proof: Vec<At>,
    /// The input that it is about, from 0, where no frame tells.
    #[serde(skip)]
    pub input: Option<u32>,
    /// The clause it rests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Text>,
    /// What to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<Text>,
    /// What would confirm it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm: Option<Text>,
    /// Who can do something about it.
    #[serde(skip)]
    pub answerable: Option<Text>,
    /// The error code that the client's BITS log will show, where it follows from what was found.
    #[serde(skip)]
    pub client_code: Option<u32>,
}

impl Finding {
    /// Its frames for people: `frame 7`, `frames 7, 9`, `frames 2:7, 2:9` where there are several inputs. Of very many,
    /// the first.
    pub fn frames_in_words(&self) -> Option<String> {
        frames_in_words(&self.proof)
    }

    /// Bytes that it takes, about: most of its texts are those of its rule.
    pub(crate) fn size(&self) -> usize {
        size_of::<Self>() + self.message.len() + self.frames.len() * (8 + size_of::<At>())
    }

    /// Names who can do something about it, where the rule's word does not fit.
    pub(super) fn turn_to(&mut self, who: impl Into<Text>) -> &mut Self {
        self.answerable = Some(who.into());
        self
    }

    /// Says what to do, where the rule's advice does not fit.
    pub(super) fn advise(&mut self, what: impl Into<Text>) -> &mut Self {
        self.advice = Some(what.into());
        self
    }

    /// Says what would confirm it, where the rule's word does not fit.
    pub(super) fn confirm_by(&mut self, what: impl Into<Text>) -> &mut Self {
        self.confirm = Some(what.into());
        self
    }

    /// Whether it only serves those who hunt for attacks: it is true of many healthy uploads, so that it would drown
    /// what matters to everybody else.
    pub fn is_hint(&self) -> bool {
        let of_security = || named(&self.rule).is_some_and(|rule| rule.family() == "security");
        self.severity == Severity::Note && of_security()
    }
}

/// Frames that are named one by one.
const NAMED: usize = 8;

/// Frames for people, the first of very many; `None` where there are none.
pub(crate) fn frames_in_words<'a>(frames: impl IntoIterator<Item = &'a At>) -> Option<String> {
    let mut frames = frames.into_iter();
    let labels: Vec<String> = frames.by_ref().take(NAMED).map(At::name).collect();
    let more = match frames.count() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    match &labels[..] {
        [] => None,
        [one] => Some(format!("frame {one}")),
        _ => Some(format!("frames {}{more}", labels.join(", "))),
    }
}

fn labels<S: serde::Serializer>(proof: &[At], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(proof.iter().filter_map(At::label))
}

fn are_of_one_input(proof: &[At]) -> bool {
    proof.iter().all(|at| at.label().is_none())
}

/// Why an upload went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Diagnosis {
    /// The rule whose finding explains it best.
    pub cause: String,
    /// How sure that finding is.
    pub confidence: Confidence,
    /// The other rules that bear on it.
    pub contributing: Vec<String>,
    /// Who gave the decisive answer, in view of the whole session.
    pub answered_by: Origin,
    /// Who can do something about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answerable: Option<Text>,
    /// What they should do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<Text>,
    /// What would confirm it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm: Option<Text>,
    /// The error code that the client's BITS log will show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_error: Option<String>,
    /// What that log says of it: symbol and meaning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_log: Option<String>,
    /// The cause in one sentence.
    pub summary: String,
    /// The frames that prove it.
    pub frames: Vec<u64>,
}

impl Diagnosis {
    /// Bytes that it takes beside itself, about: most of its texts are those of its rule.
    pub(crate) fn size(&self) -> usize {
        let own = [&self.client_error, &self.client_log].into_iter().flatten().map(String::len);
        let names = self.contributing.len() * 2 * size_of::<String>();
        own.sum::<usize>() + names + self.summary.len() + self.frames.len() * 8
    }
}

/// Takes the findings of one rule.
pub struct Notes<'a> {
    pub(super) rule: &'static Rule,
    pub(super) cap: usize,
    pub(super) omitted: &'a Cell<u64>,
    pub(super) findings: &'a mut Vec<Finding>,
}

impl Notes<'_> {
    /// The severity that the rule has by itself.
    pub const fn severity(&self) -> Severity {
        self.rule.severity
    }

    /// Notes something certain.
    pub fn add(&mut self, span: Span, message: impl Into<String>) {
        self.note(self.rule.severity, Confidence::Certain, &[span], message);
    }

    /// Notes something that best explains what was seen.
    pub fn likely(&mut self, span: Span, message: impl Into<String>) {
        self.note(self.rule.severity, Confidence::Likely, &[span], message);
    }

    /// Notes something certain about the input of this number, from 0, that no frame shows; what is returned may be
    /// added to, and is absent beyond the cap.
    pub fn of_input(&mut self, input: usize, message: impl Into<String>) -> Option<&mut Finding> {
        let finding = self.note(self.rule.severity, Confidence::Certain, &[], message)?;
        finding.input = u32::try_from(input).ok();
        Some(finding)
    }

    /// Notes something with all its circumstances; what is returned may be added to, and is absent beyond the cap.
    pub fn note(
        &mut self,
        severity: Severity,
        confidence: Confidence,
        spans: &[Span],
        message: impl Into<String>,
    ) -> Option<&mut Finding> {
        if self.cap == 0 {
            self.omitted.set(self.omitted.get() + 1);
            return None;
        }
        self.cap -= 1;
        let mut proof: Vec<At> = Vec::with_capacity(spans.len() * 2);
        let ends = spans.iter().flat_map(|span| [span.first, span.last]);
        proof.extend(ends.filter(|at| at.frame > 0));
        proof.sort_unstable_by_key(|at| at.frame);
        proof.dedup_by_key(|at| at.frame);
        let read = &self.rule.read;
        self.findings.push(Finding {
            rule: read.id.clone(),
            severity,
            confidence,
            message: message.into(),
            frames: proof.iter().map(|at| at.frame).collect(),
            proof,
            input: None,
            reference: read.reference.clone(),
            advice: read.advice.clone(),
            confirm: read.confirm.clone(),
            answerable: read.answerable.clone(),
            client_code: None,
        });
        self.findings.last_mut()
    }
}
