//! Tunnels that were refused.

use super::{Door, Exchange};

/// A tunnel that a proxy refused.
#[derive(Clone, Debug, PartialEq)]
pub struct RefusedTunnel {
    /// The first CONNECT that was refused so, with its answer.
    pub exchange: Exchange,
    /// How often it was refused.
    pub tries: u64,
    /// Whether the connection of the first of them was closed after it.
    pub is_over: bool,
}

impl RefusedTunnel {
    /// Whether credentials were asked for, and the client gave none.
    pub fn wants_credentials(&self) -> bool {
        Door::Proxy.stopped(&self.exchange) && !self.refuses_credentials()
    }

    /// Whether credentials were given, and are not good enough.
    pub fn refuses_credentials(&self) -> bool {
        Door::Proxy.refused(&self.exchange)
    }

    /// The status that refused it.
    pub fn status(&self) -> u16 {
        self.exchange.response.as_ref().map_or(0, |response| response.http_status)
    }
}
