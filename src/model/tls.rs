//! TLS, connection by connection.

use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::at::Span;
use crate::stream::{Connection, SideFacts};
use crate::tls::{Alert, Facts, Likelihood};

/// The connections with TLS that are over, up to a cap; those that tell of no upload have a smaller one of their own.
#[derive(Clone, Debug, Default)]
pub struct TlsConnections {
    all: Vec<TlsConnection>,
    /// Which of them failed.
    failed: Vec<usize>,
    /// How many more that are telling, and how many more that are not, there is room for.
    telling: usize,
    ordinary: usize,
    omitted: u64,
}

impl TlsConnections {
    /// None so far, at most `telling` that [tell of an upload](TlsConnection::is_telling), and `ordinary` others.
    pub fn new(telling: usize, ordinary: usize) -> Self {
        Self { telling, ordinary, ..Self::default() }
    }

    /// Takes a connection that is over; TLS inside TLS counts by itself.
    pub fn closed(&mut self, connection: &Connection) {
        TlsConnection::all_of(connection).for_each(|one| self.add(one));
    }

    fn add(&mut self, one: TlsConnection) {
        let room = if one.is_telling() { &mut self.telling } else { &mut self.ordinary };
        let Some(less) = room.checked_sub(1) else {
            self.omitted += 1;
            return;
        };
        *room = less;
        if one.failed() {
            self.failed.push(self.all.len());
        }
        self.all.push(one);
    }

    /// Those whose handshake failed.
    pub fn failed(&self) -> impl Iterator<Item = &TlsConnection> {
        self.failed.iter().filter_map(|&index| self.all.get(index))
    }

    /// Those beyond the cap.
    pub const fn omitted(&self) -> u64 {
        self.omitted
    }

    /// All that were kept.
    pub fn finish(self) -> Vec<TlsConnection> {
        self.all
    }
}

/// The alert `certificate_required`.
const CERTIFICATE_REQUIRED: u8 = 116;

/// A connection with TLS.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TlsConnection {
    /// Number of the TCP connection.
    pub connection: u64,
    /// Who opened it.
    pub client: SocketAddr,
    /// Who accepted it; a proxy, where the TLS is in a tunnel.
    pub server: SocketAddr,
    /// Its frames.
    #[serde(flatten)]
    pub span: Span,
    /// It was seen to end, and nothing of it escaped the capture.
    #[serde(skip)]
    pub whole: bool,
    /// Bytes by which the server answered with no record of TLS, where nothing is around the TLS.
    #[serde(skip)]
    pub otherwise: u64,
    /// The rest.
    #[serde(flatten)]
    pub tls: Facts,
}

impl TlsConnection {
    /// The TLS connections within a TCP connection, each inside the one before.
    pub fn all_of(connection: &Connection) -> impl Iterator<Item = Self> {
        let lost = |side: &SideFacts| side.lost_by_capture + side.missing + side.cut > 0;
        let holed = lost(&connection.client_side) || lost(&connection.server_side);
        connection.tls_layers().enumerate().map(move |(depth, tls)| Self {
            connection: connection.id,
            client: connection.client,
            server: connection.server,
            span: connection.span(),
            whole: connection.is_over() && !connection.midstream && !holed,
            otherwise: match depth {
                0 if !tls.tunnel && tls.from_server.records == 0 => {
                    connection.server_side.payload_bytes
                }
                _ => 0,
            },
            tls: Facts { inside: None, ..tls.clone() },
        })
    }

    /// Whether it may hold an upload or explain why one stopped: it was opened, looks like one, or came to nothing.
    pub fn is_telling(&self) -> bool {
        self.tls.decrypted
            || self.tls.likelihood() > Likelihood::Unlikely
            || self.failed()
            || self.lacks_client_certificate()
    }

    /// The fatal alert that ended it, if that could be read.
    pub fn fatal(&self) -> Option<&Alert> {
        self.tls.alerts.iter().find(|alert| alert.fatal)
    }

    /// Whether it ended, as far as the capture tells, before any application data.
    pub fn failed(&self) -> bool {
        let begun = self.tls.client_hello_at.is_some();
        begun && !self.tls.is_established() && (self.whole || self.fatal().is_some())
    }

    /// Whether the server wanted a client certificate that it did not get, as far as that could be read.
    pub fn lacks_client_certificate(&self) -> bool {
        let tls = &self.tls;
        // A handshake that succeeded had an answer to that, if an empty one.
        let unread = !self.whole || tls.from_client.failed > 0 || tls.is_established();
        let sent_none = tls.client_certificate_sent.map_or(!unread, |sent| !sent);
        tls.client_certificate_requested && sent_none || self.is_told_so()
    }

    /// Whether the server said that it wants one (RFC 8446 6.2).
    fn is_told_so(&self) -> bool {
        self.fatal().is_some_and(|alert| alert.code == CERTIFICATE_REQUIRED && !alert.from_client)
    }

    /// Addresses and the name asked for, in words.
    pub fn in_words(&self) -> String {
        let name = self.tls.sni.as_ref().map(|name| format!(" (\"{name}\")")).unwrap_or_default();
        format!("{} to {}{name}", self.client.ip(), self.server)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::at::At;
    use crate::tls::Shape;

    /// A connection that is known from its beginning.
    pub(crate) fn connection(tls: Facts) -> TlsConnection {
        TlsConnection {
            connection: 1,
            client: "10.0.0.5:49231".parse().unwrap(),
            server: "10.0.0.9:443".parse().unwrap(),
            span: Span::default(),
            whole: true,
            otherwise: 0,
            tls,
        }
    }

    #[test]
    fn an_alert_is_enough_to_know_that_a_client_certificate_is_lacking() {
        let one = |from_client| {
            let at = At::default();
            let description = "certificate_required".to_owned();
            let alert = crate::tls::Alert { from_client, fatal: true, code: 116, description, at };
            let tls = Facts { alerts: vec![alert], ..Facts::default() };
            TlsConnection { whole: false, ..connection(tls) }
        };
        assert!(one(false).lacks_client_certificate());
        assert!(!one(true).lacks_client_certificate());
    }

    #[test]
    fn what_may_be_an_upload_is_kept_beyond_the_cap() {
        let mut all = TlsConnections::new(1, 0);
        let shape = Some(Shape { bits_upload: Likelihood::Possible, ..Shape::default() });
        all.add(connection(Facts { shape: Some(Shape::default()), ..Facts::default() }));
        all.add(connection(Facts { shape, ..Facts::default() }));
        assert_eq!((all.omitted(), all.finish()[0].tls.shape), (1, shape));
    }

    #[test]
    fn a_handshake_that_failed_is_kept_beyond_the_cap() {
        let mut all = TlsConnections::new(1, 2);
        (0..5).for_each(|_| all.add(connection(Facts::default())));
        let client_hello_at = Some(At::default());
        all.add(connection(Facts { client_hello_at, ..Facts::default() }));
        assert_eq!((all.omitted(), all.failed().count(), all.finish().len()), (3, 1, 3));
    }
}
