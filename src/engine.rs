//! Frames in, HTTP events out.
//!
//! Of an upload nearly every frame is a plain TCP segment with the next bytes of a body. It takes a short way on which
//! all is inlined: [`plain`], [`Table::push`], [`Layer::pass`]. Whatever else a frame may be goes by
//! [`Decoder::push`] and [`Layer::push`], which say the same and more.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::at::{At, Span};
use crate::capture::Frame;
use crate::dns::Resolver;
use crate::http::{self, Listener};
use crate::layer::Layer;
use crate::limits::Limits;
use crate::model::Lookup;
use crate::model::report::Quality;
use crate::packet::{Decoder, IcmpError, Packet, Skip, plain};
use crate::sides::Sides;
use crate::stream::{Connection, Event, Icmp, Owner, Table, Verdict};
use crate::tls::KeyLog;

/// Decodes packets, orders streams and parses HTTP, in TLS too where the keys are known.
pub struct Engine {
    decoder: Decoder,
    table: Table<Layer>,
    keys: KeyLog,
    resolver: Resolver,
    limits: Limits,
    /// Frames that hold nothing, by the reason.
    skipped: BTreeMap<Skip, u64>,
    /// The last frame taken.
    last: At,
    /// TLS layers of closed connections that could not be read.
    tls_opaque: u64,
    /// Bytes of closed connections that the capture lacks, where it has both directions.
    lost_bytes: u64,
    late_bytes: u64,
    /// The frames of the first such connection.
    lost_in: Option<Span>,
    sides: Sides,
    /// Open connections that no longer wait for TLS keys, to stay under the cap on what waits in all.
    tls_given_up: u64,
    duplicate_frames: u64,
    clock: Clock,
}

/// Reasons to skip a frame from which on further link types count as one: a header can name any number.
const REASONS: usize = 64;

impl Engine {
    /// An engine that stays within `limits`.
    pub fn new(limits: Limits) -> Self {
        Self {
            decoder: Decoder::new(&limits),
            table: Table::new(&limits),
            keys: KeyLog::default(),
            resolver: Resolver::new(limits.lookups),
            limits,
            skipped: BTreeMap::new(),
            last: At::default(),
            tls_opaque: 0,
            lost_bytes: 0,
            late_bytes: 0,
            lost_in: None,
            sides: Sides::default(),
            tls_given_up: 0,
            duplicate_frames: 0,
            clock: Clock::default(),
        }
    }

    /// The secrets and keys that open TLS, to add to them.
    pub const fn keys(&mut self) -> &mut KeyLog {
        self.table.resume_closed();
        &mut self.keys
    }

    /// Whether any connection waits for its keys.
    pub fn waits_for_keys(&self) -> bool {
        self.keys.waiting_bytes() > 0
    }

    /// Takes a frame.
    #[inline(always)]
    pub fn push(&mut self, frame: &Frame<'_>, out: &mut impl Listener) {
        self.clock.tick(&self.last, &frame.at);
        self.last = frame.at;
        let Self { table, keys, limits, tls_given_up, .. } = self;
        match plain(frame) {
            Some(Packet::Tcp(ref segment)) => {
                table.push(segment, &mut Delivery { keys, limits, tls_given_up, out });
            }
            Some(Packet::Udp(ref datagram)) => self.resolver.push(datagram),
            _ => self.push_other(*frame, out),
        }
    }

    /// Takes a frame of any kind.
    #[inline(never)]
    fn push_other(&mut self, frame: Frame<'_>, out: &mut impl Listener) {
        let Self { table, keys, limits, tls_given_up, .. } = self;
        match self.decoder.push(&frame) {
            Ok(Packet::Tcp(ref segment)) => {
                table.push(segment, &mut Delivery { keys, limits, tls_given_up, out });
            }
            Ok(Packet::Icmp(error)) => self.note(&error),
            Ok(Packet::Udp(datagram)) => self.resolver.push(&datagram),
            Err(reason) => self.skip(reason),
        }
    }

    /// Counts a frame that holds nothing.
    fn skip(&mut self, reason: Skip) {
        let told = self.skipped.len() < REASONS || self.skipped.contains_key(&reason);
        let reason = match reason {
            Skip::LinkType(_) if !told => Skip::OtherLinkType,
            reason => reason,
        };
        *self.skipped.entry(reason).or_default() += 1;
    }

    /// Keeps an ICMP error about what a client sent with its connection.
    fn note(&mut self, error: &IcmpError) {
        let id = self.table.find(error.quoted_from, error.quoted_to);
        if let Some(connection) = id.and_then(|id| self.table.connection_mut(id)) {
            let IcmpError { at, from, kind: (kind, code), mtu, quoted_from, .. } = *error;
            if quoted_from == connection.client {
                connection.report(Icmp { at, from, kind, code, mtu });
            }
        }
    }

    /// A connection that is over; to be called until `None`.
    pub fn closed(&mut self) -> Option<Connection> {
        let (mut connection, layer) = self.table.closed()?;
        connection.tls = layer.into_tls();
        self.tls_opaque += connection.tls_layers().filter(|tls| tls.is_opaque()).count() as u64;
        self.duplicate_frames += u64::from(connection.client_side.duplicate_frames)
            + u64::from(connection.server_side.duplicate_frames);
        self.sides.add(&connection);
        let lost = connection.lost_by_capture();
        if lost > 0 && !connection.is_one_sided() {
            self.lost_bytes += lost;
            self.late_bytes += connection.came_late();
            self.lost_in = self.lost_in.or_else(|| connection.lost_in());
        }
        Some(connection)
    }

