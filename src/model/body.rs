//! What was seen of the body of a message.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::at::Timestamp;
use crate::http::End;
use crate::rare::{Absent, Rare, is_default};

/// What was seen of a message body, in bytes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Body {
    /// Bytes that crossed the wire.
    pub bytes: u64,
    /// When the first of them came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Timestamp>,
    /// Of its bytes, those that the capture lacks.
    #[serde(flatten, skip_serializing_if = "Rare::is_none")]
    pub lacks: Rare<Lacks>,
    /// The message was seen to its end.
    pub complete: bool,
    /// The connection was reset before its end.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reset: bool,
}

/// Bytes of a body that the capture lacks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Lacks {
    /// How many.
    #[serde(default, skip_serializing_if = "is_default")]
    pub uncaptured: u64,
    /// Where. Of very many holes, some are joined with what was seen between them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holes: Vec<Hole>,
}

/// A run of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hole {
    /// Offset within the body.
    pub offset: u64,
    /// How many.
    pub bytes: u64,
}

impl Body {
    /// Notes how it ended.
    pub(crate) fn end(&mut self, why: End) {
        self.complete = why == End::Complete;
        self.reset = why == End::Reset;
    }
}

impl Absent for Lacks {
    fn none() -> &'static Self {
        static NONE: Lacks = Lacks { uncaptured: 0, holes: Vec::new() };
        &NONE
    }
}
