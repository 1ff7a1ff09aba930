//! To which upload an exchange belongs ([MC-BUP] 2.2.1.2: ids are unique per server only; Ping and most Acks carry
//! none).

use super::asked::Asked;
use super::open::{Number, Open};
use super::{Link, Sessions};
use crate::at::At;
use crate::bits::PacketType;
use crate::bits::protocol::{canonical_id, is_unique};
use crate::model::exchange::Exchange;

/// Sessions of one client, or with one id, that are considered for a message, newest first.
pub(super) const RECENT: usize = 256;

/// Sessions of one connection that are looked at for an answer to a request that the capture lacks, the latest ones.
pub(super) const RIVALS: usize = 16;

impl Sessions {
    /// The session of a request; a new one where no other fits. Ahead of one that is `behind_hole`, others may be
    /// missing.
    pub(super) fn assign_request(
        &mut self,
        exchange: &Exchange,
        last: Option<Number>,
        behind_hole: bool,
    ) -> Number {
        let asked = &Asked::of(exchange);
        let (id, at) = (exchange.asked_id(), exchange.span().last);
        let found = match (&exchange.kind, id.map(canonical_id).filter(|id| !id.is_empty())) {
            (PacketType::CreateSession, _) => self
                .attempt(asked)
                .or_else(|| last.filter(|last| self.was_opened_behind(*last, exchange))),
            (_, Some(id)) => {
                let grave = self.open.graves.find(&id, asked, at);
                self.by_request_id(asked, &id, (last, behind_hole), grave).or(grave)
            }
            (_, None) => self.by_circumstance(asked, &exchange.kind, last),
        };
        self.take_attempt(found, asked);
        let session = self.join(found, asked, at);
        if exchange.kind != PacketType::CreateSession
            && let Some(id) = id
        {
            self.learn(session, Some(id));
            let denied = |open: &Open| open.is_headless() && !asked.may_follow(open);
            let pings = last.filter(|last| !self.open.get(*last).is_some_and(denied));
            self.take_pings(pings, session, asked);
        }
        session
    }

    /// The session of a request whose response was seen first.
    pub(super) fn assign_early(&mut self, exchange: &Exchange, link: Link) -> Number {
        let (asked, session) = (&Asked::of(exchange), link.session);
        let id = exchange.asked_id().filter(|_| exchange.kind != PacketType::CreateSession);
        let known =
            id.and_then(|id| self.by_request_id(asked, &canonical_id(id), (None, false), None));
        if let Some(known) = known {
            self.take_pings(Some(session), known, asked);
        }
        // It may have been handed over.
        let session = match (known, id) {
            (Some(known), _) if self.open.get(session).is_none() => known,
            (_, Some(id)) => self.set_right(link, (id, known), asked, exchange.span().last),
            _ => session,
        };
        self.learn(session, id);
        self.take_attempt(Some(session), asked);
        let begun = self.attempt(asked).filter(|begun| *begun != session);
        if let Some(begun) = begun.filter(|_| exchange.kind == PacketType::CreateSession) {
            self.hand_over_all(begun, session);
        }
        if let Some(open) = self.open.get_mut(session) {
            open.remember(asked);
            open.touch(exchange.span().last);
        }
        session
    }

    /// The session that was found, or a new one, which remembers what was asked.
    pub(super) fn join(&mut self, found: Option<Number>, asked: &Asked<'_>, at: At) -> Number {
        let session = found.unwrap_or_else(|| self.open.add(asked.client.ip(), at));
        if let Some(open) = self.open.get_mut(session) {
            if found.is_none() {
                open.holes = self.holed;
            }
            open.remember(asked);
            open.touch(at);
        }
        session
    }

    /// The id of a session became known.
    pub(super) fn learn(&mut self, session: Number, id: Option<&str>) {
        let unnamed = self.open.get(session).is_some_and(|open| open.id.is_none());
        if let Some(id) = id.filter(|_| unnamed) {
            self.open.name(session, canonical_id(id).into(), id);
        }
    }

    /// A Create belongs to an attempt that has not succeeded yet, or to the Ping before it: of several, to that on its
    /// connection.
    fn attempt(&self, asked: &Asked) -> Option<Number> {
        let fits =
            |open: &Open| may_begin(open, asked) && !open.is_created() && !open.is_rival(asked);
        let own = |open: &Open| open.spoke_last_on(asked.connection()) && fits(open);
        self.open.of_client(asked, own).or_else(|| self.open.of_client(asked, fits))
    }

    /// The first request is seen of a session that an Ack without its request opened: the Creates refused before it, of
    /// its client for its URL, were tries at the same upload.
    fn take_attempt(&mut self, session: Option<Number>, asked: &Asked<'_>) {
        let opened = |open: &Open| !open.is_asked() && open.opened_unasked().is_some();
        let Some(session) = session.filter(|it| self.open.get(*it).is_some_and(opened)) else {
            return;
        };
        let refused = |it: &Number| self.open.get(*it).is_some_and(Open::has_create);
        if let Some(begun) = self.attempt(asked).filter(|it| *it < session && refused(it)) {
            self.hand_over_all(begun, session);
        }
    }

    /// Whether an Ack that was seen without its request opened the session, behind a request that a hole held back.
    fn was_opened_behind(&self, session: Number, exchange: &Exchange) -> bool {
        let first = self.open.get(session).and_then(|open| open.exchanges.first());
        first.is_some_and(|first| {
            first.opens_without_request()
                && first.connection == exchange.connection
                && exchange.span().last.frame < first.span().first.frame
        })
    }

