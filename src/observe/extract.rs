//! The uploaded files themselves, put together from their Fragments.
//!
//! Bodies go to a spool as they pass; the files are made at the end, when it is known which session each Fragment is of
//! and which the server accepted.

mod assemble;
mod contents;
mod files;
mod kept;
pub mod manifest;
mod proof;
mod spool;

use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use hashbrown::HashMap;

use super::Observer;
use crate::at::Span;
use crate::bits::{decode, fields::ContentRange};
use crate::http::{Event, Head, Start, is_interim};
use crate::model::url::{leads_to, normal};
use crate::stream::{Connection, Side};

use spool::{Piece, Spool};

/// Reply URLs that are looked out for, the latest ones; and requests for replies of one connection that wait for their
/// answer, the first ones.
const AWAITED: usize = 1_024;

/// Takes the files out of what passes.
pub struct Extract {
    dir: PathBuf,
    spool: Spool,
    limit: u64,
    /// Missing bytes that files may still have, where that has to be counted.
    room: Option<u64>,
    bodies: Vec<Body>,
    /// What is under way, by connection.
    open: HashMap<u64, Open>,
    awaited: VecDeque<String>,
    result: io::Result<()>,
}

/// What is under way on a connection.
#[derive(Default)]
struct Open {
    /// The exchanges that ask for a reply, and which.
    asked: VecDeque<(u32, String)>,
    /// The exchange of the body that comes, and its place among the bodies.
    client: Option<(u32, usize)>,
    server: Option<(u32, usize)>,
}

impl Open {
    /// The reply that this exchange asked for. Answers come in order.
    fn answer(&mut self, exchange: u32) -> Option<String> {
        while let Some((asked, _)) = self.asked.front()
            && *asked <= exchange
        {
            if let Some((asked, reply)) = self.asked.pop_front()
                && asked == exchange
            {
                return Some(reply);
            }
        }
        None
    }

    const fn body(&mut self, side: Side) -> &mut Option<(u32, usize)> {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }
}

/// A body that went by.
struct Body {
    connection: u64,
    client: IpAddr,
    span: Span,
    start: u64,
    /// Length of the file, where the head tells.
    total: Option<u64>,
    reply: Option<String>,
    pieces: Vec<Piece>,
}

impl Body {
    /// One that begins at `start` of a file of `total` bytes, and of which nothing came yet.
    fn new(connection: &Connection, span: Span, (start, total): (u64, Option<u64>)) -> Self {
        Self {
            connection: connection.id,
            client: connection.client.ip(),
            span,
            start,
            total,
            reply: None,
            pieces: Vec::new(),
        }
    }
}

impl Extract {
    /// For files in `dir`, which has to exist; those longer than `limit` bytes are only listed.
    ///
    /// # Errors
    ///
    /// Where nothing can be written to `dir`.
    pub fn new(dir: &Path, limit: Option<u64>) -> io::Result<Self> {
        Ok(Self::with(dir, Spool::new(dir)?, limit))
    }

    /// Writes nothing, and so cannot compare, hash or tell types.
    pub fn dry(limit: Option<u64>) -> Self {
        Self::with(Path::new(""), Spool::dry(), limit)
    }

    fn with(dir: &Path, spool: Spool, limit: Option<u64>) -> Self {
        Self {
            dir: dir.to_owned(),
            spool,
            limit: limit.unwrap_or(u64::MAX),
            room: files::ROOM,
            bodies: Vec::new(),
            open: HashMap::default(),
            awaited: VecDeque::new(),
            result: Ok(()),
        }
    }

    fn head(&mut self, connection: &Connection, exchange: u32, span: Span, head: &Head<'_>) {
        let range =
            || head.field("Content-Range").map(|raw| ContentRange::parse(&decode::text(raw)));
        match head.start {
            Start::Request { .. } if decode::is_bits(head) => {
                let Some(range) = range() else { return };
                let Some(start) = range.start else { return };
                if range.total.is_none_or(|total| total <= self.limit) {
                    let body = Body::new(connection, span, (start, range.total));
                    self.begin(exchange, Side::Client, body);
                }
            }
            Start::Request { method: "GET", target } if !self.awaited.is_empty() => {
                let path = normal(target);
                let fits = |awaited: &&String| leads_to(&path, awaited);
                let Some(reply) = self.awaited.iter().rev().find(fits).cloned() else { return };
                let asked = &mut self.open.entry(connection.id).or_default().asked;
                if asked.len() < AWAITED {
                    asked.push_back((exchange, reply));
                }
            }
            Start::Request { .. } => {}
            Start::Response { status, .. } if is_interim(status) => {}
            Start::Response { status, .. } => {
                if let Some(url) = head.field("BITS-Reply-URL") {
                    self.expect(normal(&decode::text(url)));
                }
                let open = self.open.get_mut(&connection.id);
                let Some(reply) = open.and_then(|open| open.answer(exchange)) else { return };
                let place = match (status, range()) {
                    (200, _) => (0, head.content_length.filter(|_| !head.odd.contradictory_length)),
                    (206, Some(ContentRange { start: Some(start), total, .. })) => (start, total),
                    _ => return,
                };
                let body = Body { reply: Some(reply), ..Body::new(connection, span, place) };
                self.begin(exchange, Side::Server, body);
            }
        }
    }

    fn expect(&mut self, path: String) {
        if path.is_empty() || self.awaited.contains(&path) {
            return;
        }
        if self.awaited.len() >= AWAITED {
            self.awaited.pop_front();
        }
        self.awaited.push_back(path);
    }

    fn begin(&mut self, exchange: u32, side: Side, body: Body) {
        let open = self.open.entry(body.connection).or_default();
        *open.body(side) = Some((exchange, self.bodies.len()));
        self.bodies.push(body);
    }

    /// The place of the body that comes.
    fn place(&mut self, connection: u64, exchange: u32, side: Side) -> Option<usize> {
        let body = *self.open.get_mut(&connection)?.body(side);
        body.filter(|(known, _)| *known == exchange).map(|(_, place)| place)
    }
}

impl Observer for Extract {
    fn http(&mut self, connection: &Connection, event: &Event<'_>) {
        match *event {
            Event::Head { exchange, span, ref head, .. } => {
                self.head(connection, exchange, span, head)
            }
            Event::Body { exchange, side, at, offset, bytes } => {
                let place = self.place(connection.id, exchange, side);
                let Some(body) = place.and_then(|place| self.bodies.get_mut(place)) else { return };
                body.span.extend(at);
                let offset = body.start.saturating_add(offset);
                let put = self.spool.put(&mut body.pieces, offset, bytes);
                if self.result.is_ok() {
                    self.result = put;
                }
            }
            Event::End { exchange, side, span, .. } => {
                let place = self.place(connection.id, exchange, side);
                let Some(body) = place.and_then(|place| self.bodies.get_mut(place)) else { return };
                body.span.cover(span);
                if let Some(open) = self.open.get_mut(&connection.id) {
                    *open.body(side) = None;
                }
            }
            Event::Gap { .. } | Event::Unread { .. } | Event::Stray { .. } => {}
        }
    }

    fn closed(&mut self, connection: &Connection) {
        self.open.remove(&connection.id);
    }

    fn has_enough(&self) -> bool {
        self.result.is_err()
    }
}
