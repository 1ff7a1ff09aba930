//! What stands behind an outcome.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What qualifies an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Qualifier {
    /// The last request of the upload was sent; its answer was not seen.
    Unconfirmed,
    /// A repeated Close-Session met an unknown session: the first one must have gone through. Or the capture lacks
    /// something between the last Fragment seen and the Close-Session that was accepted: the last bytes can be there.
    Likely,
    /// It was cancelled when the server had every byte, so the file may exist.
    AfterLastByte,
    /// Close-Session was accepted although bytes are missing.
    ClosedShort,
    /// The error is one after which the client tries again, and the capture ends before it must have: by default after
    /// 600 s.
    MayRecover,
    /// The answers were not captured: nothing tells how it ended.
    HalfSeen,
    /// The last request has no answer, and its connection or its time is over.
    Interrupted,
    /// The capture ends on a request whose client may still wait for the answer, or on an answer that asks for
    /// credentials that may still come.
    CaptureEnded,
    /// All requests are answered, and no end was seen.
    IdleAtEnd,
    /// The last answer asks for credentials.
    Authentication,
    /// The server no longer knows the session.
    Lost,
    /// The snap length cut every message before it shows what it is: nothing tells whether a session was opened.
    HeadsCut,
}

impl Qualifier {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unconfirmed => "unconfirmed",
            Self::Likely => "likely",
            Self::AfterLastByte => "after-last-byte",
            Self::ClosedShort => "closed-short",
            Self::MayRecover => "may-recover",
            Self::HalfSeen => "half-seen",
            Self::Interrupted => "interrupted",
            Self::CaptureEnded => "capture-ended",
            Self::IdleAtEnd => "idle-at-end",
            Self::Authentication => "authentication",
            Self::Lost => "lost",
            Self::HeadsCut => "heads-cut",
        }
    }
}
