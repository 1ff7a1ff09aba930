//! The heads of upload messages as they were on the wire; without credentials, unless these are to be shown.

use std::collections::VecDeque;

use hashbrown::HashMap;

use super::Observer;
use crate::bits::decode;
use crate::bits::secrets::Secrets;
use crate::http::{Event, Head, Start, is_interim};
use crate::model::Exchange;
use crate::stream::{Connection, Side};

/// Bytes that heads may take in all; what comes later is left out.
const ROOM: usize = 64 << 20;

/// What a head, and each of its fields, takes beside its text.
const OVERHEAD: usize = 160;
const FIELD: usize = 48;

/// One head.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawHead {
    /// The first line.
    pub line: String,
    /// Names and values in order.
    pub fields: Vec<(String, String)>,
    /// Its length on the wire in bytes, about: white space around values is not counted.
    pub bytes: u64,
}

impl RawHead {
    fn of(head: &Head<'_>, secrets: Secrets) -> Self {
        let minor = head.minor_version;
        let line = match head.start {
            Start::Request { method, target } => {
                format!("{method} {} HTTP/1.{minor}", secrets.target(target.to_owned()))
            }
            Start::Response { status, reason } => format!("HTTP/1.{minor} {status} {reason}"),
        };
        let fields = head.headers.iter().map(|header| {
            let value = decode::text(header.value.trim_ascii());
            (header.name.to_owned(), secrets.field(header.name, &value))
        });
        let sizes = head.headers.iter().map(|header| header.name.len() + header.value.len() + 4);
        let bytes = (line.len() + 4 + sizes.sum::<usize>()) as u64;
        Self { fields: fields.collect(), line, bytes }
    }

    /// The first value of a field; the name is compared without case.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(own, _)| own.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// Keeps the heads of upload messages.
#[derive(Debug, Default)]
pub struct Heads {
    /// By connection, sender and first frame; pipelined heads share these.
    kept: HashMap<(u64, Side, u64), Vec<RawHead>>,
    /// Requests of the upload protocol that wait for their answer.
    asked: HashMap<u64, VecDeque<u32>>,
    used: usize,
    secrets: Secrets,
}

impl Heads {
    /// None yet.
    pub fn new(secrets: Secrets) -> Self {
        Self { secrets, ..Self::default() }
    }

    /// The heads of an exchange: of its request, and of its final response.
    pub fn of(&self, exchange: &Exchange) -> (Option<&RawHead>, Option<&RawHead>) {
        let request = exchange.request.as_ref().and_then(|request| {
            let heads =
                self.kept.get(&(exchange.connection, Side::Client, request.span.first.frame))?;
            let range = request.content_range.as_ref().map(|range| range.raw());
            heads
                .iter()
                .find(|head| head.field("Content-Range") == range.as_deref())
                .or(heads.first())
        });
        let response = exchange.response.as_ref().and_then(|response| {
            let heads =
                self.kept.get(&(exchange.connection, Side::Server, response.span.first.frame))?;
            let next = response.next_offset.map(|next| next.to_string());
            let fits =
                |head: &&RawHead| head.field("BITS-Received-Content-Range") == next.as_deref();
            heads.iter().find(fits).or(heads.first())
        });
        (request, response)
    }

    /// Lends each head to be changed.
    pub fn each(&mut self, change: &mut impl FnMut(&mut RawHead)) {
        self.kept.values_mut().flatten().for_each(change);
    }

    fn was_asked(&mut self, connection: u64, exchange: u32) -> bool {
        let Some(asked) = self.asked.get_mut(&connection) else { return false };
        let place = asked.iter().position(|asked| *asked == exchange);
        place.map(|place| asked.remove(place)).is_some()
    }

    fn keep(&mut self, key: (u64, Side, u64), head: &Head<'_>) {
        let size = OVERHEAD + FIELD * head.headers.len() + head.size();
        if self.used + size <= ROOM {
            self.used += size;
            self.kept.entry(key).or_default().push(RawHead::of(head, self.secrets));
        }
    }
}

impl Observer for Heads {
    fn http(&mut self, connection: &Connection, event: &Event<'_>) {
        let Event::Head { exchange, side, span, ref head } = *event else { return };
        let wanted = match head.start {
            Start::Request { .. } => {
                let bits = decode::is_bits(head);
                if bits {
                    self.asked.entry(connection.id).or_default().push_back(exchange);
                }
                bits
            }
            Start::Response { status, .. } if is_interim(status) => false,
            Start::Response { .. } => {
                self.was_asked(connection.id, exchange) || decode::is_bits(head)
            }
        };
        if wanted {
            self.keep((connection.id, side, span.first.frame), head);
        }
    }

    fn closed(&mut self, connection: &Connection) {
        self.asked.remove(&connection.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(target: &str) -> usize {
        let head = Head::bare(Start::Request { method: "BITS_POST", target });
        let mut heads = Heads::default();
        (0..1_000).for_each(|frame| heads.keep((1, Side::Client, frame), &head));
        heads.kept.len()
    }

    #[test]
    fn a_long_target_takes_room_as_fields_do() {
        assert_eq!(kept("/"), 1_000);
        assert!(kept(&"/".repeat(1 << 20)) < 64);
    }
}
