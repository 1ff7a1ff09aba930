//! One request with its answer, complete in itself: who, when, which frames, every field decoded.

use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::address;
use crate::at::{Span, Timestamp};
use crate::bits::PacketType;
use crate::bits::fields::{ContentRange, Notation};
use crate::rules::origin::Origin;
use crate::stream::Side;

/// One request of the upload protocol with its answer; a session is a fold over these.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Exchange {
    /// The type of the request; `unknown` where only the answer was seen.
    #[serde(rename = "type")]
    pub kind: PacketType,
    /// Which TCP connection, counted over the capture from 1.
    pub connection: u64,
    /// Who asked.
    #[serde(serialize_with = "address::serialize")]
    pub client: SocketAddr,
    /// Who was asked.
    #[serde(serialize_with = "address::serialize")]
    pub server: SocketAddr,
    /// Carried inside TLS.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tls: bool,
    /// Carried inside a tunnel that CONNECT opened through a proxy (RFC 9110 9.3.6).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tunnel: bool,
    /// The request, unless the capture lacks it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Request>,
    /// The final response, unless the capture lacks it or none came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<Response>,
    /// Interim responses before it (1xx).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub interim: Vec<u16>,
    /// When the first interim response came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interim_at: Option<Timestamp>,
    /// Bytes after either message that belong to no message; the first four runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stray: Vec<Stray>,
    /// Tied to its session by client, host, URL and time, not by an id ([MC-BUP] 2.2.4.2 has none on Ping).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub inferred: bool,
}

/// A request of the upload protocol ([MC-BUP] 2.2.2, 2.2.4, 2.2.6, 2.2.8, 2.2.10).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Request {
    /// Its frames.
    #[serde(flatten)]
    pub span: Span,
    /// The method as written.
    pub method: String,
    /// `X-Http-Method-Override`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method_override: Option<String>,
    /// The request target as written, save for passwords and tokens, which are `***`.
    pub target: String,
    /// 0 for HTTP/1.0, 1 for HTTP/1.1.
    pub minor_version: u8,
    /// `Host`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// `User-Agent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// `BITS-Packet-Type` as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packet_type: Option<String>,
    /// `BITS-Session-Id` as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// `BITS-Supported-Protocols` as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supported_protocols: Option<String>,
    /// `Content-Name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_name: Option<String>,
    /// `Content-Range`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_range: Option<ContentRange>,
    /// `Content-Length`, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_length: Option<u64>,
    /// All values of `Content-Length` as written, where they differ or are no numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub content_length_raw: Vec<String>,
    /// `Content-Encoding`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_encoding: Option<String>,
    /// `Transfer-Encoding`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transfer_encoding: Option<String>,
    /// Scheme of `Authorization`, never its value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization: Option<String>,
    /// Scheme of `Proxy-Authorization`, never its value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy_authorization: Option<String>,
    /// User name of Basic credentials, never the password (RFC 7617 2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Which NTLM message the credentials carry, 1 or 3 ([MS-NLMP] 2.2.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ntlm: Option<u8>,
    /// `Expect`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<String>,
    /// `Via`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
    /// Fields that proxies add, as `Name: value`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hops: Vec<String>,
    /// The body.
    pub body: Body,
    /// What the first bytes of the file are, as a media type; for a body that holds the start of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_type: Option<String>,
    /// Length of the longest header value, in bytes; Windows servers take 4,096 ([MC-BUP] 2.2.1).
    pub longest_value: u64,
    /// Name of the field that holds it, where it is longer than that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub long_field: Option<String>,
    /// Oddities of the head that were tolerated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub odd: Vec<String>,
}

