//! Exchanges that turn out to belong to another session than the one that they were given to.

use super::asked::Asked;
use super::assign::{RECENT, RIVALS};
use super::open::Number;
use super::{Channel, Link, Sessions};
use crate::at::At;
use crate::bits::PacketType;
use crate::bits::protocol::canonical_id;
use crate::model::exchange::{Exchange, Response};

impl Sessions {
    /// A request of `session`, told by its id, follows Pings on its connection that no session was known for: they were
    /// the first sign of it from a new address ([MC-BUP] 2.2.4). So it does with answers to what the capture lacks.
    pub(super) fn take_pings(&mut self, last: Option<Number>, session: Number, asked: &Asked<'_>) {
        let Some(pings) = last.filter(|last| *last != session) else { return };
        let Some(open) = self.open.get(pings) else { return };
        if open.is_preflight() && (open.is_headless() || open.has_path(asked)) {
            self.hand_over_all(pings, session);
        }
    }

    /// Gives all exchanges of a session to another one.
    pub(super) fn hand_over_all(&mut self, from: Number, to: Number) {
        let len = self.open.get(from).map_or(0, |open| open.exchanges.len());
        let places: Vec<_> = (0..len).collect();
        self.hand_over(from, to, &places);
    }

    /// An answer was given to a session of the connection, and its request has the id of another one: it goes there.
    pub(super) fn set_right(
        &mut self,
        link: Link,
        (id, known): (&str, Option<Number>),
        asked: &Asked<'_>,
        at: At,
    ) -> Number {
        let id = canonical_id(id);
        let other = self.open.get(link.session).and_then(|open| open.id.as_deref());
        if other.is_none_or(|other| *other == *id) || !self.may_move(link) {
            return link.session;
        }
        let own = self.join(known.filter(|known| *known != link.session), asked, at);
        self.hand_over(link.session, own, &[link.index]);
        own
    }

    /// A Create was answered with an id: where its session has another one already, two uploads of the same client
    /// began side by side, and it goes to that of its own id.
    pub(super) fn part(&mut self, link: Link, id: &str) {
        let id = canonical_id(id);
        let Some(open) = self.open.get(link.session) else { return };
        let Some(create) = open.exchanges.get(link.index) else { return };
        let named = open.id.as_ref().is_some_and(|known| **known != *id);
        if !named || create.kind != PacketType::CreateSession || !self.may_move(link) {
            return;
        }
        let (places, create) = (open.attempt_of(link.index), create.clone());
        if places.is_empty() {
            return;
        }
        let (asked, at) = (&Asked::of(&create), create.span().last);
        let own = self.open.of_id(&id, |open| open.has_ends(asked));
        let own = self.join(own, asked, at);
        self.hand_over(link.session, own, &places);
    }

    /// A Create was refused: what was refused alike ahead of it on its connection, to a request that the capture lacks,
    /// was a try at the same.
    pub(super) fn take_refused(&mut self, connection: u64, link: Link) {
        let create = self.value(link.session, link.index);
        let create = create.filter(|create| create.kind == PacketType::CreateSession);
        let Some(answer) = create.and_then(|create| create.response.as_ref()) else { return };
        let alike = |one: &Exchange| {
            let other = one.response.as_ref().filter(|_| one.request.is_none());
            one.connection == connection && other.is_some_and(|other| refuses_alike(other, answer))
        };
        let is_try = |number: &Number| {
            let open = self.open.get(*number).filter(|_| *number < link.session);
            open.is_some_and(|open| open.is_headless() && open.exchanges.iter().all(alike))
        };
        let Some(channel) = self.connections.get(&connection) else { return };
        let mut latest = channel.sessions.iter().rev().take(RIVALS).copied();
        if let Some(earlier) = latest.find(is_try) {
            self.hand_over_all(earlier, link.session);
        }
    }

    /// Whether an exchange is one of the latest of its session: what is handed over moves up all behind it, and no
    /// client has so many requests under way that an answer comes later.
    fn may_move(&self, link: Link) -> bool {
        let len = self.open.get(link.session).map_or(0, |open| open.exchanges.len());
        len.saturating_sub(link.index) <= RECENT
    }

    /// Gives exchanges of a session to another one, by their places in order. Without any left it is gone.
    fn hand_over(&mut self, from: Number, to: Number, places: &[usize]) {
        let Some(base) = self.open.get(to).map(|open| open.exchanges.len()) else { return };
        let Some(giver) = self.open.get_mut(from) else { return };
        let moved = places.first().and_then(|first| giver.exchanges.get(*first..));
        let mut ids: Vec<_> = moved.into_iter().flatten().map(|one| one.connection).collect();
        ids.sort_unstable();
        ids.dedup();
        let exchanges = giver.release(places);
        for id in ids {
            let is_left = !giver.is_on(id);
            let Some(channel) = self.connections.get_mut(&id) else { continue };
            channel.relink((from, places), (to, base));
            if is_left {
                giver.live.retain(|live| *live != id);
                channel.leave(from, to);
            }
        }
        let emptied = if giver.exchanges.is_empty() { self.open.remove(from) } else { None };
        let Some(taker) = self.open.get_mut(to) else { return };
        if let Some(giver) = emptied {
            taker.connections.extend(giver.connections);
            taker.weight += giver.weight;
        }
        for exchange in exchanges {
            let channel = self.connections.get_mut(&exchange.connection);
            if let Some(channel) = channel.filter(|_| !taker.live.contains(&exchange.connection)) {
                taker.live.push(exchange.connection);
                channel.sessions.push(to);
            }
            taker.keep(exchange);
        }
    }
}

/// Whether two answers refuse something that may be a Create in the same words.
fn refuses_alike(one: &Response, other: &Response) -> bool {
    let words = |answer: &Response| (answer.http_status, answer.error_value());
    one.http_status >= 400 && !one.says_lost() && words(one) == words(other)
}

impl Channel {
    /// Exchanges of a session, at some places there, are now those of another one from a place on.
    fn relink(&mut self, (from, places): (Number, &[usize]), (to, base): (Number, usize)) {
        let links = self.exchanges.iter_mut().map(|link| (&mut link.session, &mut link.index));
        let spoken = self.spoken.iter_mut().map(|(_, session, index)| (session, index));
        for (session, index) in links.chain(spoken).filter(|(session, _)| **session == from) {
            match places.binary_search(index) {
                Ok(place) => (*session, *index) = (to, base + place),
                Err(before) => *index -= before,
            }
        }
    }

    /// Nothing of a session is left on the connection: it went to another one.
    fn leave(&mut self, from: Number, to: Number) {
        self.sessions.retain(|session| *session != from);
        if self.last == Some(from) {
            self.last = Some(to);
        }
    }
}
