//! Answers to requests that the capture lacks.

use std::collections::VecDeque;

use super::asked::Asked;
use super::assign::{RECENT, RIVALS};
use super::open::{Number, Open};
use super::{Channel, Link, Message, Sessions};
use crate::bits::protocol::canonical_id;
use crate::bits::{PacketType, decode};
use crate::http::{Head, Start};
use crate::model::exchange::Exchange;
use crate::model::session::LEAST_REQUEST;
use crate::stream::{Connection, Side};

/// Sessions of nothing but answers that are remembered, the latest ones.
const REMEMBERED: usize = 64;

/// Sessions of nothing but answers, and Pings perhaps, which may belong to others.
pub(super) type Strays = VecDeque<Number>;

/// An answer without its request, and what is known of where it came.
struct Orphan<'a> {
    answer: &'a Exchange,
    /// What it tells of the request.
    asked: &'a Asked<'a>,
    /// The session that was last spoken of on its connection.
    last: Option<Number>,
    /// Its connection may be from before the capture.
    midstream: bool,
}

/// Where an answer without its request goes.
enum Home {
    /// To this session, or to a new one.
    Known(Option<Number>),
    /// To one of several, and nothing tells to which.
    Unclear,
}

impl Sessions {
    /// Whether a response behind a hole cannot answer the request that is the next: it is an Ack that opens no session,
    /// and that is a Create ([MC-BUP] 2.2.3.2). What it answers was lost.
    pub(super) fn is_anothers(&mut self, connection: u64, exchange: u32, head: &Head<'_>) -> bool {
        let succeeds = matches!(head.start, Start::Response { status: 200 | 201, .. });
        let has = |name| head.field(name).is_some();
        let counts = has("BITS-Received-Content-Range");
        let opens = has("BITS-Protocol") || has("BITS-Session-Id") && !counts;
        let acks = has("BITS-Packet-Type") && !opens;
        if !head.after_gap || !head.whole || !succeeds || !acks {
            return false;
        }
        let Some(link) = self.link(connection, exchange).copied() else { return false };
        let asked = self.value(link.session, link.index);
        asked.is_some_and(|asked| asked.kind == PacketType::CreateSession)
    }

    /// Whether the response that was seen before a Create is an Ack of bytes: it answers a later request.
    pub(super) fn is_of_a_lost(&self, request: &Exchange, link: &Link) -> bool {
        let seen = self.value(link.session, link.index);
        request.kind == PacketType::CreateSession && seen.is_some_and(Exchange::confirms_bytes)
    }

    /// A response whose request the capture lacks.
    pub(super) fn orphan(&mut self, message: &Message<'_>) {
        let Message { connection, exchange, span, head } = *message;
        if self.leaves_out() {
            return;
        }
        let response = decode::response(head, span, self.secrets, &mut self.words);
        let value = Exchange::answer_only(connection, exchange, head.carrier, response);
        let asked = &Asked::of(&value);
        let last = self.spoken_before(connection.id, span.first.frame);
        let midstream = connection.midstream;
        let home = self.home(&Orphan { answer: &value, asked, last, midstream });
        let found = if let Home::Known(found) = home { found } else { None };
        let session = self.join(found, asked, span.last);
        if let Some(open) = self.open.get_mut(session) {
            open.unclear |= matches!(home, Home::Unclear);
        }
        let confirms = value.confirms_bytes();
        self.keep(session, (value, 0), exchange, None);
        if confirms {
            self.remember_stray(session);
        }
        // It says nothing of what follows.
        if matches!(home, Home::Unclear)
            && last.is_some()
            && let Some(channel) = self.connections.get_mut(&connection.id)
        {
            channel.last = last;
        }
    }

