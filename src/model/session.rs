//! One upload as far as one session id goes.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::index::Index;
use super::negotiation::Negotiation;
use super::notification::Notification;
use super::outcome::Outcome;
use super::qualifier::Qualifier;
use super::response::Response;
use super::{Exchange, Text, url};
use crate::at::{Numbered, Span, Timestamp};
use crate::rare::is_default;
use crate::rules::{Diagnosis, Finding};
use crate::stream::Connection;

/// One upload session: a fold over its exchanges.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Session {
    /// The session id as first written on the wire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Text>,
    /// How it ended.
    pub outcome: Outcome,
    /// What qualifies the outcome.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outcome_qualifiers: Vec<Qualifier>,
    /// The start was not captured: the first thing seen is not Create-Session.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub joined: bool,
    /// Who uploads.
    pub client: Client,
    /// Where the session was created, or first seen.
    pub server: Server,
    /// Scheme, host and path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<Text>,
    /// `User-Agent` of the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<Text>,
    /// `Content-Name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_name: Option<Text>,
    /// How the protocol was agreed; absent where no Create-Session nor its answer was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub negotiation: Option<Negotiation>,
    /// `BITS-Host-Id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_id: Option<String>,
    /// `BITS-Host-Id-Fallback-Timeout`, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_id_fallback_timeout_seconds: Option<u64>,
    /// `BITS-Reply-URL` as written, but for credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_url: Option<String>,
    /// How the reply was fetched, where a fetch was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<Reply>,
    /// What the server was seen to tell the application behind it of this upload.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notifications: Vec<Notification>,
    /// Every Fragment request in the order of sending, repeats included.
    pub fragments: Vec<Fragment>,
    /// Length of the file, from the first Content-Range that was not refused; where all were, from the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_total: Option<u64>,
    /// Bytes of Fragment bodies on the wire, repeats included.
    pub bytes_sent: u64,
    /// Bytes that were sent at least once, by their offsets; more than `bytes_total` where Fragments reach beyond that.
    pub bytes_unique: u64,
    /// How far the server has confirmed the file: its last word on a Fragment. Of a server that fills holes, how much
    /// it has confirmed.
    pub bytes_acknowledged: u64,
    /// The file, as far as it can be put together from the capture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<File>,
    /// The error it ended on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<SessionError>,
    /// Time of its earliest frame: its first one, unless the clock went back.
    pub started: Timestamp,
    /// Time of its latest frame.
    pub ended: Timestamp,
    /// From the earliest to the latest frame.
    pub duration_seconds: f64,
    /// The session that carries the same upload on after this one was lost; only where it began before this one was
    /// given up (28 days without a message, or too many open sessions).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superseded_by: Option<Text>,
    /// Why it went wrong; absent for a session that is healthy, cancelled, or merely cut by the capture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diagnosis: Option<Diagnosis>,
    /// What the rules found, the worst first.
    #[serde(default)]
    pub findings: Vec<Finding>,
    /// The TCP connections it used, by their ids, for the rules; other sessions may have used them, too.
    #[serde(skip)]
    pub connections: Vec<Arc<Connection>>,
    /// What was said, in order.
    pub exchanges: Vec<Exchange>,
    /// Exchanges left out to stay within the limits.
    #[serde(default, skip_serializing_if = "is_default")]
    pub exchanges_omitted: u64,
    /// Requests behind its last one may be among what the capture lacks.
    #[serde(skip)]
    pub(crate) lacks_end: bool,
    /// Bytes of requests, perhaps of it, that the capture lacks on other connections of its client and server.
    #[serde(skip)]
    pub(crate) lacks_beside: u64,
    /// Bytes that its exchanges take, about.
    #[serde(skip)]
    pub weight: u64,
    /// What was found of it so far.
    #[serde(skip)]
    pub(crate) index: Index,
}

/// How long, in seconds, a client waits for an answer ([MC-BUP] 3.1.2.2).
pub(crate) const CLIENT_WAITS_SECS: f64 = 300.0;

/// How long, in seconds, a client waits by default before it tries again after an error.
pub(crate) const RETRY_SECS: f64 = 600.0;

/// A request of BITS takes so many bytes at least.
pub(crate) const LEAST_REQUEST: u64 = 160;

/// A client that answers a challenge does so at once; after this time, in seconds, it has not.
pub(crate) const CREDENTIALS_SECS: f64 = 1.0;

impl Session {
    /// What it is known by: its URL, else the path in it, else its id.
    pub fn name(&self) -> Option<&str> {
        self.url_or_path().or(self.id.as_deref())
    }

    /// Its URL; its path alone where the capture lacks the host.
    pub fn url_or_path(&self) -> Option<&str> {
        let requests = || self.exchanges.iter().filter_map(|exchange| exchange.request.as_ref());
        let path = || requests().map(url::path_of).find(|path| path.starts_with('/'));
        self.url.as_deref().or_else(path)
    }

    /// Whether this qualifies its outcome.
    pub(crate) fn is(&self, qualifier: Qualifier) -> bool {
        self.outcome_qualifiers.contains(&qualifier)
    }

