//! The packets of the BITS upload protocol ([MC-BUP] 2.2).

pub mod decode;
pub mod fields;
pub mod hresult;
mod names;
pub mod protocol;
mod rare;
pub mod secrets;
pub mod words;

use std::fmt;

use crate::model::Text;

pub(crate) use rare::ntlm;

/// The value of `BITS-Packet-Type` ([MC-BUP] 2.2.1.2), compared without case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PacketType {
    /// Asks for a session; carries the protocols on offer.
    CreateSession,
    /// Proves that a host answers, settles authentication.
    Ping,
    /// Carries bytes of the file.
    Fragment,
    /// All is delivered: finish and clean up.
    CloseSession,
    /// Drop it.
    CancelSession,
    /// Any answer of a BITS server.
    Ack,
    /// Another value, as written.
    Other(Text),
    /// The header is missing, or the request that would hold it.
    Unknown,
}

/// What the user agent of the client of Windows begins with; its version follows.
pub const AGENT: &str = "Microsoft BITS/";

impl PacketType {
    /// Reads a header value.
    pub fn parse(value: &str) -> Self {
        let mut all = REQUESTS.into_iter().chain([Self::Ack]);
        let known = all.find(|known| known.name().eq_ignore_ascii_case(value));
        known.unwrap_or_else(|| Self::Other(value.into()))
    }

    /// The type of a request whose name begins so, where there is but one.
    pub fn begun(start: &str) -> Option<Self> {
        let begins = |kind: &Self| {
            let front = kind.name().get(..start.len());
            front.is_some_and(|front| front.eq_ignore_ascii_case(start))
        };
        let mut all = REQUESTS.into_iter().filter(begins);
        all.next().filter(|_| all.next().is_none())
    }

    /// Whether it is a Fragment, or may be one that the capture lacks.
    pub(crate) const fn may_be_fragment(&self) -> bool {
        matches!(self, Self::Fragment | Self::Unknown)
    }

    /// Whether it may come before there is a session.
    pub(crate) const fn precedes_session(&self) -> bool {
        matches!(self, Self::CreateSession | Self::Ping)
    }

    /// The name in the spelling of Windows.
    pub fn name(&self) -> &str {
        match self {
            Self::CreateSession => "Create-Session",
            Self::Ping => "Ping",
            Self::Fragment => "Fragment",
            Self::CloseSession => "Close-Session",
            Self::CancelSession => "Cancel-Session",
            Self::Ack => "Ack",
            Self::Other(raw) => raw,
            Self::Unknown => "unknown",
        }
    }
}

/// The types that requests have.
const REQUESTS: [PacketType; 5] = [
    PacketType::CreateSession,
    PacketType::Ping,
    PacketType::Fragment,
    PacketType::CloseSession,
    PacketType::CancelSession,
];

/// What it is called in a sentence.
impl fmt::Display for PacketType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Self::Unknown { "unknown request" } else { self.name() })
    }
}

impl serde::Serialize for PacketType {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> serde::Deserialize<'de> for PacketType {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = std::borrow::Cow::<str>::deserialize(deserializer)?;
        Ok(if name == "unknown" { Self::Unknown } else { Self::parse(&name) })
    }
}

impl schemars::JsonSchema for PacketType {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "PacketType".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "Create-Session, Ping, Fragment, Close-Session, Cancel-Session, Ack, the raw value when it is none of these, or `unknown`"
        })
    }
}