    /// The session that was last spoken of on a connection before a frame: a hole may have held back what comes now.
    /// Where there is none, the last one.
    fn spoken_before(&self, connection: u64, frame: u64) -> Option<Number> {
        let channel = self.connections.get(&connection)?;
        let is_before = |exchange: &Exchange| exchange.span().first.frame < frame;
        let newest = channel.spoken.and_then(|(_, session, index)| self.value(session, index));
        if newest.is_none_or(is_before) {
            return channel.last;
        }
        let spoke = |number: &Number| {
            let open = self.open.get(*number).filter(|open| !open.unclear)?;
            let mut last = open.exchanges.iter().rev().take(RECENT);
            let own = last.find(|one| one.connection == connection && is_before(one))?;
            Some((own.span().first.frame, *number))
        };
        let before = channel.sessions.iter().rev().take(RIVALS).filter_map(spoke).max();
        before.map(|(_, number)| number).or(channel.last)
    }

    fn remember_stray(&mut self, session: Number) {
        if self.strays.back() == Some(&session)
            || !self.open.get(session).is_some_and(Open::is_preflight)
        {
            return;
        }
        if self.strays.len() >= REMEMBERED {
            self.strays.pop_front();
        }
        self.strays.push_back(session);
    }

    /// Where a response without its request belongs.
    fn home(&self, orphan: &Orphan<'_>) -> Home {
        let Orphan { answer, asked, last, .. } = *orphan;
        let response = answer.response.as_ref();
        let id = response.and_then(|response| response.session_id.as_deref()).map(canonical_id);
        let creates = response.is_some_and(|response| response.protocol.is_some());
        let at = answer.span().last;
        let known = id.as_deref().and_then(|id| {
            // Who gives an id again has forgotten the session that had it.
            let goes_on = |open: &Open| !creates || !open.is_over();
            let open = self.open.of_id(id, |open| open.has_client(asked) && goes_on(open));
            open.or_else(|| self.open.graves.find(id, asked, at).filter(|_| !creates))
        });
        match (id, creates) {
            (_, true) => {
                Home::Known(known.or_else(|| last.filter(|last| self.is_challenged(*last))))
            }
            (Some(_), _) => {
                let lacks_id = |open: &Open| open.id.is_none() && open.awaits_id();
                let is_its = |last: &Number| self.open.get(*last).is_some_and(lacks_id);
                Home::Known(known.or_else(|| last.filter(is_its)))
            }
            (None, false) => self.home_of_nameless(orphan),
        }
    }

    /// Where a response without request and id belongs. Of several uploads under way that have spoken on its
    /// connection, or to its server where none has, the range that it confirms may tell the one that it carries on.
    fn home_of_nameless(&self, orphan: &Orphan<'_>) -> Home {
        let Orphan { answer, asked, last, midstream } = *orphan;
        // An upload that the capture shows from its beginning, and that waits for nothing, has sent no bytes where that
        // shows no beginning of a connection.
        let elsewhere = midstream && last.is_none() && answer.confirms_bytes();
        let settled = |open: &Open| elsewhere && open.is_created() && open.is_heard();
        let own = |open: &Open| {
            open.has_ends(asked) && !open.is_over() && !open.unclear && !settled(open)
        };
        let is_of_next =
            |last: &Number| self.open.get(*last).is_some_and(|it| it.ends_before(answer));
        let anew = last.as_ref().is_some_and(is_of_next);
        let last = last.filter(|_| !anew);
        let newest = last.or_else(|| self.open.of_client(asked, own));
        if newest.is_none() && answer.says_lost() {
            // Who closed a session asks for it again where the answer was late: the server knows it no more.
            let closed = |open: &Open| open.has_ends(asked) && open.is_over();
            return Home::Known(self.open.of_client(asked, closed));
        }
        let usual = newest.and_then(|newest| self.open.get(newest));
        // Nothing but this may show that it was opened; or its requests are lost, or yet to come.
        let opens = |open: &Open| open.is_provisional() && (last.is_some() || open.is_challenged());
        if usual.is_none_or(|open| opens(open) || !open.is_asked()) {
            return Home::Known(newest);
        }
        let (at, connection) = (answer.span().first, answer.connection);
        let on_it = |open: &Open| last.is_none() || open.live.contains(&connection);
        let lost = |open: &Open| open.exchanges.last().is_some_and(Exchange::says_lost);
        let under_way =
            |open: &Open| own(open) && on_it(open) && open.is_under_way(at) && !lost(open);
        let rivals = self.open.all_of_client(asked, under_way);
        let next = answer.response.as_ref().and_then(|response| response.next_offset);
        let goes_on = |open: &Open| next.map_or(!anew, |next| open.may_reach(next));
        let mut fitting = rivals.iter().filter(|rival| self.open.get(**rival).is_some_and(goes_on));
        let beyond = |open: &Open| open.total() < next && open.total().is_some();
        match (fitting.next(), fitting.next()) {
            (Some(one), None) => Home::Known(Some(*one)),
            _ if usual.is_some_and(beyond) => Home::Unclear,
            _ if anew && rivals.is_empty() => Home::Known(None),
            _ if !anew && rivals.len() <= 1 => Home::Known(newest),
            _ => Home::Unclear,
        }
    }

