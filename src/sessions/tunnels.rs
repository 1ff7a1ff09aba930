//! Tunnels that BITS asked a proxy for and was refused for want of credentials: what was to go through them is unseen.

use std::collections::VecDeque;

use crate::bits::PacketType;
use crate::http::{Head, Start};
use crate::model::exchange::{Exchange, Request, Response};
use crate::model::rare::Rare;
use crate::stream::Connection;

/// Requests under way, the latest ones, and refused ones that are told.
const KEPT: usize = 64;

/// What its user agent begins with.
const AGENT: &[u8] = b"Microsoft BITS/";

/// The status by which a proxy asks for credentials.
const CHALLENGE: u16 = 407;

/// Tunnels that BITS asked for.
#[derive(Debug, Default)]
pub(super) struct Tunnels {
    asked: VecDeque<(u32, Exchange)>,
    refused: Vec<RefusedTunnel>,
}

/// A tunnel that a proxy refused for want of credentials, and the client gave none.
#[derive(Clone, Debug, PartialEq)]
pub struct RefusedTunnel {
    /// The first CONNECT with its answer.
    pub exchange: Exchange,
    /// How often it was refused.
    pub tries: u64,
}

/// Whether a request is the CONNECT of BITS.
pub(super) fn is_asked(head: &Head<'_>) -> bool {
    let bits = |agent: &[u8]| agent.starts_with(AGENT);
    matches!(head.start, Start::Request { method: "CONNECT", .. })
        && head.field("User-Agent").is_some_and(bits)
}

impl Tunnels {
    /// Notes a request for a tunnel.
    pub fn ask(&mut self, connection: &Connection, number: u32, request: Request) {
        if self.asked.len() >= KEPT {
            self.asked.pop_front();
        }
        let exchange = Exchange {
            kind: PacketType::Unknown,
            connection: connection.id,
            client: connection.client,
            server: connection.server,
            tls: false,
            tunnel: false,
            request: Some(request),
            response: None,
            rare: Rare::default(),
            inferred: false,
        };
        self.asked.push_back((number, exchange));
    }

    /// Whether a response is to a request for a tunnel.
    pub fn is_asked(&self, connection: u64, number: u32) -> bool {
        self.place(connection, number).is_some()
    }

    fn place(&self, connection: u64, number: u32) -> Option<usize> {
        let fits = |(other, exchange): &(u32, Exchange)| {
            exchange.connection == connection && *other == number
        };
        self.asked.iter().position(fits)
    }

    /// Notes the response to a request for a tunnel.
    pub fn answer(&mut self, connection: u64, number: u32, response: Response) {
        let place = self.place(connection, number);
        let Some((_, mut exchange)) = place.and_then(|place| self.asked.remove(place)) else {
            return;
        };
        let status = response.http_status;
        exchange.response = Some(response);
        let known = self.refused.iter().position(|other| is_same(&other.exchange, &exchange));
        let tried = exchange.request.as_ref().is_some_and(|r| r.proxy_authorization.is_some());
        match known {
            // Whoever has credentials is told something else, and whoever gets through nothing.
            Some(known) if tried || status != CHALLENGE => {
                self.refused.remove(known);
            }
            Some(known) => {
                self.refused.iter_mut().skip(known).take(1).for_each(|refused| refused.tries += 1);
            }
            None if !tried && status == CHALLENGE && self.refused.len() < KEPT => {
                self.refused.push(RefusedTunnel { exchange, tries: 1 });
            }
            None => {}
        }
    }

    /// Those that were refused to the end.
    pub fn refused(&self) -> &[RefusedTunnel] {
        &self.refused
    }
}

/// Whether one client asked the same of one proxy.
fn is_same(one: &Exchange, other: &Exchange) -> bool {
    let target = |exchange: &Exchange| exchange.request.as_ref().map(|r| r.target.clone());
    one.client.ip() == other.client.ip()
        && one.server == other.server
        && target(one) == target(other)
}
