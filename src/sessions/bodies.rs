//! What the bodies of messages bring: how much of them there is, where they have holes, and what they begin with.

use super::beginning::Beginning;
use super::{Link, Sessions};
use crate::at::{At, Span};
use crate::bits::decode;
use crate::http;
use crate::model::exchange::{Body, Hole, Request, Response, Stray};
use crate::observe::Observer;
use crate::rules::origin;
use crate::stream::{Connection, Side};

/// Bytes of a file by which its type is told.
const FILE_START: usize = 4 << 10;

/// Bytes of a response body kept as evidence of who answered.
pub(super) const BODY_START: usize = 512;

/// Holes that each body may have; further ones are joined to the last.
const HOLES: u64 = 64;

/// Bytes of a body that are seen for each hole beyond those: enough to tell every one apart where up to one segment in
/// twenty is missing, and holes never take more room than what lies between them.
const SEEN_PER_HOLE: u64 = 32 << 10;

/// Runs of stray bytes kept per exchange.
const STRAYS: usize = 4;

impl Sessions {
    #[inline(always)]
    pub(super) fn body(
        &mut self,
        connection: &Connection,
        exchange: u32,
        side: Side,
        at: At,
        offset: u64,
        bytes: &[u8],
    ) {
        let Some(link) = self.link_of_body(connection.id, exchange) else {
            if side == Side::Server {
                self.early.body((connection.id, exchange), offset, bytes);
            }
            return;
        };
        let Some(open) = self.open.get_mut(link.session) else { return };
        open.touch(at);
        let Some(value) = open.exchanges.get_mut(link.index) else { return };
        match side {
            Side::Client => {
                let Some(request) = &mut value.request else { return };
                request.body.started.get_or_insert(at.time);
                request.body.bytes += bytes.len() as u64;
                match is_late(connection, request, value.response.as_ref(), at) {
                    true => request.add_late(bytes.len() as u64),
                    false => request.note_pause(&at),
                }
                request.span.extend(at);
                if link.start == Some(0)
                    && offset < FILE_START as u64
                    && let Some(channel) = self.connections.get_mut(&connection.id)
                    && channel.file.keep(exchange, offset, bytes, FILE_START)
                {
                    name_type(request, &channel.file.take(exchange));
                }
                if let (Some(start), Some(digest)) = (link.start, &mut open.digest)
                    && value.response.as_ref().is_none_or(Response::is_success)
                {
                    let key = (connection.id, exchange);
                    digest.data(&mut self.hashing, key, start.saturating_add(offset), bytes);
                }
            }
            Side::Server => {
                let Some(response) = &mut value.response else { return };
                response.body.started.get_or_insert(at.time);
                response.body.bytes += bytes.len() as u64;
                if offset < BODY_START as u64
                    && let Some(channel) = self.connections.get_mut(&connection.id)
                {
                    channel.answer.keep(exchange, offset, bytes, BODY_START);
                    response.rare.edit().body_start = decode::text(channel.answer.bytes());
                }
            }
        }
    }

    /// Where a part of a body goes: most go where the one before went.
    #[inline(always)]
    fn link_of_body(&mut self, connection: u64, exchange: u32) -> Option<Link> {
        match self.last {
            Some((id, link)) if (id, link.exchange) == (connection, exchange) => Some(link),
            _ => {
                let link = *self.link(connection, exchange)?;
                self.last = Some((connection, link));
                Some(link)
            }
        }
    }

    pub(super) fn gap(
        &mut self,
        connection: &Connection,
        exchange: u32,
        side: Side,
        offset: u64,
        len: u64,
    ) {
        if let Some(body) = self.body_of(connection, exchange, side) {
            add_hole(body, offset, len);
        }
        if side == Side::Client {
            self.holes.add_of_body(connection.id, len);
        }
    }

    /// A request whose head is cut off has so many bytes behind what there is of that. Where they are enough for the
    /// body that it announces, that was sent, though nothing tells where it begins.
    pub(super) fn unread(&mut self, connection: &Connection, exchange: u32, at: At, len: u64) {
        let Some(link) = self.link(connection.id, exchange).copied() else { return };
        let value = self.open.get_mut(link.session).and_then(|o| o.exchanges.get_mut(link.index));
        let Some(request) = value.and_then(|value| value.request.as_mut()) else { return };
        let range = || request.content_range.as_ref()?.len();
        let Some(length) = request.content_length.or_else(range).filter(|length| *length <= len)
        else {
            return;
        };
        if length > 0 && request.body.bytes == 0 {
            add_hole(&mut request.body, 0, length);
            request.body.end(http::End::Complete);
            request.span.extend(at);
        }
    }

