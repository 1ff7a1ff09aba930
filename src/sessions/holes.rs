//! Connections of which the capture lacks requests: those may be of an upload that goes on beside them, on another
//! connection between the same client and server.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

use hashbrown::HashMap;

use super::open::Number;
use super::{Channel, Sessions};
use crate::at::Timestamp;
use crate::model::Session;
use crate::model::exchange::Exchange;
use crate::model::session::LEAST_REQUEST;
use crate::stream::Connection;

/// Pairs of a client and a server that are remembered, the latest ones.
const PAIRS: usize = 4_096;

/// Connections that are remembered of each, the latest ones.
const OF_PAIR: usize = 16;

/// Sessions of each connection that are asked what they lack, the latest ones.
const OWNERS: usize = 64;

type Pair = (IpAddr, SocketAddr);

/// The latest connections that lack requests.
#[derive(Default)]
pub(super) struct Holes {
    between: HashMap<Pair, VecDeque<Hole>>,
    order: VecDeque<Pair>,
    /// Of open connections, bytes that the capture lacks of bodies of their requests.
    of_bodies: HashMap<u64, u64>,
}

/// What the capture lacks of one.
struct Hole {
    connection: u64,
    first: Timestamp,
    last: Timestamp,
    bytes: u64,
    /// Sessions that spoke there, and show that so many of them are theirs.
    owned: Vec<(Number, u64)>,
}

impl Sessions {
    /// Remembers what the capture lacks of a connection that is over, and on which this was said.
    pub(super) fn note_holes(&mut self, connection: &Connection, channel: Option<&Channel>) {
        let lost = self.holes.take(connection);
        if lost < LEAST_REQUEST {
            return;
        }
        // Of a request without its head the rest is not read, though it was captured.
        let read = channel.filter(|channel| channel.acked > 0 && self.is_answered(channel));
        let unread =
            read.map_or(0, |channel| connection.client_side.sent.saturating_sub(channel.acked));
        let bytes = lost.max(unread);
        let sessions = channel.map_or(&[][..], |channel| &channel.sessions);
        // Nobody knows whose answers alone are.
        let known = |number: &Number| self.open.get(*number).filter(|open| !open.is_headless());
        let owned = sessions.iter().rev().take(OWNERS).filter_map(|number| {
            let bytes = known(number)?.lacks_on(connection.id);
            (bytes > 0).then_some((*number, bytes))
        });
        let owned = owned.collect();
        self.holes.add(connection, bytes, owned);
    }
}

impl Holes {
    /// Counts bytes that the capture lacks of the body of a request: no other one is among them.
    pub fn add_of_body(&mut self, connection: u64, bytes: u64) {
        let all = self.of_bodies.entry(connection).or_default();
        *all = all.saturating_add(bytes);
    }

    /// Bytes of requests that the capture lacks of a connection that is over.
    fn take(&mut self, connection: &Connection) -> u64 {
        let of_bodies = self.of_bodies.remove(&connection.id).unwrap_or(0);
        connection.client_side.lost_by_capture.saturating_sub(of_bodies)
    }

    /// Remembers a connection that is over and lacks so many bytes of requests, some of them `owned` by sessions.
    fn add(&mut self, connection: &Connection, bytes: u64, owned: Vec<(Number, u64)>) {
        let pair = (connection.client.ip(), connection.server);
        if !self.between.contains_key(&pair) {
            if self.order.len() >= PAIRS
                && let Some(oldest) = self.order.pop_front()
            {
                self.between.remove(&oldest);
            }
            self.order.push_back(pair);
        }
        let own = self.between.entry(pair).or_default();
        if own.len() >= OF_PAIR {
            own.pop_front();
        }
        let (first, last) = (connection.started, connection.ended);
        own.push_back(Hole { connection: connection.id, first, last, bytes, owned });
    }

    /// Bytes that the capture lacks beside a session, and that no other one shows to be its own: on other connections
    /// than that of its last exchange, in its time.
    pub fn beside(&self, number: Number, session: &Session) -> u64 {
        let (Some(first), Some(last)) = (session.exchanges.first(), session.exchanges.last())
        else {
            return 0;
        };
        let fits = |hole: &&Hole| {
            hole.connection != last.connection
                && hole.first <= session.ended
                && hole.last >= session.started
        };
        let free = |hole: &Hole| {
            let others = hole.owned.iter().filter(|(owner, _)| *owner != number);
            others.fold(hole.bytes, |left, (_, bytes)| left.saturating_sub(*bytes))
        };
        let lacks = |one: &Exchange| {
            let all = self.between.get(&(one.client.ip(), one.server)).into_iter().flatten();
            all.filter(fits).map(free).sum::<u64>()
        };
        let moved = (first.client.ip(), first.server) != (last.client.ip(), last.server);
        lacks(last) + if moved { lacks(first) } else { 0 }
    }
}
