//! What the exchanges of an upload tell: how it was opened, and how far its file got.

use super::assign::RECENT;
use super::open::Open;
use crate::at::At;
use crate::bits::PacketType;
use crate::bits::protocol::canonical_id;
use crate::model::exchange::Exchange;
use crate::model::session::{CLIENT_WAITS_SECS, LEAST_REQUEST};
use crate::model::{Response, unseen_close};

impl Open {
    /// No answer to the last Create was seen, or not the whole head of it: the id that follows may be its own.
    pub fn awaits_id(&self) -> bool {
        let lost = |create: &Exchange| {
            let answer = create.response.as_ref();
            answer.is_none_or(|answer| answer.is_success() && answer.is_cut())
                || self.exchanges.iter().any(is_of_a_lost_fragment)
        };
        self.last_create().is_none_or(lost)
    }

    /// No answer to the last Create was seen.
    pub fn is_unanswered(&self) -> bool {
        self.last_create().is_some_and(|create| create.response.is_none())
    }

    /// Whether its last request was answered.
    pub fn is_heard(&self) -> bool {
        self.exchanges.last().is_some_and(|last| last.request.is_some() && last.response.is_some())
    }

    /// The last Create was answered with a demand for credentials.
    pub fn is_challenged(&self) -> bool {
        let answer = self.last_create().and_then(|create| create.response.as_ref());
        answer.is_some_and(Response::is_challenge)
    }

    fn last_create(&self) -> Option<&Exchange> {
        if !self.has_create() {
            return None;
        }
        self.exchanges.iter().rev().find(|exchange| exchange.kind == PacketType::CreateSession)
    }

    /// The places of the Pings and Creates that a Create at some place goes with: those of its connection, though
    /// none up to the Create there that gave the session its id.
    pub fn attempt_of(&self, place: usize) -> Vec<usize> {
        let Some(connection) = self.exchanges.get(place).map(|create| create.connection) else {
            return Vec::new();
        };
        let gave_id = |exchange: &Exchange| {
            let id = exchange.response.as_ref().and_then(|response| response.session_id.as_deref());
            id.is_some_and(|id| self.id.as_deref() == Some(&*canonical_id(id)))
        };
        let from = place.saturating_sub(RECENT);
        let tail = || self.exchanges.iter().enumerate().skip(from);
        let own = || tail().filter(|(_, exchange)| exchange.connection == connection);
        let first =
            own().filter(|(_, exchange)| gave_id(exchange)).map(|(at, _)| at + 1).next_back();
        own()
            .filter(|(at, exchange)| {
                *at >= first.unwrap_or(from) && exchange.kind.precedes_session()
            })
            .map(|(at, _)| at)
            .collect()
    }

    /// Whether an exchange of it was on a connection.
    pub fn is_on(&self, connection: u64) -> bool {
        self.exchanges.iter().any(|exchange| exchange.connection == connection)
    }

    /// Whether its last exchange was on a connection.
    pub fn spoke_last_on(&self, connection: u64) -> bool {
        self.exchanges.last().is_some_and(|exchange| exchange.connection == connection)
    }

    /// Whether it is no upload: all that was asked is whether the host is there, and it is.
    pub(super) fn is_idle_talk(&self) -> bool {
        let is_ping = |exchange: &Exchange| exchange.kind == PacketType::Ping;
        let answers = || self.exchanges.iter().map(|exchange| exchange.response.as_ref());
        self.is_provisional()
            && self.exchanges.iter().all(is_ping)
            && answers().all(|answer| answer.is_some_and(|a| a.accepts() || a.is_challenge()))
            && answers().next_back().flatten().is_some_and(Response::accepts)
    }

    /// Whether a request was seen of it, it was opened, and its client may wait for an answer at `now`.
    pub fn is_under_way(&self, now: At) -> bool {
        self.is_asked()
            && !self.is_provisional()
            && now.time.secs_since(self.last.time) < CLIENT_WAITS_SECS
    }