    /// The session of a request with an id; `grave` is a forgotten one that had it.
    fn by_request_id(
        &self,
        asked: &Asked<'_>,
        id: &str,
        (last, behind_hole): (Option<Number>, bool),
        grave: Option<Number>,
    ) -> Option<Number> {
        let waits = |open: &Open| {
            may_begin(open, asked) && (open.awaits_id() || behind_hole && open.has_create())
        };
        // An Ack without its request opened it.
        let unasked = |open: &Open| open.is_headless() && !open.unclear && open.has_ends(asked);
        let challenged = |last: &Number| {
            self.is_challenged(*last)
                && self.open.get(*last).is_some_and(|open| open.has_path(asked))
        };
        self.with_id_here(asked, id)
            // Its Create was seen, or one that was refused before it; the Ack that gave it the id was not.
            .or_else(|| self.open.of_client(asked, |open| open.has_create() && waits(open)))
            .or_else(|| self.with_id_elsewhere(asked, id))
            // It goes on where an Ack left off; between them there may be a Ping.
            .or_else(|| {
                self.open.of_client(asked, |open| unasked(open) && asked.goes_on_with(open))
            })
            // So it is where the Ack that is not seen had a Host-Id.
            .or_else(|| self.open.of_client(asked, |open| open.may_have_moved(asked)))
            // A client that comes back late comes with a Ping.
            .or(grave)
            // A Ping before it was seen.
            .or_else(|| self.open.of_client(asked, waits))
            // So was the Create that met a challenge; the one with credentials was not.
            .or_else(|| last.filter(challenged))
            .or_else(|| self.open.of_client(asked, |open| unasked(open) && asked.may_follow(open)))
    }

    /// The session that has an id, where what else is known of its ends agrees with the request.
    fn with_id_here(&self, asked: &Asked<'_>, id: &str) -> Option<Number> {
        let by_host = |open: &Open| {
            open.has_client(asked) && open.has_host(asked) && !open.is_translated(asked)
        };
        let by_one_end = |open: &Open| {
            let unasked = !open.is_asked() && open.has_server(asked);
            let one_end = open.has_client(asked) || open.has_server(asked);
            let named = || open.has_host(asked) || open.has_path(asked);
            unasked || one_end && named() && !open.is_translated(asked)
        };
        // There are servers that give one id to several uploads.
        self.open
            .of_id(id, |open| open.has_path(asked) && is_between(open, asked))
            .or_else(|| self.open.of_id(id, |open| is_between(open, asked)))
            .or_else(|| self.open.of_id(id, by_host))
            .or_else(|| self.open.of_id(id, by_one_end))
    }

    /// The session that has an id, though one of its ends moved.
    fn with_id_elsewhere(&self, asked: &Asked<'_>, id: &str) -> Option<Number> {
        // The client moved, and so did the host by its Host-Id, or its name has several addresses.
        let moved =
            |open: &Open| open.has_host(asked) && open.has_path(asked) && !open.is_passed_on(asked);
        // Its client was redirected: a GUID is no other session's.
        let redirected = |open: &Open| open.has_ends(asked);
        self.open
            .of_id(id, moved)
            .or_else(|| self.open.of_id(id, redirected).filter(|_| is_unique(id)))
    }

    /// Whether credentials were asked for, and a session can be opened by a request that has them.
    pub(super) fn is_challenged(&self, session: Number) -> bool {
        self.open.get(session).is_some_and(|open| open.is_provisional() && open.is_challenged())
    }

    fn by_circumstance(
        &self,
        asked: &Asked<'_>,
        kind: &PacketType,
        last: Option<Number>,
    ) -> Option<Number> {
        let usable =
            |open: &Open| open.has_client(asked) && !open.is_over() && !open.is_translated(asked);
        let here = |open: &Open| usable(open) && open.has_path(asked) && open.has_server(asked);
        let there = |open: &Open| usable(open) && open.has_path(asked) && open.has_host(asked);
        let newest = self.open.of_client(asked, |open| here(open) || there(open));
        let id = newest.and_then(|newest| self.open.get(newest)?.id.as_deref());
        // Seen on both sides of what translates addresses, there is one of the same id and name on either.
        id.and_then(|id| self.open.of_id(id, here))
            .or(newest)
            .or_else(|| self.open.of_client(asked, |open| open.may_have_moved(asked)))
            .or_else(|| {
                let is_ping = *kind == PacketType::Ping;
                self.open.latest(|open| open.goes_across(asked)).filter(|_| is_ping)
            })
            .or_else(|| {
                // Its id is cut off: it repeats the one before, as far as anything tells.
                let repeats = *kind == PacketType::CloseSession && asked.is_cut();
                self.open.of_client(asked, |open| {
                    repeats && open.has_ends(asked) && open.has_path(asked)
                })
            })
            .or_else(|| {
                last.filter(|&session| {
                    *kind != PacketType::Ping && self.open.get(session).is_some_and(usable)
                })
            })
    }
}

/// Whether a session is of the client and the server of a request. A proxy, or one address, may stand for several
/// servers, each with ids of its own.
fn is_between(open: &Open, asked: &Asked<'_>) -> bool {
    open.has_ends(asked) && !open.is_elsewhere(asked)
}

/// Whether a session is an attempt at the upload of a request, with no id so far.
fn may_begin(open: &Open, asked: &Asked<'_>) -> bool {
    is_between(open, asked) && open.has_path(asked) && open.is_provisional()
}