    /// A session was closed, which no client does before the last byte is confirmed ([MC-BUP] 3.1.5.1.5): if that was
    /// not seen, an answer that belongs to no other session did it.
    pub(super) fn claim(&mut self, link: Link) {
        let Some(open) = self.open.get(link.session) else { return };
        let lacking = |total: &u64| open.may_reach(*total) && !open.awaits(*total);
        let Some(total) = open.total().filter(lacking) else { return };
        let Some(close) = open.exchanges.get(link.index).cloned() else { return };
        let asked = &Asked::of(&close);
        let fits =
            |open: &Open| open.is_preflight() && open.confirms(total) && may_be_of(open, asked);
        let mut strays = self.strays.iter().rev().copied();
        let found = strays.find(|stray| self.open.get(*stray).is_some_and(fits));
        if let Some(stray) = found {
            self.hand_over_all(stray, link.session);
        }
    }

    /// Answers of a connection were seen before their requests. Where credentials were asked for, one that opens a
    /// session later on, to a request that the capture lacks, is to the request that brought them.
    pub(super) fn let_in(&mut self, session: Number, connection: u64) {
        let Some(open) = self.open.get(session).filter(|_| self.is_challenged(session)) else {
            return;
        };
        let end = open.ended();
        let opened = |number: &Number| {
            let open = self.open.get(*number).filter(|_| *number != session);
            open.and_then(Open::opened_unasked).is_some_and(|at| at > end)
        };
        let sessions = self.connections.get(&connection).map(|channel| &channel.sessions);
        if let Some(opened) = sessions.and_then(|all| all.iter().copied().find(opened)) {
            self.hand_over_all(session, opened);
        }
    }

    /// A connection is over: of an upload that was on it or, where nothing was, of its client and server, the requests
    /// at its end may be missing, if what was sent there has room for what was to come, and a head of it cannot be
    /// read: the capture lacks it, or the keys to it.
    pub(super) fn note_lost_end(&mut self, connection: &Connection) {
        let client = connection.side(Side::Client);
        let channel = self.connections.get(&connection.id);
        let (unread, sent) = match channel {
            Some(channel) => (client.lost_by_capture, client.sent.saturating_sub(channel.acked)),
            None => {
                let hidden = hidden(connection);
                (hidden, hidden)
            }
        };
        let blank = connection.midstream && client.payload_bytes == 0;
        if blank && client.lost_by_capture < LEAST_REQUEST {
            self.note_lost_start(connection);
            return;
        }
        if unread.min(sent) < LEAST_REQUEST {
            return;
        }
        let end = client.last_data.filter(|_| channel.is_none()).unwrap_or(connection.last);
        let sessions = match channel {
            Some(channel) if self.is_answered(channel) => channel.sessions.clone(),
            Some(_) => return,
            None => self.under_way_between(connection),
        };
        for session in sessions {
            let Some(open) = self.open.get_mut(session) else { continue };
            if sent >= LEAST_REQUEST.saturating_add(open.unconfirmed()) {
                open.note_hole_before(end.frame);
                let told = channel.is_some_and(|channel| channel.acked > 0);
                open.asked_on = told.then_some(connection.id).or(open.asked_on);
            }
        }
    }

