//! HTTP/1.x messages from stream events (RFC 9112).

mod body;
mod chunked;
mod direction;
mod head;
mod line;
mod mend;
mod pairing;
mod parser;
mod pending;
mod resync;
#[cfg(test)]
mod tests;

use crate::at::{At, Span};
use crate::stream::{Connection, Side};

pub(crate) use head::{end_of_head, number};
pub use line::{Begins, begins_exchange, begins_message};
pub use parser::Parser;

/// A header field as written: no unfolding but of obsolete line folding, no decoding.
pub use httparse::Header;

/// The first line of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start<'a> {
    /// `method target HTTP/1.x`
    Request {
        /// The method as written.
        method: &'a str,
        /// The request target as written; bytes outside ASCII are percent-encoded.
        target: &'a str,
    },
    /// `HTTP/1.x status reason`
    Response {
        /// 100 to 999.
        status: u16,
        /// The reason phrase; may be empty.
        reason: &'a str,
    },
}

/// Forms that the grammar does not allow but that were understood.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Oddities {
    /// Lines that end in LF alone.
    pub bare_lf: bool,
    /// Obsolete line folding (RFC 9112 5.2).
    pub folded: bool,
    /// NUL bytes in the head.
    pub nul: bool,
    /// Other control characters in field values; they were replaced.
    pub control: bool,
    /// Lines that are no header field; they were left out.
    pub bad_lines: bool,
    /// Several Content-Length values that differ, or one beside chunked (RFC 9112 6.3).
    pub contradictory_length: bool,
    /// Another version than 1.0 and 1.1, or none (HTTP/0.9).
    pub version: bool,
    /// The capture lacks the end of the first line: a target may be longer.
    pub cut_line: bool,
}

/// The head of a message.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    /// Its first line.
    pub start: Start<'a>,
    /// 0 for HTTP/1.0, 1 for HTTP/1.1.
    pub minor_version: u8,
    /// Its fields in order.
    pub headers: &'a [Header<'a>],
    /// False where the capture lacks the end of the head: fields may be missing.
    pub whole: bool,
    /// The field in whose line the capture ends: its name is whole, its value may not be.
    pub cut: Option<Header<'a>>,
    /// Messages of the same side may be missing right before it: the capture has a hole there.
    pub after_gap: bool,
    /// A response that came before its request: that is held for want of an earlier segment, or the capture lacks it.
    pub unasked: bool,
    /// How far its sender had the stream of the other side; 0 where that is not known.
    pub acked: u64,
    /// Forms that had to be tolerated.
    pub odd: Oddities,
    /// What carries the message.
    pub carrier: Carrier,
    /// `Content-Length`: the first number, where several are there. Beside chunks, nothing goes by it.
    pub content_length: Option<u64>,
}

impl<'a> Head<'a> {
    /// Bytes of its texts.
    pub fn size(&self) -> usize {
        let line = match self.start {
            Start::Request { method, target } => method.len() + target.len(),
            Start::Response { reason, .. } => reason.len(),
        };
        line + self.headers.iter().map(|field| field.name.len() + field.value.len()).sum::<usize>()
    }

    /// The first value of a field, white space trimmed; the name is compared without case.
    pub fn field(&self, name: &str) -> Option<&'a [u8]> {
        self.headers
            .iter()
            .find(|h| h.name.eq_ignore_ascii_case(name))
            .map(|h| h.value.trim_ascii())
    }
}

#[cfg(test)]
impl<'a> Head<'a> {
    /// One without fields.
    pub(crate) fn bare(start: Start<'a>) -> Self {
        Self {
            start,
            minor_version: 1,
            headers: &[],
            whole: true,
            cut: None,
            after_gap: false,
            unasked: false,
            acked: 0,
            odd: Oddities::default(),
            carrier: Carrier::default(),
            content_length: None,
        }
    }
}

/// What carries HTTP within the TCP connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Carrier {
    /// Inside TLS.
    pub tls: bool,
    /// Inside a tunnel that CONNECT opened.
    pub tunnel: bool,
    /// How many tunnels and TLS connections are around it.
    pub depth: u8,
}

impl Carrier {
    /// What carries HTTP in a tunnel through this.
    pub const fn tunnel(self) -> Self {
        Self { tunnel: true, depth: self.depth.saturating_add(1), ..self }
    }

    /// What carries HTTP in TLS within this.
    pub const fn tls(self) -> Self {
        Self { tls: true, depth: self.depth.saturating_add(1), ..self }
    }
}

/// Who takes the HTTP events of connections; closures can.
pub trait Listener {
    /// Takes one event.
    fn http(&mut self, connection: &Connection, event: &Event<'_>);

    /// One side of a connection has ended.
    fn ended(&mut self, _connection: &Connection) {}
}

impl<F: FnMut(&Connection, &Event<'_>)> Listener for F {
    fn http(&mut self, connection: &Connection, event: &Event<'_>) {
        self(connection, event);
    }
}

/// What an HTTP connection yields. Each exchange has a number of its own within its TCP connection, from 0.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// A head. Responses with a 1xx status are interim: another head of the same exchange follows.
    Head {
        /// Which request, or the request it answers.
        exchange: u32,
        /// Who sent it.
        side: Side,
        /// The frames of the head.
        span: Span,
        /// The head.
        head: Head<'a>,
    },
    /// Bytes of a body, without chunk framing.
    Body {
        /// Whose body.
        exchange: u32,
        /// Who sent it.
        side: Side,
        /// The frame they came in.
        at: At,
        /// Their offset within the body.
        offset: u64,
        /// The bytes; never empty.
        bytes: &'a [u8],
    },
    /// Bytes of a body that the capture lacks.
    Gap {
        /// Whose body.
        exchange: u32,
        /// Who sent it.
        side: Side,
        /// The frame that showed the loss.
        at: At,
        /// Offset within the body.
        offset: u64,
        /// How many; above 0.
        len: u64,
    },
    /// What followed the head of a request that the capture lacks the end of: the rest of the head, and the body. It
    /// comes behind the end of the message, and before a final response to it.
    Unread {
        /// Which exchange.
        exchange: u32,
        /// Who sent it.
        side: Side,
        /// The frame of the last of them.
        at: At,
        /// How many bytes; above 0.
        len: u64,
    },
    /// A message ended.
    End {
        /// Which exchange.
        exchange: u32,
        /// Whose message.
        side: Side,
        /// The frames of the whole message.
        span: Span,
        /// How it ended.
        why: End,
    },
    /// Bytes that belong to no message were passed over.
    Stray {
        /// Who sent them.
        side: Side,
        /// The frame.
        at: At,
        /// How many.
        len: u64,
        /// The exchange before them, if any.
        after: Option<u32>,
    },
}

/// Interim responses kept of an exchange, the first ones.
pub(crate) const INTERIM: usize = 16;

/// Whether another answer to the same request follows one of this status (RFC 9110 15.2); 101 is the last.
pub(crate) const fn is_interim(status: u16) -> bool {
    matches!(status, 100 | 102..=199)
}

/// How a message ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// At the end of its body; bytes may have been lost within it.
    Complete,
    /// The connection ended this direction first.
    Closed,
    /// The connection was reset first.
    Reset,
    /// The capture lost sight of it.
    Lost,
}
