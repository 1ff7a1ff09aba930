//! What the head of a message has that it should not.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An oddity of a head that was tolerated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Odd {
    /// Lines end in LF alone.
    BareLf,
    /// A field goes on in the next line (RFC 9112 5.2).
    Folded,
    /// It holds NUL bytes.
    Nul,
    /// It holds other control characters; they were replaced.
    Control,
    /// Some lines are no field; they were left out.
    BadLines,
    /// Several values of Content-Length differ, or one stands beside chunked (RFC 9112 6.3).
    ContradictoryLength,
    /// Another version than HTTP/1.0 and 1.1, or none.
    Version,
    /// A field is there more than once of which a message can have but one.
    Repeated,
    /// `BITS-Package-Type`, as the specification misprints it, in place of `BITS-Packet-Type`.
    PackageType,
    /// The capture lacks its end: fields may be missing.
    Cut,
}
