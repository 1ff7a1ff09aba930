//! What was taken out of a capture, as JSON.

use std::net::{IpAddr, SocketAddr};

use schemars::JsonSchema;
use serde::Serialize;

use crate::at::{Span, Timestamp};
use crate::capture::Input;
use crate::model::report::Tool;
use crate::model::{Outcome, Session};

/// The list of all files.
#[derive(Clone, Debug, Serialize)]
pub struct Manifest {
    /// Always `bitsleuth.manifest`.
    pub schema: &'static str,
    /// Semantic version of this form.
    pub schema_version: &'static str,
    /// What made it.
    pub tool: Tool,
    /// The captures that were read, as in the report.
    pub captures: Vec<Input>,
    /// One entry per file, also of those that were not written.
    pub files: Vec<Entry>,
}

/// One file of an upload.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// Its name beside the manifest, ours and not the wire's; absent where it was not written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Why it was not written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// Which way it went.
    pub kind: Kind,
    /// How sure its content is.
    pub proof: Proof,
    /// What keeps it from being proven.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<Doubt>,
    /// Its length in bytes, as announced.
    pub size: u64,
    /// SHA-256 in lower-case hexadecimal, as the other two only where no byte is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// SHA-1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha1: Option<String>,
    /// MD5.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub md5: Option<String>,
    /// What its first bytes say it is.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub media: Option<Media>,
    /// Every byte of it, in order.
    pub coverage: Vec<Cover>,
    /// Bytes that were sent twice with differing content, and the server may have either; the file has the likelier
    /// copy: the first that the server took, else the first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<Part>,
    /// Where it is from.
    #[serde(flatten)]
    pub source: Source,
}

impl Entry {
    /// One of which nothing but its length is known.
    pub(super) const fn new(kind: Kind, size: u64, source: Source) -> Self {
        Self {
            name: None,
            problem: None,
            kind,
            proof: Proof::Unjudged,
            doubts: Vec::new(),
            size,
            sha256: None,
            sha1: None,
            md5: None,
            media: None,
            coverage: Vec::new(),
            conflicts: Vec::new(),
            source,
        }
    }
}

/// The session that a file is from.
#[derive(Clone, Debug, Serialize)]
pub struct Source {
    /// Place of the session in the selection, from 1.
    pub session: u64,
    /// Its id as first written on the wire.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// Where the client put the file, or got the reply from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// `Content-Name`: the client's name for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_name: Option<String>,
    /// Who uploaded.
    pub client: IpAddr,
    /// To whom.
    pub server: SocketAddr,
    /// When the session began.
    pub started: Timestamp,
    /// First and last frame of each message whose body went in, counted over all inputs.
    pub frames: Vec<[u64; 2]>,
    /// The frames as people look them up, where there are several inputs: `2:14` is frame 14 of the second.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub frame_labels: Vec<[String; 2]>,
}

impl Source {
    /// With the messages whose bodies went in.
    pub(super) fn of_frames(&mut self, spans: &[Span]) {
        self.frames = spans.iter().map(|span| span.frames()).collect();
        self.frame_labels = spans.iter().filter_map(|span| span.labels()).collect();
    }

    /// A session by its place in the selection, and the URL of its file.
    pub(super) fn of(place: u64, session: &Session, url: Option<String>) -> Self {
        Self {
            session: place,
            session_id: session.id.clone().map(String::from),
            outcome: session.outcome,
            url,
            content_name: session.content_name.clone().map(String::from),
            client: session.client.address,
            server: session.server.socket(),
            started: session.started,
            frames: Vec::new(),
            frame_labels: Vec::new(),
        }
    }
}

/// Which way a file went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// To the server.
    Upload,
    /// Back, as the reply of an upload-reply session ([MC-BUP] 1.3.3).
    Reply,
}

/// How sure the content of a file is. Even a proven one tells what was sent, not what was stored: the protocol has no
/// checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// Every byte was captured from a message that was accepted, copies agree, and the server confirmed the whole.
    WholeProven,
    /// Every byte was captured, without all of that.
    WholeSent,
    /// Every byte was captured, some of them twice with differing content.
    Conflicting,
    /// Every byte was captured with the help of earlier attempts at the same upload.
    Mixed,
    /// Bytes are missing.
    Partial,
    /// It was not put together, for the reason that is given.
    Unjudged,
}

impl Proof {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::WholeProven => "whole-proven",
            Self::WholeSent => "whole-sent",
            Self::Conflicting => "conflicting",
            Self::Mixed => "mixed",
            Self::Partial => "partial",
            Self::Unjudged => "unjudged",
        }
    }
}

/// What keeps a whole file from being proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Doubt {
    /// The server did not confirm the last byte, nor Close-Session.
    Unconfirmed,
    /// Bytes that the server refused or no longer has, or that no answer to was seen, had to be taken.
    NotAccepted,
    /// Fragments name different lengths of the file.
    TotalChanged,
    /// A Content-Range is invalid, or contradicts the length of its body.
    RangeInvalid,
    /// Content-Encoding: the bytes are not the file's own.
    Encoded,
    /// The digest that was computed while the bytes passed is another one.
    OtherDigest,
    /// A capture that it is from was compressed, and is damaged.
    CaptureCorrupt,
}

/// A run of bytes of a file and what is known about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Cover {
    /// Which bytes.
    #[serde(flatten)]
    pub part: Part,
    /// What is known.
    pub state: State,
}

/// A run of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// First byte.
    pub start: u64,
    /// Last byte, included.
    pub end: u64,
}

/// What is known about bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Captured, and their message was accepted.
    Acknowledged,
    /// Captured; no answer was seen.
    Sent,
    /// Captured; the server refused their message, or said later that it has not got them.
    Refused,
    /// Captured in an earlier attempt at the same upload.
    Earlier,
    /// Announced, but the capture lacks them.
    Announced,
    /// Not seen at all.
    Missing,
}

/// A type by magic bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Media {
    /// As `application/zip`.
    pub mime: String,
    /// Without dot, as `zip`.
    pub extension: String,
}
