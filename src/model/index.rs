//! What is asked of a session for each of its exchanges, found once: there can be many of them.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use hashbrown::HashMap;

use super::{Exchange, Response, Session, scattered, unseen_close};
use crate::bits::PacketType;
use crate::stream::Connection;

/// What was found of a session so far. It is found anew for a copy.
#[derive(Debug, Default)]
pub struct Index {
    found: OnceLock<Found>,
    places: OnceLock<HashMap<u64, Vec<usize>>>,
    whole: OnceLock<bool>,
    any_order: OnceLock<Option<u64>>,
}

/// Frames at which something last, or first, happened, and places of exchanges.
#[derive(Debug, Default)]
struct Found {
    /// Of each kind that was answered with success, the place of the first exchange and the first frame of the last
    /// one.
    succeeded: BTreeMap<PacketType, (usize, u64)>,
    /// Of each kind of request that BITS answered, whatever it said, the place of the last one.
    heard: BTreeMap<PacketType, usize>,
    carried_on: u64,
    asked_on: u64,
    over: Option<u64>,
    close_unseen: Option<u64>,
    close_possible: Option<u64>,
    acked: Option<u64>,
    close_unheard: Option<u64>,
    largest_taken: Option<u64>,
}

impl Session {
    fn found(&self) -> &Found {
        self.index.found.get_or_init(|| {
            let mut found = Found::default();
            for (place, exchange) in self.exchanges.iter().enumerate() {
                match &exchange.response {
                    Some(answer) => found.add(place, exchange, answer),
                    None => found.add_unheard(exchange),
                }
            }
            let end = |place: usize| Some(self.exchanges.get(place)?.ends());
            let ack = unseen_close::place_of_ack(&self.exchanges, self.bytes_total);
            found.close_unseen = ack.and_then(end);
            let possible = unseen_close::place_of_possible_ack(&self.exchanges);
            found.close_possible = possible.and_then(end);
            found
        })
    }

    /// The first frame of the last exchange of a kind that was answered with success; 0 without one.
    pub(crate) fn last_success(&self, kind: &PacketType) -> u64 {
        self.found().succeeded.get(kind).map_or(0, |(_, last)| *last)
    }

    /// The first exchange of a kind that was answered with success.
    pub(crate) fn first_success(&self, kind: &PacketType) -> Option<&Exchange> {
        self.exchanges.get(self.found().succeeded.get(kind)?.0)
    }

    /// The last request of a kind that BITS answered, whatever it said.
    pub(crate) fn last_heard(&self, kind: &PacketType) -> Option<&Exchange> {
        self.exchanges.get(*self.found().heard.get(kind)?)
    }

    /// Whether an exchange that begins behind a frame was answered with success.
    pub(crate) fn succeeds_after(&self, frame: u64) -> bool {
        self.found().succeeded.values().any(|(_, last)| *last > frame)
    }

    /// The first frame of the last one of any packet that carries the upload on, where BITS answered; 0 without one.
    pub(crate) fn carried_on(&self) -> u64 {
        self.found().carried_on
    }

    /// The first frame of the last Fragment with an id that no server was seen to answer; 0 without one.
    pub(crate) fn asked_on(&self) -> u64 {
        self.found().asked_on
    }

    /// The last frame of the first exchange that BITS answered.
    pub(crate) fn acked(&self) -> Option<u64> {
        self.found().acked
    }

    /// The last frame of the first Close or Cancel that succeeded.
    pub(crate) fn over(&self) -> Option<u64> {
        self.found().over
    }

    /// The last frame of an Ack that must be that of a Close that the capture lacks.
    pub(crate) fn close_unseen(&self) -> Option<u64> {
        self.found().close_unseen
    }

    /// The last frame of an Ack that may be that of a Close that the capture lacks.
    pub(crate) fn close_possible(&self) -> Option<u64> {
        self.found().close_possible
    }

    /// The first frame of the first Close that may have done its work unheard.
    pub(crate) fn close_unheard(&self) -> Option<u64> {
        self.found().close_unheard
    }

    /// The largest Content-Length of a Fragment that was answered with success.
    pub(crate) fn largest_taken(&self) -> Option<u64> {
        self.found().largest_taken
    }

    /// The exchanges on a connection, in order.
    pub(crate) fn on(&self, connection: u64) -> impl DoubleEndedIterator<Item = &Exchange> {
        let all = self.index.places.get_or_init(|| {
            let mut all = HashMap::<_, Vec<_>, _>::default();
            for (place, exchange) in self.exchanges.iter().enumerate() {
                all.entry(exchange.connection).or_default().push(place);
            }
            all
        });
        let places = all.get(&connection).into_iter().flatten();
        places.filter_map(|place| self.exchanges.get(*place))
    }

    /// Whether the server showed before a frame that it takes Fragments in any order.
    pub(crate) fn takes_any_order_before(&self, frame: u64) -> bool {
        let shown = || scattered::shows_any_order(&self.exchanges).map(Exchange::begins);
        self.index.any_order.get_or_init(shown).is_some_and(|shown| shown < frame)
    }

    /// Whether the server took a Fragment that was new and ended before what it had confirmed.
    pub(crate) fn fills_holes(&self) -> bool {
        scattered::fills_holes(&self.exchanges)
    }

    /// Whether nothing of it escaped the capture.
    pub(crate) fn is_whole(&self) -> bool {
        let whole =
            || !self.joined && !self.is_rejoined() && self.connections().all(Connection::is_whole);
        *self.index.whole.get_or_init(whole)
    }

    /// Whether the capture, which had the session by then, has a connection of it from its middle on only: it lacks frames
    /// between the two.
    pub(crate) fn is_rejoined(&self) -> bool {
        let begun = self.exchanges.first().map_or(u64::MAX, Exchange::ends);
        self.connections().any(|one| one.midstream && one.first.frame > begun)
    }
}

impl Found {
    fn add(&mut self, place: usize, exchange: &Exchange, answer: &Response) {
        if answer.is_ack() {
            self.acked = Some(self.acked.unwrap_or(u64::MAX).min(exchange.ends()));
            if exchange.request.is_some() {
                self.heard.insert(exchange.kind.clone(), place);
            }
        }
        if answer.is_of_gateway() {
            self.add_unheard(exchange);
        }
        if !exchange.succeeded() {
            return;
        }
        if exchange.kind == PacketType::Fragment {
            let length = exchange.content_length();
            self.largest_taken = self.largest_taken.max(length);
        }
        let (_, last) = self.succeeded.entry(exchange.kind.clone()).or_insert((place, 0));
        *last = exchange.begins().max(*last);
        if answer.is_ack() && exchange.kind != PacketType::CancelSession {
            self.carried_on = self.carried_on.max(exchange.begins());
        }
        if matches!(exchange.kind, PacketType::CloseSession | PacketType::CancelSession) {
            self.over = Some(self.over.unwrap_or(u64::MAX).min(exchange.ends()));
        }
    }

    fn add_unheard(&mut self, exchange: &Exchange) {
        if exchange.kind == PacketType::Fragment && exchange.asked_id().is_some() {
            self.asked_on = self.asked_on.max(exchange.begins());
        }
        if exchange.kind == PacketType::CloseSession {
            let first = self.close_unheard.unwrap_or(u64::MAX);
            self.close_unheard = Some(first.min(exchange.begins()));
        }
    }
}

impl Clone for Index {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for Index {
    /// It says nothing that the exchanges and connections do not.
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
