//! Where a client goes once BITS-Host-Id has named a host ([MC-BUP] 1.3.4.2, 2.2.3.2).

use std::cell::OnceCell;
use std::net::{IpAddr, SocketAddr};

use crate::at::{At, Timestamp};
use crate::model::host::bare;
use crate::model::{Attempt, Exchange, Lookup, Session, url};
use crate::rules::look;

/// A client that was sent to another host makes for it at once; within this time, in seconds, its next connection is
/// believed to be meant for it.
pub const MOVES_WITHIN_SECS: f64 = 10.0;

/// The host that a session was sent to.
pub struct Named<'a> {
    /// `BITS-Host-Id` as written.
    pub value: &'a str,
    /// The Create-Session whose Ack named it, or that Ack alone.
    pub opened: &'a Exchange,
    /// The session.
    pub session: &'a Session,
    host: String,
    reached_at: OnceCell<Option<SocketAddr>>,
}

impl<'a> Named<'a> {
    /// The host that the Ack of Create-Session named; `None` where it named none, or the one that it came from.
    pub fn of(session: &'a Session) -> Option<Self> {
        session.host_id.as_ref()?;
        let opened = session.exchanges.iter().find(|exchange| {
            let ack = exchange.response.as_ref();
            let opens = look::creates(exchange) || exchange.opens_without_request();
            opens && ack.is_some_and(|ack| ack.is_success() && ack.host_id.is_some())
        })?;
        let value = opened.response.as_ref()?.host_id.as_deref()?.trim();
        let named = Self { value, opened, session, host: bare(value), reached_at: OnceCell::new() };
        let stays = named.takes(opened);
        (!named.host.is_empty() && !stays).then_some(named)
    }

    /// Whether a request went to the named host.
    pub fn takes(&self, exchange: &Exchange) -> bool {
        // One for the first host may find that at another of its addresses.
        let elsewhere =
            || exchange.server.ip() != self.home().ip() && !is_for_same(exchange, self.opened);
        is_for(exchange, &self.host) || self.address() == Some(exchange.server.ip()) || elsewhere()
    }

    /// The requests behind the Ack that named it.
    pub fn later(&self) -> impl DoubleEndedIterator<Item = &'a Exchange> + use<'a> {
        let at = self.opened.span().last.frame;
        let requests = self.session.exchanges.iter().filter(|exchange| exchange.request.is_some());
        requests.filter(move |exchange| exchange.span().first.frame > at)
    }

    /// Where the session was created.
    pub const fn home(&self) -> SocketAddr {
        self.opened.server
    }

    /// Seconds from the Ack that named it to a time.
    pub fn secs_to(&self, time: Timestamp) -> f64 {
        time.secs_since(self.opened.span().last.time)
    }

    /// Connections to it that never came about. Those to a host that is named by name are told by its address where it
    /// was reached, else by port and time.
    pub fn attempts(&self, attempts: &'a [Attempt]) -> impl Iterator<Item = &'a Attempt> {
        attempts.iter().filter(|attempt| {
            let begins = self.secs_to(attempt.span.first.time);
            let at_once = (0.0..MOVES_WITHIN_SECS).contains(&begins);
            let own = attempt.client == self.opened.client.ip();
            (own || at_once && self.is_across(attempt))
                && attempt.server.ip() != self.home().ip()
                && self.secs_to(attempt.span.last.time) >= 0.0
                && is_in_time(self.session, attempt.span.first.time)
                && match self.address() {
                    Some(address) => attempt.server.ip() == address,
                    None => match self.reached_at() {
                        Some(at) => attempt.server == at,
                        None => at_once && attempt.server.port() == self.home().port(),
                    },
                }
        })
    }

    /// Whether an attempt to reach its address comes from one of the other family than the client's in the session: a
    /// host may have both.
    fn is_across(&self, attempt: &Attempt) -> bool {
        let across = attempt.client.is_ipv4() != self.opened.client.is_ipv4();
        let port = attempt.server.port() == self.home().port();
        across && port && self.address() == Some(attempt.server.ip())
    }

    /// Look-ups of its name that failed, and that may have kept the client from it.
    pub fn lookups(&self, lookups: &'a [Lookup]) -> impl Iterator<Item = &'a Lookup> {
        lookups.iter().filter(|lookup| {
            lookup.client == self.opened.client.ip()
                && self.is(&lookup.name)
                && self.secs_to(lookup.span.last.time) >= 0.0
                && may_hinder(self.session, lookup)
        })
    }

    /// The address at which it was first reached by its name.
    fn reached_at(&self) -> Option<SocketAddr> {
        *self.reached_at.get_or_init(|| {
            let mut requests = self.later();
            requests.find(|one| is_for(one, &self.host)).map(|one| one.server)
        })
    }

    /// Whether it is named so.
    pub fn is(&self, host: &str) -> bool {
        bare(host) == self.host
    }

    /// Its address, where it is named by that.
    pub fn address(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }
}

/// The host that a request is for.
fn to(exchange: &Exchange) -> Option<String> {
    let request = exchange.request.as_ref()?;
    url::of(exchange, request).map(|url| bare(url.host))
}

fn is_for(exchange: &Exchange, host: &str) -> bool {
    to(exchange).is_some_and(|to| to == host)
}

fn is_for_same(exchange: &Exchange, other: &Exchange) -> bool {
    to(exchange).is_some_and(|host| is_for(other, &host))
}

/// The names of hosts that a session needs, each with the client that looks it up, once.
pub fn needed(session: &Session) -> Vec<(IpAddr, String)> {
    let own = [session.server.host.as_deref(), session.host_id.as_deref()].into_iter().flatten();
    let own = own.map(|host| (session.client.address, bare(host)));
    let named = Named::of(session).map(|named| (named.opened.client.ip(), named.host));
    let mut all: Vec<_> = own.chain(named).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Whether a look-up that failed may have hindered a session.
pub fn may_hinder(session: &Session, lookup: &Lookup) -> bool {
    is_in_time(session, lookup.span.first.time)
        && !is_reached(session, &lookup.name, lookup.span.last)
}

/// Whether a session still went on, or was not seen to be done, at a time: what failed later did not hinder it.
fn is_in_time(session: &Session, time: Timestamp) -> bool {
    !session.outcome.is_done() || time <= session.ended
}

/// So long, in seconds, a server keeps an idle connection: http.sys does so by default.
const IDLE_SECS: f64 = 120.0;

/// Whether a client reached a host although it had asked for its name in vain at `last`: it sent something there behind
/// that, answered or not, or it has a connection to it.
fn is_reached(session: &Session, host: &str, last: At) -> bool {
    let latest = session.exchanges.iter().rev().find(|exchange| is_for(exchange, host));
    latest.is_some_and(|exchange| {
        let connection = session.connection(exchange.connection);
        let open = connection.filter(|_| exchange.response.is_some()).is_some_and(|one| {
            let idle_secs = last.time.secs_since(exchange.span().last.time);
            one.reset.is_none() && look::first_fin(one).is_none() && idle_secs <= IDLE_SECS
        });
        open || exchange.span().last.frame > last.frame
    })
}
