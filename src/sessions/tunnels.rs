//! Tunnels that BITS asked a proxy for and was refused: what was to go through them is unseen.

use std::collections::VecDeque;

use crate::bits::AGENT;
use crate::http::{Carrier, Head, Start};
use crate::model::{Door, Exchange, RefusedTunnel, Request, Response};
use crate::stream::Connection;

/// Requests under way, the latest ones, and refused ones that are told.
const KEPT: usize = 64;

/// Tunnels that BITS asked for.
#[derive(Debug, Default)]
pub(super) struct Tunnels {
    asked: VecDeque<(u32, Exchange)>,
    refused: Vec<RefusedTunnel>,
}

impl Tunnels {
    /// Whether a request is the CONNECT of BITS: it says so, or BITS was refused one on the same connection.
    pub fn is_of_bits(&self, connection: u64, head: &Head<'_>) -> bool {
        let bits = |agent: &[u8]| agent.starts_with(AGENT.as_bytes());
        let refused = |one: &RefusedTunnel| one.exchange.connection == connection;
        matches!(head.start, Start::Request { method: "CONNECT", .. })
            && (head.field("User-Agent").is_some_and(bits) || self.refused.iter().any(refused))
    }

    /// Notes a request for a tunnel.
    pub fn ask(&mut self, connection: &Connection, number: u32, request: Request) {
        if self.asked.len() >= KEPT {
            self.asked.pop_front();
        }
        let may_answer = request.proxy_authorization.is_some() || request.is_cut();
        let empty = Exchange::on(connection, number, Carrier::default());
        let exchange = Exchange { request: Some(request), ..empty };
        if may_answer {
            let answered =
                |one: &RefusedTunnel| one.wants_credentials() && is_same(&one.exchange, &exchange);
            self.refused.retain(|one| !answered(one));
        }
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
        let refused = response.http_status >= 400;
        exchange.response = Some(response);
        if is_step(&exchange) {
            return;
        }
        let new = RefusedTunnel { exchange, tries: 1, is_over: false };
        let known = self.refused.iter().position(|old| is_same(&old.exchange, &new.exchange));
        if let Some(old) = known.and_then(|known| self.refused.get_mut(known)) {
            let again = old.refuses_credentials() == new.refuses_credentials();
            if old.status() == new.status() && again {
                old.tries += 1;
                return;
            }
            // Whose credentials were refused begins again without them.
            if old.refuses_credentials() && new.wants_credentials() {
                return;
            }
        }
        // The last word counts.
        if let Some(known) = known {
            self.refused.remove(known);
        }
        if refused && self.refused.len() < KEPT {
            self.refused.push(new);
        }
    }

    /// A connection is over.
    pub fn closed(&mut self, connection: &Connection) {
        let on_it = |one: &&mut RefusedTunnel| one.exchange.connection == connection.id;
        if let Some(refused) = self.refused.iter_mut().find(on_it) {
            refused.is_over = connection.is_over();
        }
    }

    /// Those that were refused to the end.
    pub fn refused(&self) -> &[RefusedTunnel] {
        &self.refused
    }
}

/// Whether a challenge is but a step of a handshake, or may be one.
fn is_step(exchange: &Exchange) -> bool {
    let goes_on = |request: &Request| {
        request.is_cut() || request.proxy_authorization.is_some() && request.ntlm == Some(1)
    };
    Door::Proxy.stopped(exchange) && exchange.request.as_ref().is_some_and(goes_on)
}

/// Whether one client asked the same of one proxy.
fn is_same(one: &Exchange, other: &Exchange) -> bool {
    let target = |exchange: &Exchange| exchange.request.as_ref().map(|r| r.target.clone());
    one.client.ip() == other.client.ip()
        && one.server == other.server
        && target(one) == target(other)
}
