//! What all sessions of a capture showed of the capture itself; sessions may be gone when it is judged.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use hashbrown::{HashMap, HashSet};

use crate::at::Span;
use crate::model::host::bare;
use crate::model::{Exchange, RefusedTunnel, Session, TlsConnection};
use crate::rules::look;
use crate::rules::uncaptured::Uncaptured;
use crate::stream::Connection;

/// Clients with their servers, and connections with holes, that are told apart.
const KEPT: usize = 4_096;

/// What the sessions showed.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// How many there were.
    pub sessions: u64,
    /// The first connection of an upload of which one direction is missing.
    pub one_sided: Option<Box<Connection>>,
    /// Bytes of uploads' connections that were acknowledged but not captured.
    pub lost: u64,
    /// The frames of the first such connection; where there is none, of the first other one.
    pub lost_in: Option<Span>,
    /// Bytes of files that servers confirmed and that the capture lacks beside those, with the first proof.
    pub uncaptured: Option<Uncaptured>,
    /// Requests with the verb of BITS that the capture cuts within their first line, and their frames.
    pub beheaded: Option<(u64, Span)>,
    /// Tunnels for BITS that proxies refused to the end.
    pub tunnels: Vec<RefusedTunnel>,
    /// Between which ends each of several inputs has requests and responses, told by a bit each.
    sides: BTreeMap<([SocketAddr; 2], u32), u8>,
    ends: HashSet<(IpAddr, SocketAddr)>,
    ports: HashSet<u16>,
    /// Addresses that uploads went to by themselves, and names of hosts that they went to or were sent to.
    servers: HashSet<IpAddr>,
    hosts: HashSet<String>,
    counted: HashSet<u64>,
    forbidden: HashMap<u64, u16>,
    handshakes: HashSet<u64>,
}

impl Seen {
    /// Takes a session in.
    pub(super) fn add(&mut self, session: &Session) {
        self.sessions += 1;
        if self.ends.len() < KEPT {
            // Most exchanges of a session go where the one before went.
            let runs = session.exchanges.chunk_by(|one, next| one.server == next.server);
            let ends = runs.filter_map(|run| Some((session.client.address, run.first()?.server)));
            self.ends.extend(ends);
            self.ports.insert(session.server.port);
            self.add_hosts(session);
        }
        if self.forbidden.len() < KEPT {
            let open =
                |e: &&Exchange| session.connection(e.connection).is_none_or(|c| c.tls.is_none());
            let forbidden = session.exchanges.iter().filter(open);
            let forbidden = forbidden.filter_map(|e| Some((e.connection, look::forbidden(e)?)));
            self.forbidden.extend(forbidden);
        }
        self.add_sides(session);
        for connection in session.connections() {
            if connection.is_one_sided() {
                self.one_sided.get_or_insert_with(|| Box::new(connection.clone()));
            } else {
                self.add_lost(connection);
            }
        }
    }

    fn add_sides(&mut self, session: &Session) {
        for exchange in &session.exchanges {
            let ends = [exchange.client, exchange.server];
            let request = exchange.request.as_ref().map(|request| (1, request.span));
            let response = exchange.response.as_ref().map(|response| (2, response.span));
            for (side, span) in request.into_iter().chain(response) {
                for input in [span.first.input, span.last.input] {
                    if input > 0 && self.sides.len() < KEPT {
                        *self.sides.entry((ends, input)).or_default() |= side;
                    }
                }
            }
        }
    }

    /// The numbers of the inputs, from 1, that have requests and responses between the same two ends.
    pub fn inputs_of_ends(&self) -> Vec<Vec<u32>> {
        let both = self.sides.iter().filter(|(_, sides)| **sides == 3);
        let both: Vec<_> = both.map(|(key, _)| key).collect();
        let of_ends = both.chunk_by(|(one, _), (next, _)| one == next);
        of_ends.map(|inputs| inputs.iter().map(|(_, input)| *input).collect()).collect()
    }

    fn add_hosts(&mut self, session: &Session) {
        let runs = session.exchanges.chunk_by(|one, next| one.server == next.server);
        let direct = runs.filter_map(|run| run.first().filter(|first| !first.is_by_proxy()));
        let room = KEPT.saturating_sub(self.servers.len());
        self.servers.extend(direct.take(room).map(|exchange| exchange.server.ip()));
        if self.hosts.len() < KEPT {
            let names = [session.server.host.as_deref(), session.host_id.as_deref()];
            self.hosts.extend(names.into_iter().flatten().map(bare));
        }
    }

    /// Takes in the failed handshakes that belong to a session.
    pub(super) fn add_handshakes(&mut self, failed: &[&TlsConnection]) {
        self.handshakes.extend(failed.iter().map(|one| one.connection));
    }

    /// Takes in what the capture lacks of a file.
    pub(super) fn add_uncaptured(&mut self, found: Option<Uncaptured>) {
        let Some(found) = found else { return };
        let all = self.uncaptured.get_or_insert(Uncaptured { bytes: 0, ..found });
        all.bytes = all.bytes.saturating_add(found.bytes);
        all.confidence = all.confidence.max(found.confidence);
    }

    fn add_lost(&mut self, connection: &Connection) {
        let bytes = connection.lost_by_capture();
        if bytes > 0 && self.counted.len() < KEPT && self.counted.insert(connection.id) {
            self.lost = self.lost.saturating_add(bytes);
            self.lost_in = self.lost_in.or_else(|| connection.lost_in());
        }
    }

    /// Whether the client had an upload that talked to the server.
    pub fn talked(&self, client: IpAddr, server: SocketAddr) -> bool {
        self.ends.contains(&(client, server))
    }

    /// Whether a connection went to a host that an upload went to as well, or was sent to.
    pub fn went_to_host_of(&self, connection: &TlsConnection) -> bool {
        let named = |name: &str| self.hosts.contains(&bare(name));
        let address = connection.server.ip();
        self.servers.contains(&address)
            || named(&address.to_string())
            || connection.tls.sni.as_deref().is_some_and(named)
    }

    /// Whether the handshake of this connection failed and belongs to a session.
    pub fn is_of_session(&self, connection: u64) -> bool {
        self.handshakes.contains(&connection)
    }

    /// The status by which requests on this connection were forbidden, where the connection outlived the upload.
    pub fn forbids(&self, connection: u64) -> Option<u16> {
        self.forbidden.get(&connection).copied()
    }

    /// Whether an upload went to this port.
    pub fn has_port(&self, port: u16) -> bool {
        self.ports.contains(&port)
    }
}
