//! Where and when: every decoded fact carries the frames that prove it.

mod timestamp;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::rare::is_default;

pub use timestamp::Timestamp;

/// A frame and its time. Of its numbers, the one over all inputs is serialised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "Seen", into = "Seen")]
pub struct At {
    /// Number of the frame over all inputs, from 1.
    pub frame: u64,
    /// When it was captured.
    pub time: Timestamp,
    /// Which input it came from, from 1; 0 where there is only one.
    pub input: u32,
    /// Its number within that input, from 1.
    pub input_frame: u32,
}

impl At {
    /// The frame's number as people look it up: `14`, or `2:14` for the fourteenth of the second input.
    pub fn name(&self) -> String {
        self.label().unwrap_or_else(|| self.frame.to_string())
    }

    /// Input and number as `2:14`; `None` where there is one input, so that the number alone tells.
    pub fn label(&self) -> Option<String> {
        (self.input > 0).then(|| format!("{}:{}", self.input, self.input_frame))
    }

    /// Which input it came from, from 0.
    pub const fn place(&self) -> u32 {
        self.input.saturating_sub(1)
    }

    /// Its number within its input, where that is another than over all.
    fn own(&self) -> Option<u32> {
        (u64::from(self.input_frame) != self.frame).then_some(self.input_frame)
    }
}

/// A frame and its time.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
struct Seen {
    /// Number of the frame over all inputs, from 1.
    frame: u64,
    /// When it was captured.
    time: Timestamp,
    /// Which input it is in, from 0; absent for the first input.
    #[serde(default, skip_serializing_if = "is_default")]
    capture: u32,
    /// Its number within its input; absent where it equals `frame`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    capture_frame: Option<u32>,
}

impl From<At> for Seen {
    fn from(at: At) -> Self {
        Self { frame: at.frame, time: at.time, capture: at.place(), capture_frame: at.own() }
    }
}

impl From<Seen> for At {
    fn from(Seen { frame, time, capture, capture_frame }: Seen) -> Self {
        let several = capture > 0 || capture_frame.is_some();
        Self {
            frame,
            time,
            input: if several { capture.saturating_add(1) } else { 0 },
            input_frame: capture_frame.unwrap_or_else(|| u32::try_from(frame).unwrap_or(u32::MAX)),
        }
    }
}

/// A frame of which only the number over all inputs is serialised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "u64", into = "u64")]
pub struct Numbered(pub At);

impl From<Numbered> for u64 {
    fn from(Numbered(at): Numbered) -> Self {
        at.frame
    }
}

impl From<u64> for Numbered {
    fn from(frame: u64) -> Self {
        Self(Seen { frame, time: Timestamp::default(), capture: 0, capture_frame: None }.into())
    }
}

impl JsonSchema for At {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        Seen::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Seen::json_schema(generator)
    }
}

/// The frames between which something happened, both included.
///
/// After reordering frame 3 can come before frame 2: a span grows by minimum and maximum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "Frames", into = "Frames")]
pub struct Span {
    /// The earliest frame.
    pub first: At,
    /// The latest frame.
    pub last: At,
}

impl Span {
    /// The span of one frame.
    pub const fn at(at: At) -> Self {
        Self { first: at, last: at }
    }

    /// The numbers of the first and the last frame over all inputs.
    pub const fn frames(self) -> [u64; 2] {
        [self.first.frame, self.last.frame]
    }

    /// Both as [`At::label`] has them, where there are several inputs.
    pub fn labels(self) -> Option<[String; 2]> {
        Some([self.first.label()?, self.last.label()?])
    }

    /// Whether the frame of `at` is the first, the last, or between them.
    pub const fn has(self, at: At) -> bool {
        self.first.frame <= at.frame && at.frame <= self.last.frame
    }

    /// Takes `at` in.
    #[inline(always)]
    pub fn extend(&mut self, at: At) {
        if at.frame < self.first.frame {
            self.first = at;
        }
        if at.frame > self.last.frame {
            self.last = at;
        }
    }

    /// Whether both were going on at some time.
    pub fn meets(self, other: Self) -> bool {
        self.first.time <= other.last.time && other.first.time <= self.last.time
    }

    /// Takes all of `other` in.
    pub fn cover(&mut self, other: Self) {
        self.extend(other.first);
        self.extend(other.last);
    }
}

/// How a span is serialised.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
struct Frames {
    /// Number of the first frame, counted over all inputs from 1.
    first_frame: u64,
    /// Number of the last frame.
    last_frame: u64,
    /// Time of the first frame.
    time: Timestamp,
    /// Time of the last frame.
    ended: Timestamp,
    /// Which input the first frame is in, from 0; absent for the first input.
    #[serde(default, skip_serializing_if = "is_default")]
    capture: u32,
    /// Number of the first frame within its input; absent where it equals `first_frame`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    capture_frame: Option<u32>,
}

impl From<Span> for Frames {
    fn from(span: Span) -> Self {
        let Span { first, last } = span;
        Self {
            first_frame: first.frame,
            last_frame: last.frame,
            time: first.time,
            ended: last.time,
            capture: first.place(),
            capture_frame: first.own(),
        }
    }
}

impl From<Frames> for Span {
    fn from(frames: Frames) -> Self {
        let Frames { first_frame: frame, time, capture, capture_frame, .. } = frames;
        let first = At::from(Seen { frame, time, capture, capture_frame });
        Self { first, last: At { frame: frames.last_frame, time: frames.ended, ..first } }
    }
}

impl JsonSchema for Span {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        Frames::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Frames::json_schema(generator)
    }
}
