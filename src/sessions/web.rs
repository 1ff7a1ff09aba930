//! What servers answer to ordinary requests: whether a refusal is about the verb or about everything.

use std::net::SocketAddr;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use crate::at::At;

/// Servers remembered.
const SERVERS: usize = 4_096;

/// Which servers answered an ordinary request with success.
#[derive(Clone, Debug, Default)]
pub struct Web(HashMap<SocketAddr, At, RandomState>);

impl Web {
    /// Notes the answer to an ordinary request.
    pub(super) fn answered(&mut self, server: SocketAddr, status: u16, at: At) {
        let success = matches!(status, 200..=299 | 304);
        if success && (self.0.len() < SERVERS || self.0.contains_key(&server)) {
            self.0.entry(server).or_insert(at);
        }
    }

    /// The first success of a server with an ordinary request.
    pub fn success(&self, server: SocketAddr) -> Option<At> {
        self.0.get(&server).copied()
    }
}
