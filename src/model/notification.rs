//! What a BITS server tells the application behind it of an upload ([MC-BUP] 1.3.3, 3.3).

use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Exchange;
use crate::at::Span;

/// A request of a BITS server to the application behind it ([MC-BUP] 2.2.12), and the answer (2.2.13).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Notification {
    /// The server, as a client of the application.
    pub server: SocketAddr,
    /// The application.
    pub application: SocketAddr,
    /// The frames of the head of the request.
    pub request: Span,
    /// `BITS-Original-Request-URL`: where the upload went.
    pub original_url: String,
    /// How the file is handed over.
    pub mode: Mode,
    /// `BITS-Request-DataFile-Name`: where the file is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_path: Option<String>,
    /// `BITS-Response-DataFile-Name`: where the reply is to be put.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_path: Option<String>,
    /// The session that these paths name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// The frames of the head of the answer, unless the capture lacks it or none came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<Span>,
    /// Its status: all but 200 are errors of the application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    /// `BITS-Static-Response-URL`: what the client is to fetch in place of a reply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub static_reply_url: Option<String>,
    /// Whether there is a `BITS-Copy-File-To-Destination`, without which the file is not kept there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub copy_to_destination: bool,
}

/// How a notification hands over the file ([MC-BUP] 2.2.12.2, 2.2.12.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// By its path.
    ByReference,
    /// As the body of the request.
    ByValue,
    /// Neither is seen.
    Unknown,
}

impl Notification {
    /// Whether the server sent it while an exchange waited for its answer.
    pub(crate) fn is_within(&self, exchange: &Exchange) -> bool {
        let span = exchange.span();
        (span.first.time..=span.last.time).contains(&self.request.first.time)
    }

    /// What became of it, to be put behind what is told of the upload.
    pub(crate) fn in_words(&self) -> String {
        let asked = format!("; the server's POST to the application at {}", self.application);
        match self.response.zip(self.http_status) {
            Some((span, status)) => {
                let secs = span.first.time.secs_since(self.request.last.time);
                format!("{asked} was answered {status} after {secs:.1} s")
            }
            None => format!("{asked} was not answered"),
        }
    }
}
