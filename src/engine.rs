//! Frames in, HTTP events out.

use std::collections::BTreeMap;

use crate::at::At;
use crate::capture::Frame;
use crate::dns::Resolver;
use crate::http;
use crate::layer::Layer;
use crate::limits::Limits;
use crate::model::Lookup;
use crate::packet::{Decoder, IcmpError, Packet, Skip};
use crate::stream::{Connection, Event, Icmp, Table, Verdict};
use crate::tls::{KeyLog, RsaKeyError};

/// Decodes packets, orders streams and parses HTTP, in TLS too where the keys are known.
pub struct Engine {
    decoder: Decoder,
    table: Table<Layer>,
    keys: KeyLog,
    resolver: Resolver,
    limits: Limits,
    skipped: BTreeMap<Skip, u64>,
    last: At,
    tls_opaque: u64,
    lost_bytes: u64,
    one_sided: u64,
}

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
            one_sided: 0,
        }
    }

    /// Takes TLS secrets, as lines of an NSS key log.
    pub fn secrets(&mut self, text: &[u8]) {
        self.keys.add(text);
    }

    /// As [`Self::secrets`], of a file of this name.
    pub fn secrets_from(&mut self, source: &str, text: &[u8]) {
        self.keys.add_from(source, text);
    }

    /// Takes a server's RSA private key in PEM form, for TLS whose only secret it is.
    ///
    /// # Errors
    ///
    /// [`RsaKeyError`] where there is no such key.
    pub fn rsa_key(&mut self, pem: &[u8]) -> Result<(), RsaKeyError> {
        self.keys.add_rsa_key(pem)
    }

    /// Whether connections wait for keys: what more of them there are should be given now.
    pub fn waits_for_keys(&self) -> bool {
        self.keys.waiting_bytes() > 0
    }

    /// Takes a frame.
    pub fn push(&mut self, frame: &Frame<'_>, mut out: impl FnMut(&Connection, http::Event<'_>)) {
        self.last = frame.at;
        match self.decoder.push(frame) {
            Ok(Packet::Tcp(segment)) => {
                let (keys, limits) = (&self.keys, &self.limits);
                self.table.push(&segment, &mut |connection, layer, event| {
                    deliver(connection, layer, event, keys, limits, &mut out)
                });
            }
            Ok(Packet::Icmp(error)) => self.note(&error),
            Ok(Packet::Udp(datagram)) => self.resolver.push(&datagram),
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
        let (mut connection, layer) = self.table.closed()?;
        connection.tls = layer.into_tls();
        self.tls_opaque += u64::from(connection.tls.as_ref().is_some_and(|tls| tls.is_opaque()));
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
        let (keys, limits) = (&self.keys, &self.limits);
        self.table.finish(self.last, &mut |connection, layer, event| {
            deliver(connection, layer, event, keys, limits, &mut out)
        });
    }

    /// Names that could not be resolved; to be called at the end.
    pub fn lookups(self) -> Vec<Lookup> {
        self.resolver.finish()
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
            attempts_omitted: 0,
            tls_omitted: 0,
            lookups_omitted: self.resolver.omitted(),
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
    out: &mut impl FnMut(&Connection, http::Event<'_>),
) -> Verdict {
    if connection.midstream && layer.is_backwards(&event) {
        return Verdict::Swap;
    }
    layer.push(event, keys, limits, &mut |event| out(connection, event));
    if layer.is_opaque() { Verdict::Ignore } else { Verdict::Go }
}
