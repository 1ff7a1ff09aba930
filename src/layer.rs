//! What a connection speaks, and changing one's mind.

use crate::http::{self, Carrier, Parser, begins_exchange, begins_message};
use crate::limits::Limits;
use crate::stream::{self, Side};
use crate::tls::{self, Decryptor, KeyLog};

/// The protocol of one connection, or of a tunnel within it.
pub enum Layer {
    /// Not known yet.
    Detect(Detect),
    /// HTTP/1.x.
    Http(Box<Parser>),
    /// TLS, and what is inside.
    Tls(Box<(Decryptor, Layer)>),
    /// TLS that is over.
    Ended(Box<tls::Facts>),
    /// Nothing that can be read here.
    Opaque,
}

/// What is needed to recognise a protocol.
#[derive(Clone, Copy, Debug)]
pub struct Detect {
    carrier: Carrier,
    first_exchange: u32,
    looked_at: u64,
    /// The capture lacks bytes of the client so far.
    client_lost: bool,
    /// The capture lacks bytes of the server so far.
    server_lost: bool,
}

/// Bytes without a recognisable message after which a connection is given up. Greetings of other protocols and the
/// tail of a body whose start was not captured must fit.
const PATIENCE: u64 = 16 << 20;

/// That patience where the start of the connection was captured: only a greeting, as of a SOCKS proxy, comes first.
const GREETING: u64 = 64 << 10;

/// Tunnels and TLS around what is read. A chain of two HTTPS proxies makes five.
const DEEPEST: u8 = 8;

impl Default for Layer {
    fn default() -> Self {
        Self::new(Carrier::default(), 0)
    }
}

impl Layer {
    /// A layer that will find out; one that is too deep remains unread.
    pub const fn new(carrier: Carrier, first_exchange: u32) -> Self {
        if carrier.depth > DEEPEST {
            return Self::Opaque;
        }
        let (client_lost, server_lost) = (false, false);
        Self::Detect(Detect { carrier, first_exchange, looked_at: 0, client_lost, server_lost })
    }