    /// All its frames; `None` for one without exchanges.
    pub fn span(&self) -> Option<Span> {
        Exchange::span_of(&self.exchanges)
    }

    /// Time of its last frame: earlier than its end, where the clock went back.
    pub(crate) fn last_seen(&self) -> Timestamp {
        self.span().map_or(self.ended, |span| span.last.time)
    }

    /// By what sessions are ordered in a report: when they began, and in which frame.
    pub fn order(&self) -> (Timestamp, u64) {
        (self.started, self.span().map_or(0, |span| span.first.frame))
    }

    /// Gives room back that was for more to come, and for what was to be found of it.
    pub(crate) fn slim(&mut self) {
        self.exchanges.shrink_to_fit();
        self.fragments.shrink_to_fit();
        self.findings.shrink_to_fit();
        self.index = Index::default();
    }

    /// Bytes that it takes beside its exchanges, about.
    pub(crate) fn size(&self) -> u64 {
        let findings: usize = self.findings.iter().map(Finding::size).sum();
        let diagnosis = self.diagnosis.as_ref().map_or(0, Diagnosis::size);
        (size_of::<Self>() + size_of_val(&*self.fragments) + findings + diagnosis) as u64
    }

    /// The facts of its TCP connections, by their ids.
    pub fn connections(&self) -> impl DoubleEndedIterator<Item = &Connection> + Clone {
        self.connections.iter().map(Arc::as_ref)
    }

    /// A TCP connection by its place, to be changed.
    #[cfg(test)]
    pub(crate) fn connection_mut(&mut self, place: usize) -> &mut Connection {
        Arc::make_mut(&mut self.connections[place])
    }

    /// The facts of one of its TCP connections.
    pub fn connection(&self, id: u64) -> Option<&Connection> {
        let place = self.connections.binary_search_by_key(&id, |connection| connection.id).ok()?;
        self.connections.get(place).map(Arc::as_ref)
    }

    /// The first of its connections that began behind a frame.
    pub(crate) fn begun_after(&self, frame: u64) -> Option<&Connection> {
        // Connections are numbered by their first frames.
        let place = self.connections.partition_point(|connection| connection.first.frame <= frame);
        self.connections.get(place).map(Arc::as_ref)
    }
}

/// The uploading side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Client {
    /// Its address.
    pub address: IpAddr,
}

/// The receiving side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Server {
    /// Its address, or that of the proxy in front of it.
    pub address: IpAddr,
    /// Its port.
    pub port: u16,
    /// The host that the client named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<Text>,
}

impl Server {
    /// Its address with its port.
    pub const fn socket(&self) -> SocketAddr {
        SocketAddr::new(self.address, self.port)
    }
}

impl From<SocketAddr> for Server {
    fn from(at: SocketAddr) -> Self {
        Self { address: at.ip(), port: at.port(), host: None }
    }
}

/// The fetch of the reply of an upload-reply session ([MC-BUP] 1.3.3).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reply {
    /// The first request for it.
    #[serde(flatten)]
    pub request: Span,
    /// Whether that is a HEAD, which fetches nothing.
    #[serde(skip)]
    pub head: bool,
    /// Whether that or a later one is a GET.
    #[serde(skip)]
    pub get: bool,
    /// Status of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    /// The answer, for the rules.
    #[serde(skip)]
    pub response: Option<Box<Response>>,
}

impl Reply {
    /// Whether it was answered with some of the reply.
    pub(crate) fn is_fetched(&self) -> bool {
        matches!(self.http_status, Some(200..=299))
    }

    /// Whether it was asked for before an exchange began.
    pub(crate) fn is_ahead_of(&self, exchange: &Exchange) -> bool {
        self.request.first.frame < exchange.span().first.frame
    }
}

/// One Fragment request and what became of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fragment {
    /// First byte.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<u64>,
    /// Last byte, included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<u64>,
    /// Length of the file, as it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// Status of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    /// Next byte that the server wants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_offset: Option<u64>,
    /// First frame of the request.
    #[schemars(with = "u64")]
    pub request_frame: Numbered,
    /// First frame of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<u64>")]
    pub response_frame: Option<Numbered>,
}

/// The uploaded file as the capture holds it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct File {
    /// Its length in bytes.
    pub size: u64,
    /// SHA-256 in lower-case hexadecimal; only when asked for, every byte was seen, and it is clear which copies of
    /// bytes sent twice the server took. A Fragment that was refused before it was whole leaves that open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Whether every byte was seen.
    pub whole: bool,
    /// What was not. Of very many holes in one Fragment, some are joined with what was seen between them.
    pub missing: Vec<Missing>,
}

/// Bytes of the file that the capture lacks, or has behind the reset of a connection only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Missing {
    /// First byte.
    pub start: u64,
    /// Last byte, included.
    pub end: u64,
}

/// The error a session ended on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SessionError {
    /// Status of the response.
    pub http_status: u16,
    /// The code as `0x` and eight upper-case digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hresult: Option<String>,
    /// Its symbolic name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub symbol: Option<String>,
    /// `BITS-Error-Context` as written: 0x5 is the server, 0x7 the application behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// First frame of the response.
    #[schemars(with = "u64")]
    pub frame: Numbered,
}