/// A response ([MC-BUP] 2.2.3, 2.2.5, 2.2.7, 2.2.9, 2.2.11).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Response {
    /// Its frames.
    #[serde(flatten)]
    pub span: Span,
    /// The status.
    pub http_status: u16,
    /// The reason phrase.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// 0 for HTTP/1.0, 1 for HTTP/1.1.
    pub minor_version: u8,
    /// `BITS-Packet-Type` as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packet_type: Option<String>,
    /// `BITS-Protocol`: the GUID chosen, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// `BITS-Session-Id` as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// `BITS-Host-Id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_id: Option<String>,
    /// `BITS-Host-Id-Fallback-Timeout`, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_id_fallback_timeout_seconds: Option<u64>,
    /// `BITS-Received-Content-Range`: the next byte wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_offset: Option<u64>,
    /// `BITS-Received-Content-Range` as written, where it is not just a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_offset_raw: Option<String>,
    /// `BITS-Reply-URL`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_url: Option<String>,
    /// `BITS-Error` or its alias.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorCode>,
    /// `BITS-Error-Context` or its alias, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_context: Option<String>,
    /// `Accept-Encoding`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accept_encoding: Option<String>,
    /// `Server`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// `Via`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
    /// Fields that proxies add, as `Name: value`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hops: Vec<String>,
    /// `Content-Length`, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_length: Option<u64>,
    /// All values of `Content-Length` as written, where they differ or are no numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub content_length_raw: Vec<String>,
    /// `Connection`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// `Retry-After`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<String>,
    /// `DAV` (RFC 4918 10.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dav: Option<String>,
    /// Names of the cookies that were set: load balancers use them for affinity.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cookies: Vec<String>,
    /// `Location`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// `Allow`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow: Option<String>,
    /// `Content-Type`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// `Date`, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// Schemes of `WWW-Authenticate` and `Proxy-Authenticate`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub challenges: Vec<String>,
    /// Whether one of them carries the NTLM challenge, message 2 ([MS-NLMP] 2.2.1.2).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ntlm_challenge: bool,
    /// Who gave this response, judged by its fields and the start of its body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_by: Option<Origin>,
    /// The body.
    pub body: Body,
    /// The first bytes of the body as text: they name the box that answered.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub body_start: String,
    /// Oddities of the head that were tolerated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub odd: Vec<String>,
}

/// Bytes that belong to no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Stray {
    /// Who sent them.
    pub side: Side,
    /// The frame they begin in.
    pub frame: u64,
    /// How many.
    pub bytes: u64,
}

/// What was seen of a message body, in bytes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Body {
    /// Bytes that crossed the wire.
    pub bytes: u64,
    /// When the first of them came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Timestamp>,
    /// Of these, bytes that the capture lacks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holes: Vec<Hole>,
    /// The message was seen to its end.
    pub complete: bool,
    /// The connection was reset before its end.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reset: bool,
}

/// Bytes of a body that the capture lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hole {
    /// Offset within the body.
    pub offset: u64,
    /// How many.
    pub bytes: u64,
}

/// An error code of the wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ErrorCode {
    /// The header that held it, as written.
    pub header: String,
    /// The value as written.
    pub raw: String,
    /// The code, where it can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<u32>,
    /// How it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notation: Option<Notation>,
}

impl Response {
    /// Whether a BITS server gave it: only those set `BITS-Packet-Type: Ack`.
    pub fn is_ack(&self) -> bool {
        let is = |kind: &str| kind == "Ack" || kind.trim().eq_ignore_ascii_case("ack");
        self.packet_type.as_deref().is_some_and(is)
    }

    /// Whether the capture lacks the end of the head: fields may be missing.
    pub fn is_cut(&self) -> bool {
        self.odd.iter().any(|odd| odd == "cut")
    }

    /// 200 or 201: both mean success ([MC-BUP] 2.2.1.2 and the packet pages).
    pub fn is_success(&self) -> bool {
        matches!(self.http_status, 200..=299)
    }

    /// 401 or 407: an authentication round.
    pub fn is_challenge(&self) -> bool {
        matches!(self.http_status, 401 | 407)
    }

    /// The error code, where one was given and is not zero.
    pub fn error_value(&self) -> Option<u32> {
        self.error.as_ref()?.value.filter(|value| *value != 0)
    }
}

impl Exchange {
    /// All its frames.
    pub fn span(&self) -> Span {
        match (&self.request, &self.response) {
            (Some(request), Some(response)) => {
                let mut span = request.span;
                span.cover(response.span);
                span
            }
            (Some(request), None) => request.span,
            (None, Some(response)) => response.span,
            (None, None) => Span::default(),
        }
    }
}
