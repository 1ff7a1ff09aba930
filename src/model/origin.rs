//! The kinds of those who answer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who gave an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// A BITS server: only those set `BITS-Packet-Type: Ack`. One that has done so may answer without it.
    BitsServer,
    /// IIS, before its BITS extension was asked.
    Iis,
    /// The kernel's HTTP driver, before IIS was asked.
    HttpSys,
    /// A proxy, gateway or load balancer.
    Proxy,
    /// A web application firewall.
    Waf,
    /// A web server that is not known to be one of these.
    WebServer,
    /// Whoever it was: the capture ends within the head of the answer.
    Unknown,
    /// Nobody.
    Nobody,
}

impl Origin {
    /// The words for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BitsServer => "the BITS server",
            Self::Iis => "IIS (before BITS)",
            Self::HttpSys => "http.sys (before IIS)",
            Self::Proxy => "a proxy",
            Self::Waf => "a web application firewall",
            Self::WebServer => "a web server",
            Self::Unknown => "someone whose answer is cut off",
            Self::Nobody => "nobody",
        }
    }
}
