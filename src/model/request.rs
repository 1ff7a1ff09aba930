//! A request of the upload protocol.

use std::num::NonZeroU64;
use std::ops::Deref;
use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::exchange::Body;
use super::odd::Odd;
use super::text::Text;
use crate::at::{At, Span};
use crate::bits::fields::ContentRange;
use crate::rare::{Absent, Rare};

/// A request of the upload protocol ([MC-BUP] 2.2.2, 2.2.4, 2.2.6, 2.2.8, 2.2.10).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Request {
    /// Its frames.
    #[serde(flatten)]
    pub span: Span,
    /// The method as written.
    pub method: Text,
    /// The request target as written, save for passwords and tokens, which are `***`.
    pub target: Text,
    /// 0 for HTTP/1.0, 1 for HTTP/1.1.
    pub minor_version: u8,
    /// `Host`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<Text>,
    /// `User-Agent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<Text>,
    /// `BITS-Packet-Type` as written; its whole name where the capture ends within it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packet_type: Option<Text>,
    /// `BITS-Session-Id` as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<Text>,
    /// `BITS-Supported-Protocols` as written; several lines as one, with commas between them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supported_protocols: Option<Text>,
    /// `Content-Name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_name: Option<Text>,
    /// `Content-Range`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_range: Option<ContentRange>,
    /// `Content-Length`, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_length: Option<u64>,
    /// The body.
    pub body: Body,
    /// Length of the longest header value, in bytes; Windows servers take 4,096 ([MC-BUP] 2.2.1).
    pub longest_value: u64,
    /// The next byte of the server, counted from 1 on the connection, that the client waited for when it asked; `None`
    /// where a hole held the request back until that was unknown.
    #[serde(skip)]
    pub awaits: Option<NonZeroU64>,
    /// What few requests have.
    #[serde(flatten, skip_serializing_if = "Rare::is_none")]
    pub rare: Rare<RareRequest>,
}

impl Request {
    /// Whether the capture lacks the end of its head: fields may be missing.
    pub fn is_cut(&self) -> bool {
        self.odd.contains(&Odd::Cut)
    }

    /// Bytes of the body that had come when it was answered, or the server had closed its side.
    pub fn bytes_in_time(&self) -> u64 {
        self.body.bytes.saturating_sub(self.late.map_or(0, |late| late.bytes))
    }

    /// The last frame of what had come by then.
    pub fn last_in_time(&self) -> At {
        self.late.map_or(self.span.last, |late| late.after)
    }

    /// Whether bytes of the body were lacking by then; those that only the capture lacks had come.
    pub fn lacks_body_in_time(&self) -> bool {
        let open = !self.body.complete || self.late.is_some();
        open && self.content_length.is_some_and(|length| self.bytes_in_time() < length)
    }

    /// So many bytes of the body come too late; its span does not have them yet.
    pub(crate) fn add_late(&mut self, bytes: u64) {
        let after = self.span.last;
        self.rare.edit().late.get_or_insert(Late { bytes: 0, after }).bytes += bytes;
    }

    /// More of the body comes in a frame that its span does not have yet.
    #[inline(always)]
    pub(crate) fn note_pause(&mut self, at: &At) {
        let pause = at.time.since(self.span.last.time);
        if pause >= LEAST_PAUSE_NANOS {
            let longest = &mut self.rare.edit().pause_nanos;
            *longest = pause.max(*longest);
        }
    }

    /// Whether the target is a whole URL: only proxies are asked so (RFC 9112 3.2.2).
    pub fn is_for_proxy(&self) -> bool {
        let scheme = "http://";
        self.target.get(..scheme.len()).is_some_and(|front| front.eq_ignore_ascii_case(scheme))
    }
}

/// Pauses within a body that are remembered, in nanoseconds: timers of servers are of whole seconds.
pub(crate) const LEAST_PAUSE_NANOS: i64 = 950_000_000;

/// What of a body came behind the answer, or behind the end of the server's side: nothing became of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Late {
    /// How many bytes.
    pub bytes: u64,
    /// The last frame before them.
    pub after: At,
}

/// What few requests have.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RareRequest {
    /// `X-Http-Method-Override`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method_override: Option<String>,
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
    /// What the first bytes of the file are, as a media type; for a body that holds the start of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_type: Option<String>,
    /// Name of the field with the longest value, where that is longer than 4,096 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub long_field: Option<String>,
    /// Requests may be missing right before it: the capture has a hole there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub after_gap: bool,
    /// What of its body came too late.
    #[serde(skip)]
    pub late: Option<Late>,
    /// The longest pause within its body, in nanoseconds, from about a second on.
    #[serde(skip)]
    pub pause_nanos: i64,
    /// Lines that repeat a field of which a message can have but one, as `Name: value`; the first is what counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub repeated: Vec<String>,
    /// Oddities of the head that were tolerated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub odd: Vec<Odd>,
}

impl Deref for Request {
    type Target = RareRequest;

    fn deref(&self) -> &RareRequest {
        &self.rare
    }
}

impl Absent for RareRequest {
    fn none() -> &'static Self {
        static NONE: LazyLock<RareRequest> = LazyLock::new(RareRequest::default);
        &NONE
    }
}
