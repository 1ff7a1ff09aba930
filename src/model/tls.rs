//! TLS, connection by connection.

use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::at::Timestamp;
use crate::stream::Connection;
use crate::tls::Facts;

/// A connection with TLS.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TlsConnection {
    /// Number of the TCP connection.
    pub connection: u64,
    /// Who opened it.
    pub client: SocketAddr,
    /// Who accepted it; a proxy, where the TLS is in a tunnel.
    pub server: SocketAddr,
    /// When it was first seen.
    pub started: Timestamp,
    /// When it was last seen.
    pub ended: Timestamp,
    /// The rest.
    #[serde(flatten)]
    pub tls: Facts,
}

impl TlsConnection {
    /// That of a TCP connection, if there is TLS in it.
    pub fn of(connection: &Connection) -> Option<Self> {
        let tls = connection.tls.as_deref()?.clone();
        let Connection { id, client, server, started, ended, .. } = *connection;
        Some(Self { connection: id, client, server, started, ended, tls })
    }
}
