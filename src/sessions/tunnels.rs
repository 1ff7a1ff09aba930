//! Tunnels that BITS asked a proxy for and was refused: what was to go through them is unseen.

use std::collections::VecDeque;

use crate::bits::AGENT;
use crate::http::{Carrier, Head, Start};
use crate::model::exchange::{Exchange, Request, Response};
use crate::stream::Connection;

/// Requests under way, the latest ones, and refused ones that are told.
const KEPT: usize = 64;

/// The status by which a proxy asks for credentials.
const CHALLENGE: u16 = 407;

/// Tunnels that BITS asked for.
#[derive(Debug, Default)]
pub(super) struct Tunnels {
    asked: VecDeque<(u32, Exchange)>,
    refused: Vec<RefusedTunnel>,
}

/// A tunnel that a proxy refused; where it asked for credentials, the client gave none.
#[derive(Clone, Debug, PartialEq)]
pub struct RefusedTunnel {
    /// The first CONNECT that was refused so, with its answer.
    pub exchange: Exchange,
    /// How often it was refused.
    pub tries: u64,
}

impl RefusedTunnel {
    /// The status that refused it.
    pub fn status(&self) -> u16 {
        self.exchange.response.as_ref().map_or(0, |response| response.http_status)
    }
}

/// Whether a request is the CONNECT of BITS.
pub(super) fn is_asked(head: &Head<'_>) -> bool {
    let bits = |agent: &[u8]| agent.starts_with(AGENT.as_bytes());
    matches!(head.start, Start::Request { method: "CONNECT", .. })
        && head.field("User-Agent").is_some_and(bits)
}

impl Tunnels {
    /// Notes a request for a tunnel.
    pub fn ask(&mut self, connection: &Connection, number: u32, request: Request) {
        if self.asked.len() >= KEPT {
            self.asked.pop_front();
        }
        let empty = Exchange::on(connection, Carrier::default());
        let exchange = Exchange { request: Some(request), ..empty };
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
        let tried = exchange.request.as_ref().is_some_and(|r| r.proxy_authorization.is_some());
        // Credentials that are not enough yet are a step of a handshake.
        let refused = status >= 400 && !(tried && status == CHALLENGE);
        let known = self.refused.iter().position(|other| is_same(&other.exchange, &exchange));
        let again = known.and_then(|known| self.refused.get_mut(known));
        if let Some(again) = again.filter(|again| refused && again.status() == status) {
            again.tries += 1;
            return;
        }
        // The last word counts.
        if let Some(known) = known {
            self.refused.remove(known);
        }
        if refused && self.refused.len() < KEPT {
            self.refused.push(RefusedTunnel { exchange, tries: 1 });
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
