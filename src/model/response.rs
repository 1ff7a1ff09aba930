//! A response of the upload protocol, or to one of its requests.

use std::ops::Deref;
use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::exchange::Body;
use super::odd::Odd;
use super::origin::Origin;
use super::text::Text;
use crate::at::Span;
use crate::bits::fields::{self, Notation};
use crate::bits::hresult::SESSION_NOT_FOUND;
use crate::rare::{Absent, Rare};

/// A response ([MC-BUP] 2.2.3, 2.2.5, 2.2.7, 2.2.9, 2.2.11).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Response {
    /// Its frames.
    #[serde(flatten)]
    pub span: Span,
    /// The status.
    pub http_status: u16,
    /// The reason phrase.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub reason: Text,
    /// 0 for HTTP/1.0, 1 for HTTP/1.1.
    pub minor_version: u8,
    /// `BITS-Packet-Type` as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packet_type: Option<Text>,
    /// `BITS-Protocol`: the GUID chosen, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Text>,
    /// `BITS-Session-Id` as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<Text>,
    /// `BITS-Received-Content-Range`: the next byte wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_offset: Option<u64>,
    /// `Accept-Encoding`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accept_encoding: Option<Text>,
    /// `Server`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<Text>,
    /// `Content-Length`, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_length: Option<u64>,
    /// `Connection`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<Text>,
    /// `Content-Type`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<Text>,
    /// `Date`, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<Text>,
    /// Who gave this response, judged by its fields and the start of its body alone; `answered_by` of the diagnosis goes
    /// by what came before it as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_by: Option<Origin>,
    /// The body.
    pub body: Body,
    /// What few responses have.
    #[serde(flatten, skip_serializing_if = "Rare::is_none")]
    pub rare: Rare<RareResponse>,
}

/// The fallback time-out that never ends ([MC-BUP] 3.1.2.3).
const NEVER: u64 = 0xFFFF_FFFF;

/// Letters shown of a time-out that is no number.
const RAW: usize = 40;