    /// Length of its file, as its latest Fragment tells.
    pub fn total(&self) -> Option<u64> {
        self.latest().find_map(|exchange| exchange.range()?.total)
    }

    /// Whether the server may confirm so much of it next, by what it confirmed last.
    pub fn may_reach(&self, next: u64) -> bool {
        next > self.reached() && self.total().is_none_or(|total| next <= total)
    }

    /// Bytes of its file that the server did not confirm so far, as far as its length is known.
    pub fn unconfirmed(&self) -> u64 {
        self.total().unwrap_or(0).saturating_sub(self.reached())
    }

    /// Whether its last Ack may be that of a Close that the capture lacks: it counts no bytes, and others did before
    /// it.
    pub fn may_be_closed(&self) -> bool {
        self.exchanges.last().is_some_and(unseen_close::may_be_ack)
            && self.exchanges.iter().any(Exchange::confirms_bytes)
    }

    /// Whether it was over before the capture lost what an answer is to: that confirms bytes that are not its own, or
    /// refuses something that it did have no use for.
    pub fn ends_before(&self, exchange: &Exchange) -> bool {
        let Some(answer) = exchange.response.as_ref().filter(|_| self.is_over()) else {
            return false;
        };
        let refused = answer.http_status >= 400 && !answer.says_lost();
        let beyond =
            |next| exchange.confirms_bytes() && !self.may_reach(next) && next != self.reached();
        refused || answer.next_offset.is_some_and(beyond)
    }

    /// How much the server confirmed last.
    pub fn reached(&self) -> u64 {
        let confirmed = |exchange: &Exchange| {
            let answer = exchange.response.as_ref()?;
            let taken = answer.is_success();
            let end = || exchange.bounds().filter(|_| taken).map(|(_, end)| end);
            answer.next_offset.filter(|_| taken || answer.http_status == 416).or_else(end)
        };
        self.latest().find_map(confirmed).unwrap_or(0)
    }

    /// Bytes of requests on a connection that its latest exchanges show to be missing: answers without a request, and
    /// Fragments behind others that were not seen.
    pub fn lacks_on(&self, connection: u64) -> u64 {
        let skipped = self.exchanges.len().saturating_sub(RECENT);
        let latest = || self.exchanges.iter().skip(skipped);
        let joined = skipped > 0 || !self.is_created();
        let first = latest().find_map(Exchange::bounds).filter(|_| joined);
        let (mut reached, mut lacks) = (first.map_or(0, |(start, _)| start), 0_u64);
        for exchange in latest() {
            let next = exchange.response.as_ref().and_then(|answer| answer.next_offset);
            let (start, end) = match exchange.bounds() {
                Some(bounds) => bounds,
                None => next.map_or((reached, reached), |next| (next, next)),
            };
            let unasked = exchange.request.is_none();
            if exchange.connection == connection && (start > reached || unasked) {
                lacks = lacks.saturating_add(LEAST_REQUEST + start.saturating_sub(reached));
            }
            reached = reached.max(end).max(next.unwrap_or(0));
        }
        lacks
    }

    /// Whether no answer was seen to its latest Fragment, which ends there.
    pub fn awaits(&self, end: u64) -> bool {
        let last = self.latest().find(|exchange| exchange.kind == PacketType::Fragment);
        last.is_some_and(|fragment| {
            fragment.response.is_none() && fragment.bounds().is_some_and(|range| range.1 == end)
        })
    }

    /// Whether one of its latest answers confirmed just so much.
    pub fn confirms(&self, next: u64) -> bool {
        let answers = self.latest().filter(|exchange| exchange.confirms_bytes());
        answers.filter_map(|exchange| exchange.response.as_ref()?.next_offset).any(|n| n == next)
    }

    fn latest(&self) -> impl Iterator<Item = &Exchange> {
        self.exchanges.iter().rev().take(RECENT)
    }
}

/// Only its answer was seen, which confirms bytes.
fn is_of_a_lost_fragment(exchange: &Exchange) -> bool {
    exchange.request.is_none() && exchange.confirms_bytes()
}
