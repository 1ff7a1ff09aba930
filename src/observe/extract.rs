//! The uploaded files themselves, put together from their Fragments.
//!
//! Bodies go to a spool as they pass; the files are made at the end, when it is known which session each Fragment is of
//! and which the server accepted.

mod assemble;
mod files;
mod kept;
pub mod manifest;
mod proof;
mod spool;

use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::Observer;
use crate::at::Span;
use crate::bits::{decode, fields::ContentRange};
use crate::http::{Event, Head, Start};
use crate::sessions::replies::{leads_to, normal};
use crate::stream::{Connection, Side};

use spool::{Piece, Spool};

/// Reply URLs that are looked out for, the latest ones.
const AWAITED: usize = 1_024;

/// Takes the files out of what passes.
pub struct Extract {
    dir: PathBuf,
    spool: Spool,
    limit: u64,
    bodies: Vec<Body>,
    /// The bodies under way, by connection.
    open: HashMap<u64, Vec<Open>, RandomState>,
    awaited: VecDeque<String>,
    result: io::Result<()>,
}

/// A body under way.
struct Open {
    exchange: u32,
    side: Side,
    /// Its place among the bodies; none for the request for a reply.
    body: Option<usize>,
    /// The reply that is asked for.
    reply: Option<String>,
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
                    self.begin(
                        connection,
                        exchange,
                        Side::Client,
                        span,
                        (start, range.total),
                        None,
                    );
                }
            }
            Start::Request { method: "GET", target } if !self.awaited.is_empty() => {
                let path = normal(target);
                let fits = |awaited: &&String| leads_to(&path, awaited);
                let Some(reply) = self.awaited.iter().rev().find(fits).cloned() else { return };
                let asked = Open { exchange, side: Side::Client, body: None, reply: Some(reply) };
                self.open.entry(connection.id).or_default().push(asked);
            }
            Start::Request { .. } => {}
            Start::Response { status, .. } => {
                if let Some(url) = head.field("BITS-Reply-URL") {
                    self.expect(normal(&decode::text(url)));
                }
                let asked = self.take(connection.id, exchange, Side::Client, true);
                let Some(reply) = asked.and_then(|open| open.reply) else { return };
                let place = match (status, range()) {
                    (200, _) => (0, head.content_length),
                    (206, Some(ContentRange { start: Some(start), total, .. })) => (start, total),
                    _ => return,
                };
                self.begin(connection, exchange, Side::Server, span, place, Some(reply));
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

    fn begin(
        &mut self,
        connection: &Connection,
        exchange: u32,
        side: Side,
        span: Span,
        (start, total): (u64, Option<u64>),
        reply: Option<String>,
    ) {
        let body = Some(self.bodies.len());
        self.open.entry(connection.id).or_default().push(Open {
            exchange,
            side,
            body,
            reply: None,
        });
        self.bodies.push(Body {
            connection: connection.id,
            client: connection.client.ip(),
            span,
            start,
            total,
            reply,
            pieces: Vec::new(),
        });
    }

    /// Takes what is under way off the list; with `asked` the request for a reply, else a body.
    fn take(&mut self, connection: u64, exchange: u32, side: Side, asked: bool) -> Option<Open> {
        let open = self.open.get_mut(&connection)?;
        let is = |open: &Open| {
            open.exchange == exchange && open.side == side && open.body.is_none() == asked
        };
        open.iter().position(is).map(|place| open.remove(place))
    }

    fn body(&mut self, connection: u64, exchange: u32, side: Side) -> Option<&mut Body> {
        let open = self.open.get(&connection)?;
        let place = open.iter().find(|open| open.exchange == exchange && open.side == side)?.body?;
        self.bodies.get_mut(place)
    }
}

impl Observer for Extract {
    fn http(&mut self, connection: &Connection, event: &Event<'_>) {
        match *event {
            Event::Head { exchange, span, ref head, .. } => {
                self.head(connection, exchange, span, head)
            }
            Event::Body { exchange, side, at, offset, bytes } => {
                let Some(open) = self.open.get(&connection.id) else { return };
                let own = open.iter().find(|open| open.exchange == exchange && open.side == side);
                let Some(body) = own.and_then(|open| self.bodies.get_mut(open.body?)) else {
                    return;
                };
                body.span.extend(at);
                let offset = body.start.saturating_add(offset);
                let put = self.spool.put(&mut body.pieces, offset, bytes);
                if self.result.is_ok() {
                    self.result = put;
                }
            }
            Event::End { exchange, side, span, .. } => {
                if let Some(body) = self.body(connection.id, exchange, side) {
                    body.span.cover(span);
                    self.take(connection.id, exchange, side, false);
                }
            }
            Event::Gap { .. } | Event::Stray { .. } => {}
        }
    }

    fn closed(&mut self, connection: &Connection) {
        self.open.remove(&connection.id);
    }

    fn has_enough(&self) -> bool {
        self.result.is_err()
    }
}