    /// The event of a chunk that is nothing but a part of a body, as most are; all others are for
    /// [`push`](Self::push).
    #[inline(always)]
    pub fn pass<'e>(&mut self, event: &stream::Event<'e>) -> Option<http::Event<'e>> {
        match (self, event) {
            (Self::Http(parser), stream::Event::Data(chunk)) => parser.pass(chunk),
            _ => None,
        }
    }

    /// Takes one stream event.
    pub fn push(
        &mut self,
        event: &stream::Event<'_>,
        keys: &KeyLog,
        limits: &Limits,
        out: &mut impl FnMut(http::Event<'_>),
    ) {
        if let Self::Detect(detect) = self
            && let Some(found) = detect.look(event, limits)
        {
            *self = found;
        }
        match self {
            Self::Detect(_) | Self::Ended(_) | Self::Opaque => {}
            Self::Http(parser) => parser.push(event, keys, limits, out),
            Self::Tls(both) => {
                let (decryptor, inner) = &mut **both;
                decryptor.push(*event, keys, &mut |event| inner.push(&event, keys, limits, out));
                self.settle();
            }
        }
    }

    /// Of TLS that is over only the facts stay: its connection is remembered for a while.
    fn settle(&mut self) {
        if let Self::Tls(both) = self
            && both.0.is_over()
            && !both.1.waits()
        {
            let facts = std::mem::replace(self, Self::Opaque).into_tls();
            *self = facts.map_or(Self::Opaque, Self::Ended);
        }
    }

    /// Whether something waits for TLS keys, here or in a tunnel.
    pub fn waits(&self) -> bool {
        match self {
            Self::Tls(both) => both.0.waits() || both.1.waits(),
            Self::Http(parser) => parser.tunnel.as_deref().is_some_and(Self::waits),
            Self::Detect(_) | Self::Ended(_) | Self::Opaque => false,
        }
    }

    /// Whether the roles of a connection whose start was not seen are the wrong way round: its first message is a
    /// response from the supposed client, or a request from the supposed server; the same goes for the hellos of TLS.
    pub fn is_backwards(&self, event: &stream::Event<'_>) -> bool {
        let (Self::Detect(_), stream::Event::Data(chunk)) = (self, event) else { return false };
        if let Some(side) = tls::sender_of(chunk.bytes) {
            return side != chunk.side;
        }
        let response = chunk.bytes.starts_with(b"HTTP");
        let message = response || begins_message(chunk.bytes).is_certain();
        message && response == (chunk.side == Side::Client)
    }

    /// Whether no event can matter any more. Of a connection that is `whole` so far that shows soon.
    pub const fn is_opaque(&self, whole: bool) -> bool {
        match self {
            Self::Opaque => true,
            Self::Detect(detect) => whole && detect.looked_at > GREETING && !detect.lacks_bytes(),
            _ => false,
        }
    }

    /// What is known of the TLS connection in the end, here or in a tunnel.
    pub fn into_tls(self) -> Option<Box<tls::Facts>> {
        match self {
            Self::Tls(both) => {
                let (decryptor, inner) = *both;
                let inside = inner.into_tls();
                Some(Box::new(tls::Facts { inside, ..decryptor.into_facts() }))
            }
            Self::Http(parser) => {
                let facts = parser.tunnel?.into_tls()?;
                Some(Box::new(tls::Facts { tunnel: true, ..*facts }))
            }
            Self::Ended(facts) => Some(facts),
            Self::Detect(_) | Self::Opaque => None,
        }
    }

    /// Goes on with what waits for TLS keys, if new ones came; the `last` time it stops waiting.
    pub fn resume(
        &mut self,
        last: bool,
        keys: &KeyLog,
        limits: &Limits,
        out: &mut dyn FnMut(http::Event<'_>),
    ) {
        let mut out = out;
        match self {
            Self::Tls(both) => {
                let (decryptor, inner) = &mut **both;
                let mut hand =
                    |event: stream::Event<'_>| inner.push(&event, keys, limits, &mut out);
                match last {
                    true => decryptor.give_up(keys, &mut hand),
                    false => decryptor.retry(keys, &mut hand),
                }
                inner.resume(last, keys, limits, out);
                self.settle();
            }
            Self::Http(parser) => {
                if let Some(tunnel) = &mut parser.tunnel {
                    tunnel.resume(last, keys, limits, out);
                }
            }
            Self::Detect(_) | Self::Ended(_) | Self::Opaque => {}
        }
    }

    /// What is known of the TLS connection, here or in a tunnel.
    pub fn tls(&self) -> Option<&tls::Facts> {
        match self {
            Self::Tls(both) => Some(both.0.facts()),
            Self::Http(parser) => parser.tunnel.as_deref()?.tls(),
            Self::Ended(facts) => Some(facts),
            Self::Detect(_) | Self::Opaque => None,
        }
    }
}

impl Detect {
    const fn lacks_bytes(&self) -> bool {
        self.client_lost || self.server_lost
    }

    fn look(&mut self, event: &stream::Event<'_>, limits: &Limits) -> Option<Layer> {
        if let stream::Event::Gap { side, .. } = event {
            match side {
                Side::Client => self.client_lost = true,
                Side::Server => self.server_lost = true,
            }
        }
        let stream::Event::Data(chunk) = event else { return None };
        if tls::looks_like_tls(chunk.bytes) {
            let inner = Layer::new(self.carrier.tls(), self.first_exchange);
            let decryptor = Decryptor::new(limits.tls_waiting);
            return Some(Layer::Tls(Box::new((decryptor, inner))));
        }
        let text = behind_proxy_line(chunk.bytes).trim_ascii_start();
        if text.is_empty() || begins_exchange(text).is_possible() {
            let mut parser = Parser::new(self.carrier, self.first_exchange);
            if self.client_lost {
                parser.begin_behind_hole(Side::Client);
            }
            if self.server_lost {
                parser.begin_behind_hole(Side::Server);
            }
            return Some(Layer::Http(Box::new(parser)));
        }
        self.looked_at += chunk.bytes.len() as u64;
        (self.looked_at > PATIENCE).then_some(Layer::Opaque)
    }
}

/// What follows the line that a balancer may put in front of a connection (PROXY protocol, version 1, 2.1).
fn behind_proxy_line(bytes: &[u8]) -> &[u8] {
    if !bytes.starts_with(b"PROXY ") {
        return bytes;
    }
    let end = memchr::memchr(b'\n', bytes);
    end.and_then(|end| bytes.get(end + 1..)).filter(|rest| !rest.is_empty()).unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::at::At;
    use crate::stream::{Carriage, Chunk};

    #[test]
    fn a_line_of_the_proxy_protocol_hides_no_request() {
        let bytes = b"PROXY TCP4 10.0.0.1 10.0.0.2 4000 80\r\nBITS_POST / HTTP/1.1\r\n\r\n";
        let (at, carriage) = (At::default(), Carriage::default());
        let chunk = Chunk { at, side: Side::Client, offset: 0, acked: 0, carriage, bytes };
        let (keys, limits, mut heads) = (KeyLog::default(), Limits::default(), 0);
        Layer::default().push(&stream::Event::Data(chunk), &keys, &limits, &mut |event| {
            heads += u32::from(matches!(event, http::Event::Head { .. }));
        });
        assert_eq!(heads, 1);
    }

    #[test]
    fn what_is_neither_http_nor_tls_is_let_go_unless_its_start_may_be_missing() {
        let (at, carriage, bytes) = (At::default(), Carriage::default(), [0; 1000]);
        let (keys, limits) = (KeyLog::default(), Limits::default());
        let opaque = |lost: bool, whole| {
            let mut layer = Layer::default();
            let side = Side::Client;
            if lost {
                let gap = stream::Event::Gap { at, side, offset: 0, len: 9 };
                layer.push(&gap, &keys, &limits, &mut |_| {});
            }
            let pushed = (0..100).position(|number| {
                let offset = number * 1000;
                let chunk = Chunk { at, side, offset, acked: 0, carriage, bytes: &bytes };
                layer.push(&stream::Event::Data(chunk), &keys, &limits, &mut |_| {});
                layer.is_opaque(whole)
            });
            pushed.is_some()
        };
        assert!(opaque(false, true));
        assert!(!opaque(false, false) && !opaque(true, true));
    }
}