    /// Whether the last exchange of a connection that was kept has its answer.
    pub(super) fn is_answered(&self, channel: &Channel) -> bool {
        let value = channel.spoken.and_then(|(_, session, index)| self.value(session, index));
        value.is_none_or(|value| value.response.is_some())
    }

    /// Of a connection, nothing was seen but its end: of an upload that had begun before, it may have carried anything.
    fn note_lost_start(&mut self, connection: &Connection) {
        for session in self.under_way_between(connection) {
            let Some(open) = self.open.get_mut(session) else { continue };
            if open.began().is_some_and(|began| began < connection.first.frame) {
                open.note_hole_before(connection.first.frame);
            }
        }
    }

    /// The uploads under way between the ends of a connection.
    fn under_way_between(&self, connection: &Connection) -> Vec<Number> {
        let (client, server) = (connection.client.ip(), connection.server);
        self.open.between(client, server, |open| open.is_under_way(connection.last))
    }

    /// Requests may be missing ahead of one on a connection: of any session that spoke on it.
    pub(super) fn note_hole(&mut self, connection: u64) {
        let Some(channel) = self.connections.get_mut(&connection) else { return };
        self.holed += 1;
        channel.hole = self.holed;
    }

    /// A session asks: whether requests of it may be missing ahead of that.
    pub(super) fn take_hole(&mut self, session: Number) -> bool {
        let Some(open) = self.open.get_mut(session) else { return false };
        let mut latest = open.live.iter().rev().take(RECENT);
        let is_behind = std::mem::take(&mut open.behind_hole)
            || latest.any(|id| self.connections.get(id).is_some_and(|one| one.hole > open.holes));
        open.holes = self.holed;
        is_behind
    }
}

/// Bytes of the client of a connection that tell nothing of what it asked: TLS to which the keys are missing hides
/// them, or the capture lacks some, and perhaps the head, the request for a tunnel for instance, by which the rest
/// would be read.
fn hidden(connection: &Connection) -> u64 {
    let client = connection.side(Side::Client);
    match connection.tls_layers().find(|tls| tls.is_opaque()) {
        Some(closed) => closed.from_client.application_bytes,
        None if client.lost_by_capture > 0 => client.sent,
        None => 0,
    }
}

/// Whether answers, with a Ping or without, may be to what a client asked that is known by a request of it.
fn may_be_of(open: &Open, asked: &Asked<'_>) -> bool {
    match open.is_headless() {
        true => open.has_ends(asked),
        false => open.has_path(asked) && (open.has_host(asked) || open.has_server(asked)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::at::At;
    use crate::tls::{Facts, Traffic};

    #[test]
    fn what_nothing_tells_of_is_hidden_by_tls_without_keys_or_by_a_hole() {
        let at = |address: &str| address.parse().unwrap();
        let mut one = Connection::new(1, at("10.0.0.5:5"), at("10.0.0.9:443"), At::default());
        one.client_side.sent = 6_700;
        assert_eq!(hidden(&one), 0);
        one.client_side.lost_by_capture = 150;
        assert_eq!(hidden(&one), 6_700);
        let from_client =
            Traffic { application_records: 3, application_bytes: 6_400, ..Traffic::default() };
        let tls = Facts { from_client, ..Facts::default() };
        one.tls = Some(Box::new(tls.clone()));
        assert_eq!(hidden(&one), 6_400);
        one.client_side.lost_by_capture = 0;
        one.tls = Some(Box::new(Facts { decrypted: true, ..tls }));
        assert_eq!(hidden(&one), 0);
    }
}
