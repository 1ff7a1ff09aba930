//! Everything that one analysis found.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Attempt, Lookup, Session, TlsConnection};
use crate::at::{At, Span};
use crate::capture::Input;
use crate::rare::is_default;
use crate::rules::Finding;

/// The document of `bitsleuth sessions --json`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// Always `bitsleuth.report`.
    pub schema: String,
    /// Semantic version of this form: additions are minor, renames and removals major.
    pub schema_version: String,
    /// What made it.
    pub tool: Tool,
    /// The inputs.
    pub captures: Vec<Input>,
    /// The uploads, in the order in which they began.
    pub sessions: Vec<Session>,
    /// How many uploads there are beside those, which were not asked for.
    #[serde(skip)]
    pub unasked: usize,
    /// Connections that never came about; those that look like anybody's, not only of uploads.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Attempt>,
    /// What is known of TLS, connection by connection, in the order in which they ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tls_connections: Vec<TlsConnection>,
    /// Names that could not be resolved; as the attempts, anybody's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lookups: Vec<Lookup>,
    /// GET and HEAD requests with the User-Agent of BITS ([MC-BUP] 4.2), for downloads or the reply of an upload-reply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub downloads: Option<Counted>,
    /// What BITS servers told the applications behind them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notifications: Option<Notifications>,
    /// What the rules found about connections and the capture as a whole.
    pub findings: Vec<Finding>,
    /// What was passed over or lost, counted.
    pub quality: Quality,
}

impl Report {
    /// Leaves only the uploads that are asked for.
    pub fn retain(&mut self, asked: impl FnMut(&Session) -> bool) {
        let all = self.sessions.len();
        self.sessions.retain(asked);
        self.unasked += all - self.sessions.len();
    }

    /// How many frames were read, and how many of them a filter left out.
    pub(crate) fn frames(&self) -> (u64, u64) {
        let sum = |of: fn(&Input) -> u64| self.captures.iter().map(of).sum();
        (sum(|input| input.frames), sum(|input| input.filtered_frames))
    }
}

/// The program that made a report.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// Requests of which no more is told than that they are there.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Counted {
    /// How many.
    pub requests: u64,
    /// Where the first one begins.
    pub first_frame: u64,
    /// Where the last one ends.
    pub last_frame: u64,
}

impl Counted {
    /// Counts a request of these frames in.
    pub(crate) fn count(counted: &mut Option<Self>, span: &Span) {
        let (first_frame, last_frame) = (span.first.frame, span.last.frame);
        let all = counted.get_or_insert(Self { requests: 0, first_frame, last_frame });
        all.requests += 1;
        all.first_frame = all.first_frame.min(first_frame);
        all.last_frame = all.last_frame.max(last_frame);
    }
}

/// Requests of BITS servers to the applications behind them ([MC-BUP] 2.2.12), also those of the uploads, which tell
/// more of them.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Notifications {
    /// How many, and where.
    #[serde(flatten)]
    pub counted: Counted,
    /// The highest status of the answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worst_http_status: Option<u16>,
}

/// What was passed over or lost, counted.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Quality {
    /// TCP connections seen.
    pub connections: u64,
    /// Frames that hold nothing for this program, by reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub skipped: BTreeMap<String, u64>,
    /// Bytes of TCP streams that were acknowledged but not captured in time.
    pub lost_bytes: u64,
    /// Of these, bytes that stand in the capture, but so much later that they were no longer waited for.
    #[serde(default, skip_serializing_if = "is_default")]
    pub late_bytes: u64,
    /// Connections forgotten early to stay under the cap.
    #[serde(default, skip_serializing_if = "is_default")]
    pub connections_forgotten: u64,
    /// Closed connections forgotten before their time to stay under the cap: a late repeat of theirs would count as a
    /// connection of its own.
    #[serde(default, skip_serializing_if = "is_default")]
    pub closed_forgotten: u64,
    /// Bytes of TCP streams that may have come later, but were no longer waited for, to stay under the caps on what is
    /// held out of order.
    #[serde(default, skip_serializing_if = "is_default")]
    pub bytes_given_up: u64,
    /// Datagrams of which IP fragments were forgotten early to stay under the cap.
    #[serde(default, skip_serializing_if = "is_default")]
    pub datagrams_forgotten: u64,
    /// Exchanges of uploads that were only counted, to stay under the caps on those of one session and of all.
    #[serde(default, skip_serializing_if = "is_default")]
    pub exchanges_omitted: u64,
    /// Findings of one rule in one session, or in the whole, beyond the cap.
    #[serde(default, skip_serializing_if = "is_default")]
    pub findings_omitted: u64,
    /// Connections with TLS whose bytes were no longer kept for keys to turn up, to stay under the cap.
    #[serde(default, skip_serializing_if = "is_default")]
    pub tls_given_up: u64,
    /// Sessions that were not over but given up to stay under the cap, the one that was idle for longest first.
    #[serde(default, skip_serializing_if = "is_default")]
    pub sessions_forgotten: u64,
    /// Messages left out because they came for a session that was over, after its connections were.
    #[serde(default, skip_serializing_if = "is_default")]
    pub late_messages: u64,
    /// Failed attempts to connect that were only counted, to stay under the cap.
    #[serde(default, skip_serializing_if = "is_default")]
    pub attempts_omitted: u64,
    /// Connections with TLS left out of `tls_connections`, to stay under the cap.
    #[serde(default, skip_serializing_if = "is_default")]
    pub tls_omitted: u64,
    /// Failed look-ups of names that were only counted, to stay under the cap.
    #[serde(default, skip_serializing_if = "is_default")]
    pub lookups_omitted: u64,
    /// Connections with data of one side and no packet of the other; without those that are one segment from before the
    /// capture, between hosts that were seen both ways.
    #[serde(default, skip_serializing_if = "is_default")]
    pub one_sided: u64,
    /// Frames that a mirror port delivered twice.
    #[serde(default, skip_serializing_if = "is_default")]
    pub duplicate_frames: u64,
    /// Frames of an input that are dated a second or more before the one in front of them.
    #[serde(default, skip_serializing_if = "is_default")]
    pub times_back: u64,
    /// The first of them.
    #[serde(skip)]
    pub first_back: Option<At>,
    /// By how many seconds the largest step went back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most_back_seconds: Option<f64>,
    /// Connections with TLS that could not be decrypted.
    #[serde(default, skip_serializing_if = "is_default")]
    pub tls_opaque: u64,
}