/// What few responses have.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RareResponse {
    /// `BITS-Host-Id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_id: Option<String>,
    /// `BITS-Host-Id-Fallback-Timeout`, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_id_fallback_timeout_seconds: Option<u64>,
    /// `BITS-Host-Id-Fallback-Timeout` as written, where it is not just a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_id_fallback_timeout_raw: Option<String>,
    /// `BITS-Received-Content-Range` as written, where it is not just a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_offset_raw: Option<String>,
    /// `BITS-Reply-URL`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_url: Option<String>,
    /// `BITS-Error`, or `BITS-Error-Code`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorCode>,
    /// `BITS-Error-Context`, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_context: Option<String>,
    /// `Via`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
    /// Fields that proxies add, as `Name: value`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hops: Vec<String>,
    /// All values of `Content-Length` as written, where they differ or are no numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub content_length_raw: Vec<String>,
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
    /// Schemes of `WWW-Authenticate` and `Proxy-Authenticate`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub challenges: Vec<String>,
    /// Whether one of them carries the NTLM challenge, message 2 ([MS-NLMP] 2.2.1.2).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ntlm_challenge: bool,
    /// The first bytes of the body as text: they name the box that answered.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub body_start: String,
    /// What of it the request had said, as a page repeats the URL that was asked for: in lower case.
    #[serde(skip)]
    pub echoes: Vec<String>,
    /// Lines that repeat a field of which a message can have but one, as `Name: value`; the first is what counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub repeated: Vec<String>,
    /// Oddities of the head that were tolerated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub odd: Vec<Odd>,
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
        self.packet_type.as_deref().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("ack"))
    }

    /// Whether the capture lacks the end of the head: fields may be missing.
    pub fn is_cut(&self) -> bool {
        self.odd.contains(&Odd::Cut)
    }

    /// What a proxy itself says of the error, in a field like `X-Squid-Error`.
    pub(crate) fn own_error(&self) -> Option<&str> {
        let mut fields = self.hops.iter().filter_map(|hop| hop.split_once(": "));
        fields.find(|(name, _)| name.ends_with("-Error")).map(|(_, error)| error)
    }

    /// The start of the body in lower case, without what it repeats of the request: that tells nothing of who wrote it.
    pub(crate) fn own_words(&self) -> String {
        let words = self.body_start.to_ascii_lowercase();
        self.echoes.iter().fold(words, |words, echo| words.replace(echo, " "))
    }

    /// Any status of success; a server sends 200 or 201 ([MC-BUP] 2.2.1.2 and the packet pages).
    pub fn is_success(&self) -> bool {
        matches!(self.http_status, 200..=299)
    }

    /// Whether it announces the end of the connection, behind which its server reads no more (RFC 9112 9.6).
    pub(crate) fn announces_close(&self) -> bool {
        let mut options = self.connection.as_deref().unwrap_or_default().split(',');
        options.any(|option| option.trim().eq_ignore_ascii_case("close"))
    }

    /// Whether it turns the request down, and not for want of credentials.
    pub(crate) fn refuses(&self) -> bool {
        !self.is_success() && !self.is_challenge()
    }

    /// A success that says what packet it is: of BITS, not a page of something else.
    pub(crate) fn accepts(&self) -> bool {
        self.is_success() && self.packet_type.is_some()
    }

    /// Whether its status tells how far the file got: the server took a Fragment, or names the byte that it wants.
    pub(crate) const fn tells_offset(&self) -> bool {
        matches!(self.http_status, 200 | 201 | 416)
    }

    /// Whether a gateway gave it that got no answer itself (RFC 9110 15.6.3, 15.6.5; of Cloudflare's numbers from 520
    /// on): what became of the request is unknown.
    pub(crate) fn is_of_gateway(&self) -> bool {
        matches!(self.http_status, 502 | 504 | 520..=524 | 598 | 599) && !self.is_ack()
    }

    /// 401 or 407: an authentication round. An application behind the server that answers so asks the client for
    /// nothing.
    pub fn is_challenge(&self) -> bool {
        let asks = || !self.challenges.is_empty() || !self.is_of_application();
        matches!(self.http_status, 401 | 407) && asks()
    }

    /// Whether an error was the application's behind the server ([MC-BUP] 2.2.1.2, context 7).
    pub(crate) fn is_of_application(&self) -> bool {
        let context = self.error_context.as_deref().and_then(fields::hresult);
        context.is_some_and(|(value, _)| value == 7)
    }

    /// After how long without the host of BITS-Host-Id a client goes back to the first one, in words: `110 s`, `never`,
    /// or what is no number as written; `None` where nothing is said of it.
    pub(crate) fn fallback_in_words(&self) -> Option<String> {
        match (self.host_id_fallback_timeout_seconds, &self.host_id_fallback_timeout_raw) {
            (Some(NEVER), _) => Some("never".to_owned()),
            (Some(secs), _) => Some(format!("{secs} s")),
            (None, raw) => raw.as_ref().map(|raw| match raw.char_indices().nth(RAW) {
                Some((end, _)) => format!("{:?}...", raw.get(..end).unwrap_or_default()),
                None => format!("{raw:?}"),
            }),
        }
    }

    /// Whether it says when a client may go back to the URL of the job.
    pub(crate) fn falls_back(&self) -> bool {
        self.host_id_fallback_timeout_seconds.is_some_and(|secs| secs != NEVER)
    }

    /// The error code, where one was given and is not zero. One on a success counts for nothing: the status decides.
    pub fn error_value(&self) -> Option<u32> {
        self.error_sent().filter(|_| !self.is_success())
    }

    /// The error code as [`error_value`](Self::error_value), whatever the status.
    pub(crate) fn error_sent(&self) -> Option<u32> {
        self.error.as_ref()?.value.filter(|value| *value != 0)
    }

    /// Whether it says that the session is unknown.
    pub(crate) fn says_lost(&self) -> bool {
        self.error_value() == Some(SESSION_NOT_FOUND)
    }
}

impl Deref for Response {
    type Target = RareResponse;

    fn deref(&self) -> &RareResponse {
        &self.rare
    }
}

impl Absent for RareResponse {
    fn none() -> &'static Self {
        static NONE: LazyLock<RareResponse> = LazyLock::new(RareResponse::default);
        &NONE
    }
}
