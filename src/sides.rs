//! Connections of which the capture has one direction only.

use std::net::IpAddr;

use hashbrown::HashSet;

use crate::stream::Connection;

/// Pairs of hosts that are remembered.
const KEPT: usize = 4_096;

/// Two hosts, in order.
type Pair = (IpAddr, IpAddr);

/// How many connections have one direction only.
#[derive(Debug, Default)]
pub struct Sides {
    one_sided: u64,
    /// The hosts of those that may be the rest of a connection from before the capture.
    rests: Vec<Pair>,
    /// Hosts that were seen to talk both ways.
    both: HashSet<Pair>,
}

impl Sides {
    /// Takes a connection that is over.
    pub fn add(&mut self, connection: &Connection) {
        let pair = pair(connection);
        if !connection.is_one_sided() {
            let talks = connection.client_side.packets > 0 && connection.server_side.packets > 0;
            if talks && self.both.len() < KEPT {
                self.both.insert(pair);
            }
        } else if is_rest(connection) && self.rests.len() < KEPT {
            self.rests.push(pair);
        } else {
            self.one_sided += 1;
        }
    }

    /// How many there are. One segment that nobody answers, between hosts that are seen both ways on another
    /// connection, is repeated from before the capture, and its receiver has gone.
    pub fn one_sided(&self) -> u64 {
        let rests = self.rests.iter().filter(|pair| !self.both.contains(*pair)).count();
        self.one_sided + rests as u64
    }
}

fn pair(connection: &Connection) -> Pair {
    let (client, server) = (connection.client.ip(), connection.server.ip());
    (client.min(server), client.max(server))
}

/// Whether it is but one segment, be it several times, of a connection whose start was not captured.
fn is_rest(connection: &Connection) -> bool {
    [&connection.client_side, &connection.server_side].iter().all(|side| {
        let fresh = side.payload_bytes.saturating_sub(side.retransmitted_bytes);
        connection.midstream && fresh <= u64::from(side.longest)
    })
}
