//! Names that could not be resolved.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::at::Span;

/// Look-ups of one name by one client that failed in the same way, and that no success followed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Lookup {
    /// Who asked.
    pub client: IpAddr,
    /// For what, in lower case without the dot at the end.
    pub name: String,
    /// What came of it.
    pub failure: Failure,
    /// Questions asked.
    pub tries: u64,
    /// The frames of all of them, and of their answers.
    #[serde(flatten)]
    pub span: Span,
    /// The frames of the first question.
    #[serde(skip)]
    pub first: Span,
}

/// How a look-up failed (RFC 1035 4.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Failure {
    /// The name does not exist (NXDOMAIN).
    NoSuchName,
    /// The name server failed (SERVFAIL).
    ServerFailed,
    /// The name server would not tell (REFUSED).
    Refused,
    /// No answer came, though the question was repeated and other answers were captured.
    Unanswered,
}

impl Failure {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::NoSuchName, Self::ServerFailed, Self::Refused, Self::Unanswered];

    /// The words for it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::NoSuchName => "the name does not exist (NXDOMAIN)",
            Self::ServerFailed => "the name server failed (SERVFAIL)",
            Self::Refused => "the name server refused",
            Self::Unanswered => "no name server answered",
        }
    }
}