    /// Whether there is one to be taken.
    pub fn has_closed(&self) -> bool {
        self.table.has_closed()
    }

    /// A connection that is not over.
    pub fn connection(&self, id: u64) -> Option<&Connection> {
        self.table.connection(id)
    }

    /// Ends a connection; to be called until false, when nothing follows.
    pub fn finish(&mut self, out: &mut impl Listener) -> bool {
        let Self { table, keys, limits, tls_given_up, .. } = self;
        table.finish(self.last, &mut Delivery { keys, limits, tls_given_up, out }) || {
            self.resolver.end();
            false
        }
    }

    /// Names that could not be resolved so far; those that no answer came for only at the end.
    pub fn lookups(&self) -> Vec<Lookup> {
        self.resolver.failures()
    }

    /// Those of clients with names.
    pub fn lookups_of(&self, asked: &[(IpAddr, String)]) -> Vec<Lookup> {
        self.resolver.failures_of(asked)
    }

    /// The last frame taken.
    pub const fn last(&self) -> At {
        self.last
    }

    /// The frames of the first connection that the capture lacks bytes of, whatever it was for.
    pub const fn lost_in(&self) -> Option<Span> {
        self.lost_in
    }

    /// What was passed over or lost so far.
    pub fn quality(&self) -> Quality {
        // Where no keys came, it was not the cap that kept a closed connection from being read.
        let closed = if self.keys.is_empty() { 0 } else { self.table.no_longer_waiting() };
        Quality {
            connections: self.table.seen(),
            skipped: self.skipped.iter().map(|(reason, count)| (reason.name(), *count)).collect(),
            lost_bytes: self.lost_bytes,
            late_bytes: self.late_bytes,
            connections_forgotten: self.table.forgotten(),
            closed_forgotten: self.table.closed_forgotten(),
            bytes_given_up: self.table.given_up(),
            datagrams_forgotten: self.decoder.dropped(),
            tls_given_up: self.tls_given_up + closed,
            lookups_omitted: self.resolver.omitted(),
            one_sided: self.sides.one_sided(),
            duplicate_frames: self.duplicate_frames,
            times_back: self.clock.times_back,
            first_back: self.clock.first_back,
            most_back_seconds: self.clock.first_back.map(|_| self.clock.most_back_secs),
            tls_opaque: self.tls_opaque,
            ..Quality::default()
        }
    }
}

/// How often the clock of the capture went back.
#[derive(Clone, Copy, Debug, Default)]
struct Clock {
    times_back: u64,
    first_back: Option<At>,
    most_back_secs: f64,
}

/// Steps back that are told, in nanoseconds; queues and interfaces of one host differ by milliseconds.
const LEAST_BACK_NANOS: i64 = 1_000_000_000;

impl Clock {
    #[inline(always)]
    fn tick(&mut self, last: &At, now: &At) {
        let back = now.time < last.time && last.time.since(now.time) >= LEAST_BACK_NANOS;
        if back && last.frame > 0 {
            self.times_back += 1;
            self.first_back.get_or_insert(*now);
            self.most_back_secs = self.most_back_secs.max(last.time.secs_since(now.time));
        }
    }
}

/// Hands what a connection yields to its layer, and what that makes of it to `out`.
struct Delivery<'a, O> {
    keys: &'a KeyLog,
    limits: &'a Limits,
    /// Connections that no longer wait for TLS keys, to stay under the cap on what waits in all.
    tls_given_up: &'a mut u64,
    out: &'a mut O,
}

impl<O: Listener> Owner<Layer> for Delivery<'_, O> {
    #[inline(always)]
    fn event(
        &mut self,
        connection: &mut Connection,
        layer: &mut Layer,
        event: &Event<'_>,
    ) -> Verdict {
        match layer.pass(event) {
            Some(event) => {
                self.out.http(connection, &event);
                Verdict::Go
            }
            None => self.deliver(connection, layer, *event),
        }
    }

    fn waits(&self, layer: &Layer) -> bool {
        layer.waits()
    }

    /// Those that are open have half of the room to themselves.
    fn keeps_too_many(&self, kept: usize) -> bool {
        kept > self.limits.tls_waiting_closed
            || self.keys.waiting_bytes() > self.limits.tls_waiting_in_all / 2
    }

    #[inline(never)]
    fn resume(&mut self, connection: &mut Connection, layer: &mut Layer, last: bool) {
        let Self { keys, limits, out, .. } = self;
        let last = last || keys.is_complete();
        layer.resume(last, keys, limits, &mut |event| out.http(connection, &event));
    }
}

impl<O: Listener> Delivery<'_, O> {
    #[inline(never)]
    fn deliver(
        &mut self,
        connection: &mut Connection,
        layer: &mut Layer,
        event: Event<'_>,
    ) -> Verdict {
        let Self { keys, limits, tls_given_up, out } = self;
        if connection.midstream && layer.is_backwards(&event) {
            return Verdict::Swap;
        }
        let mut out = |event: http::Event<'_>| out.http(connection, &event);
        let before = keys.waiting_bytes();
        layer.push(&event, keys, limits, &mut out);
        let waiting = keys.waiting_bytes();
        if waiting != before && waiting > limits.tls_waiting_in_all {
            **tls_given_up += 1;
            layer.resume(true, keys, limits, &mut out);
        }
        if matches!(event, Event::End { .. }) {
            self.out.ended(connection);
        }
        if layer.is_opaque(!connection.midstream) { Verdict::Ignore } else { Verdict::Go }
    }
}
