//! What servers answer to ordinary requests: whether a refusal is about the verb or about everything.

use std::net::SocketAddr;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use crate::at::At;
use crate::http::Head;

/// Servers remembered.
const SERVERS: usize = 4_096;

/// What servers answered to ordinary requests.
#[derive(Clone, Debug, Default)]
pub struct Web(HashMap<SocketAddr, Answers, RandomState>);

/// The first answers of a server that tell something.
#[derive(Clone, Copy, Debug, Default)]
struct Answers {
    success: Option<At>,
    named: Option<At>,
}

impl Web {
    /// Notes the answer to an ordinary request.
    pub(super) fn answered(&mut self, server: SocketAddr, status: u16, head: &Head<'_>, at: At) {
        let mut answers = self.0.get(&server).copied().unwrap_or_default();
        if matches!(status, 200..=299 | 304) {
            answers.success.get_or_insert(at);
        }
        if answers.named.is_none() && is_named(head) {
            answers.named = Some(at);
        }
        let tells = answers.success.or(answers.named).is_some();
        if tells && (self.0.len() < SERVERS || self.0.contains_key(&server)) {
            self.0.insert(server, answers);
        }
    }

    /// The first success of a server with an ordinary request.
    pub fn success(&self, server: SocketAddr) -> Option<At> {
        self.0.get(&server)?.success
    }

    /// The first answer of a server that always gives its name, or that came through a hop which does.
    pub fn named(&self, server: SocketAddr) -> Option<At> {
        self.0.get(&server)?.named
    }
}

/// Whether it is from IIS or http.sys, which put their names to errors as well, or passed a hop that names itself.
fn is_named(head: &Head<'_>) -> bool {
    let microsoft = |server: &[u8]| {
        server.get(..MICROSOFT.len()).is_some_and(|front| front.eq_ignore_ascii_case(MICROSOFT))
    };
    head.field("Via").is_some() || head.field("Server").is_some_and(microsoft)
}

/// What the names of Microsoft's servers begin with.
const MICROSOFT: &[u8] = b"Microsoft-";
