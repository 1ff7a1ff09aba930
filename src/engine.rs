//! Frames in, HTTP events out.

use std::collections::BTreeMap;

use crate::at::At;
use crate::capture::Frame;
use crate::http;
use crate::layer::Layer;
use crate::limits::Limits;
use crate::packet::{Decoder, IcmpError, Packet, Skip};
use crate::stream::{Connection, Event, Icmp, Table, Verdict};
use crate::tls::KeyLog;

/// Decodes packets, orders streams and parses HTTP, in TLS too where the keys are known.
pub struct Engine {
    decoder: Decoder,
    table: Table<Layer>,
    keys: KeyLog,
    limits: Limits,
    skipped: BTreeMap<Skip, u64>,
    last: At,
    tls_opaque: u64,
    lost_bytes: u64,
    one_sided: u64,
    waiting: Waiting,
}

/// What waits for TLS keys over all connections.
#[derive(Default)]
struct Waiting {
    bytes: usize,
    given_up: u64,
}

impl Engine {
    /// An engine that stays within `limits`.
    pub fn new(limits: Limits) -> Self {
        Self {
            decoder: Decoder::new(&limits),
            table: Table::new(&limits),
            keys: KeyLog::default(),
            limits,
            skipped: BTreeMap::new(),
            last: At::default(),
            tls_opaque: 0,
            lost_bytes: 0,
            one_sided: 0,
            waiting: Waiting::default(),
        }
    }

    /// Takes TLS secrets, as lines of an NSS key log.
    pub fn secrets(&mut self, text: &[u8]) {
        self.keys.add(text);
    }

    /// Takes a frame.
    pub fn push(&mut self, frame: &Frame<'_>, mut out: impl FnMut(&Connection, http::Event<'_>)) {
        self.last = frame.at;
        match self.decoder.push(frame) {
            Ok(Packet::Tcp(segment)) => {
                let (keys, limits, waiting) = (&self.keys, &self.limits, &mut self.waiting);
                self.table.push(&segment, &mut |connection, layer, event| {
                    deliver(connection, layer, event, keys, limits, waiting, &mut out)
                });
            }
            Ok(Packet::Icmp(error)) => self.note(&error),
            Ok(Packet::Udp(_)) => {}
            Err(reason) => *self.skipped.entry(reason).or_default() += 1,
        }
    }

    /// Keeps an ICMP error with the connection that it is about.
    fn note(&mut self, error: &IcmpError) {
        let id = self.table.find(error.quoted_from, error.quoted_to);
        if let Some((connection, _)) = id.and_then(|id| self.table.lend(id)) {
            let IcmpError { at, from, kind: (kind, code), mtu, .. } = *error;
            connection.icmp.get_or_insert(Icmp { at, from, kind, code, mtu });
        }
    }

    /// A connection that is over; to be called until `None`.
    pub fn closed(&mut self) -> Option<Connection> {
        let (connection, layer) = self.table.closed()?;
        self.waiting.bytes = self.waiting.bytes.saturating_sub(layer.waiting_bytes());
        self.tls_opaque += u64::from(layer.tls().is_some_and(|tls| !tls.decrypted));
        if connection.is_one_sided() {
            self.one_sided += 1;
        } else {
            self.lost_bytes +=
                connection.client_side.lost_by_capture + connection.server_side.lost_by_capture;
        }
        Some(connection)
    }

    /// Ends every connection; nothing follows.
    pub fn finish(&mut self, mut out: impl FnMut(&Connection, http::Event<'_>)) {
        let (keys, limits, waiting) = (&self.keys, &self.limits, &mut self.waiting);
        self.table.finish(self.last, &mut |connection, layer, event| {
            deliver(connection, layer, event, keys, limits, waiting, &mut out)
        });
    }

    /// The last frame taken.
    pub const fn last(&self) -> At {
        self.last
    }

    /// What was passed over or lost so far.
    pub fn quality(&self) -> crate::model::report::Quality {
        crate::model::report::Quality {
            connections: self.table.seen(),
            skipped: self.skipped.iter().map(|(reason, count)| (reason.name(), *count)).collect(),
            lost_bytes: self.lost_bytes,
            connections_forgotten: self.table.forgotten(),
            bytes_given_up: self.table.given_up(),
            datagrams_forgotten: self.decoder.dropped(),
            exchanges_omitted: 0,
            tls_given_up: self.waiting.given_up,
            attempts_omitted: 0,
            one_sided: self.one_sided,
            tls_opaque: self.tls_opaque,
        }
    }
}

fn deliver(
    connection: &mut Connection,
    layer: &mut Layer,
    event: Event<'_>,
    keys: &KeyLog,
    limits: &Limits,
    waiting: &mut Waiting,
    out: &mut impl FnMut(&Connection, http::Event<'_>),
) -> Verdict {
    if connection.midstream && layer.is_backwards(&event) {
        return Verdict::Swap;
    }
    let before = layer.waiting_bytes();
    layer.push(event, keys, limits, &mut |event| out(connection, event));
    let others = waiting.bytes.saturating_sub(before);
    if others + layer.waiting_bytes() > limits.tls_waiting_in_all {
        waiting.given_up += 1;
        layer.give_up(keys, limits, &mut |event| out(connection, event));
    }
    waiting.bytes = others + layer.waiting_bytes();
    if layer.is_opaque() { Verdict::Ignore } else { Verdict::Go }
}