    pub(super) fn stray(
        &mut self,
        connection: &Connection,
        side: Side,
        at: At,
        len: u64,
        after: Option<u32>,
    ) {
        let Some(place) = self.connections.get(&connection.id).and_then(|channel| channel.spoken)
        else {
            return;
        };
        let (number, session, index) = place;
        if after != Some(number) {
            return;
        }
        let value = self.open.get_mut(session).and_then(|open| open.exchanges.get_mut(index));
        if let Some(value) = value.filter(|value| value.stray.len() < STRAYS) {
            value.rare.edit().stray.push(Stray { side, frame: at.frame, bytes: len });
        }
    }

    pub(super) fn body_of(
        &mut self,
        connection: &Connection,
        exchange: u32,
        side: Side,
    ) -> Option<&mut Body> {
        let link = *self.link(connection.id, exchange)?;
        let value = self.open.get_mut(link.session)?.exchanges.get_mut(link.index)?;
        match side {
            Side::Client => value.request.as_mut().map(|request| &mut request.body),
            Side::Server => value.response.as_mut().map(|response| &mut response.body),
        }
    }

    pub(super) fn end(
        &mut self,
        connection: &Connection,
        exchange: u32,
        side: Side,
        span: Span,
        why: http::End,
        observer: &mut impl Observer,
    ) {
        if let Some(body) = self.body_of(connection, exchange, side) {
            body.end(why);
        }
        if side == Side::Server {
            self.early.end((connection.id, exchange), span, why);
        }
        let Some(channel) = self.connections.get_mut(&connection.id) else { return };
        let Some(link) = channel.link(exchange) else { return };
        link.request_over |= side == Side::Client;
        let link = *link;
        let Some(open) = self.open.get_mut(link.session) else { return };
        open.touch(span.last);
        let Some(value) = open.exchanges.get_mut(link.index) else { return };
        match side {
            Side::Client => value.request.iter_mut().for_each(|request| {
                request.span.cover(span);
                if link.start == Some(0) {
                    name_type(request, &channel.file.take(exchange));
                }
            }),
            Side::Server => {
                value.response.iter_mut().for_each(|response| {
                    response.span.cover(span);
                    channel.answer = Beginning::default();
                });
                origin::settle(value);
            }
        }
        let answered = link.answer_over || side == Side::Server && value.response.is_some();
        if answered && (link.request_over || value.request.is_none()) {
            observer.exchange(value);
            // Without its request it is kept: that may be held for want of an earlier segment.
            if link.request_over {
                channel.exchanges.retain(|other| other.exchange != exchange);
            }
        } else if answered && let Some(link) = channel.link(exchange) {
            link.answer_over = true;
        }
    }

    /// One side of a connection has ended: its client may ask anew on another one.
    pub fn ended(&mut self, connection: &Connection) {
        let Some(channel) = self.connections.get(&connection.id) else { return };
        for session in &channel.sessions {
            if let Some(open) = self.open.get_mut(*session) {
                open.ended = Some(connection.id);
            }
        }
    }
}

/// Whether bytes of a request come behind its answer, or the server closed its side within it; what is acknowledged
/// when it comes was sent before, and another tap captured it.
#[inline(always)]
fn is_late(connection: &Connection, request: &Request, answer: Option<&Response>, at: At) -> bool {
    let over = match (answer, connection.server_side.fin) {
        (Some(answer), _) => answer.span.first.frame,
        (None, Some(fin)) if fin.frame > request.span.first.frame => fin.frame,
        _ => return false,
    };
    over < at.frame && connection.client_side.unacked() > 0
}

/// Tells what a file is by its first bytes.
#[inline(never)]
fn name_type(request: &mut Request, start: &[u8]) {
    if let Some(kind) = infer::get(start) {
        request.rare.edit().file_type = Some(kind.mime_type().to_owned());
    }
}

fn add_hole(body: &mut Body, offset: u64, len: u64) {
    body.bytes = body.bytes.saturating_add(len);
    let lacks = body.lacks.edit();
    lacks.uncaptured = lacks.uncaptured.saturating_add(len);
    let room = HOLES + body.bytes.saturating_sub(lacks.uncaptured) / SEEN_PER_HOLE;
    let full = lacks.holes.len() as u64 >= room;
    match lacks.holes.last_mut() {
        Some(last) if full || last.offset + last.bytes == offset => {
            last.bytes = offset.saturating_add(len).saturating_sub(last.offset);
        }
        _ => lacks.holes.push(Hole { offset, bytes: len }),
    }
}
