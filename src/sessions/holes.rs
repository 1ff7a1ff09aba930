//! Connections of which the capture lacks requests: those may be of an upload that goes on beside them, on another
//! connection between the same client and server.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use crate::at::Timestamp;
use crate::model::Session;
use crate::model::exchange::Exchange;
use crate::model::session::LEAST_REQUEST;
use crate::stream::Connection;

/// Pairs of a client and a server that are remembered, the latest ones.
const PAIRS: usize = 4_096;

/// Connections that are remembered of each, the latest ones.
const OF_PAIR: usize = 16;

type Pair = (IpAddr, SocketAddr);

/// The latest connections that lack requests.
#[derive(Default)]
pub(super) struct Holes {
    between: HashMap<Pair, VecDeque<Hole>, RandomState>,
    order: VecDeque<Pair>,
}

/// What the capture lacks of one.
struct Hole {
    connection: u64,
    first: Timestamp,
    last: Timestamp,
    bytes: u64,
}

impl Holes {
    /// Remembers a connection that is over and lacks so many bytes of the client, be they of requests or of what is in them.
    pub fn add(&mut self, connection: &Connection, bytes: u64) {
        if bytes < LEAST_REQUEST {
            return;
        }
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
        own.push_back(Hole { connection: connection.id, first, last, bytes });
    }

    /// Bytes that the capture lacks beside a session: on other connections than that of its last exchange, in its time.
    pub fn beside(&self, session: &Session) -> u64 {
        let (Some(first), Some(last)) = (session.exchanges.first(), session.exchanges.last())
        else {
            return 0;
        };
        let fits = |hole: &&Hole| {
            hole.connection != last.connection
                && hole.first <= session.ended
                && hole.last >= session.started
        };
        let lost = |one: &Exchange| {
            let all = self.between.get(&(one.client.ip(), one.server)).into_iter().flatten();
            all.filter(fits).map(|hole| hole.bytes).sum::<u64>()
        };
        let moved = (first.client.ip(), first.server) != (last.client.ip(), last.server);
        lost(last) + if moved { lost(first) } else { 0 }
    }
}
