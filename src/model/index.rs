//! What is asked of a session for each of its exchanges, found once: there can be many of them.

use std::sync::OnceLock;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::{Exchange, Response};
use crate::bits::PacketType;

/// Frames at which something in a session last, or first, happened. It is found anew for a copy.
#[derive(Debug, Default)]
pub struct Index(OnceLock<Found>);

#[derive(Debug, Default)]
struct Found {
    succeeded: HashMap<PacketType, u64, RandomState>,
    first: HashMap<PacketType, usize, RandomState>,
    carried_on: u64,
    over: Option<u64>,
    acked: Option<u64>,
}

impl Index {
    fn found(&self, exchanges: &[Exchange]) -> &Found {
        self.0.get_or_init(|| {
            let mut found = Found::default();
            for (place, exchange) in exchanges.iter().enumerate() {
                if let Some(answer) = &exchange.response {
                    found.add(place, exchange, answer);
                }
            }
            found
        })
    }

    /// The first frame of the last exchange of a kind that was answered with success; 0 without one.
    pub fn succeeded(&self, exchanges: &[Exchange], kind: &PacketType) -> u64 {
        self.found(exchanges).succeeded.get(kind).copied().unwrap_or(0)
    }

    /// The first exchange of a kind that was answered with success.
    pub fn first<'e>(&self, exchanges: &'e [Exchange], kind: &PacketType) -> Option<&'e Exchange> {
        exchanges.get(*self.found(exchanges).first.get(kind)?)
    }

    /// The first frame of the last one of any packet that carries the upload on, where BITS answered; 0 without one.
    pub fn carried_on(&self, exchanges: &[Exchange]) -> u64 {
        self.found(exchanges).carried_on
    }

    /// The last frame of the first exchange that BITS answered.
    pub fn acked(&self, exchanges: &[Exchange]) -> Option<u64> {
        self.found(exchanges).acked
    }

    /// The last frame of the first Close or Cancel that succeeded.
    pub fn over(&self, exchanges: &[Exchange]) -> Option<u64> {
        self.found(exchanges).over
    }
}

impl Found {
    fn add(&mut self, place: usize, exchange: &Exchange, answer: &Response) {
        let span = exchange.span();
        if answer.is_ack() {
            self.acked = Some(self.acked.unwrap_or(u64::MAX).min(span.last.frame));
        }
        if !answer.is_success() {
            return;
        }
        self.first.entry(exchange.kind.clone()).or_insert(place);
        let last = self.succeeded.entry(exchange.kind.clone()).or_default();
        *last = span.first.frame.max(*last);
        if answer.is_ack() && exchange.kind != PacketType::CancelSession {
            self.carried_on = self.carried_on.max(span.first.frame);
        }
        if matches!(exchange.kind, PacketType::CloseSession | PacketType::CancelSession) {
            let over = self.over.unwrap_or(u64::MAX).min(span.last.frame);
            self.over = Some(over);
        }
    }
}

impl Clone for Index {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for Index {
    /// It says nothing that the exchanges do not.
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
