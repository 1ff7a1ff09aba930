//! Every HTTP exchange as a row, in the order in which they began.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;

use super::Observer;
use crate::at::At;
use crate::bits::decode;
use crate::bits::secrets::Secrets;
use crate::http::{Event, INTERIM, Start, is_interim};
use crate::stream::Connection;

/// Rows held because an earlier exchange has not been answered yet.
const HELD: usize = 65_536;
/// Bytes of their targets and hosts.
const ROOM: usize = 64 << 20;
/// Answers, the latest ones, that wait for a request which is held for want of an earlier segment.
const EARLY: usize = 16;

/// One HTTP exchange.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Address and port of who asked.
    pub client: String,
    /// Address and port of who was asked.
    pub server: String,
    /// The request, unless the capture lacks it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<RowRequest>,
    /// The final response, unless the capture lacks it or none came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<RowResponse>,
    /// Statuses of the interim responses (1xx), the first sixteen.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub interim: Vec<u16>,
}

/// The request of a [`Row`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RowRequest {
    /// The method as written.
    pub method: String,
    /// The target as written, save for passwords and tokens, which are `***` unless they are to be shown.
    pub target: String,
    /// `Host`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Its first frame.
    #[serde(flatten)]
    pub at: At,
}

/// The response of a [`Row`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RowResponse {
    /// The status.
    pub status: u16,
    /// Its first frame.
    #[serde(flatten)]
    pub at: At,
}

/// Hands rows to `sink` as soon as all earlier ones are complete, until it returns false.
pub struct Listing<S: FnMut(&Row) -> bool> {
    sink: S,
    secrets: Secrets,
    enough: bool,
    rows: VecDeque<Held>,
    /// Number of the row in front.
    first: u64,
    /// Bytes of targets and hosts in the rows.
    used: usize,
    /// Numbers of the rows without their answer, by connection and exchange.
    open: BTreeMap<(u64, u32), u64>,
    /// Connection and exchange of answers that came before their requests.
    early: VecDeque<(u64, u32)>,
}

/// A row that waits for its turn.
struct Held {
    row: Row,
    /// Nothing more is to come of it.
    done: bool,
}

impl<S: FnMut(&Row) -> bool> Listing<S> {
    /// A listing that has seen nothing yet.
    pub fn new(sink: S, secrets: Secrets) -> Self {
        Self {
            sink,
            secrets,
            enough: false,
            rows: VecDeque::new(),
            first: 0,
            used: 0,
            open: BTreeMap::new(),
            early: VecDeque::new(),
        }
    }

    /// Hands out what is left.
    pub fn finish(mut self) {
        self.drain(true);
    }

    fn row(&mut self, connection: &Connection, exchange: u32) -> Option<&mut Held> {
        let next = self.first + self.rows.len() as u64;
        let number = *self.open.entry((connection.id, exchange)).or_insert(next);
        if number == next {
            let row = Row {
                client: connection.client.to_string(),
                server: connection.server.to_string(),
                ..Row::default()
            };
            self.rows.push_back(Held { row, done: false });
        }
        self.held(number)
    }

    /// The row of a number, unless it was handed out.
    fn held(&mut self, number: u64) -> Option<&mut Held> {
        self.rows.get_mut(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }

    /// An answer came first; what has waited for longest waits no more.
    fn wait_for_request(&mut self, answer: (u64, u32)) {
        self.early.push_back(answer);
        if self.early.len() > EARLY
            && let Some(oldest) = self.early.pop_front()
        {
            self.give_up(oldest);
        }
    }

    /// Nothing more is to come of an exchange.
    fn give_up(&mut self, key: (u64, u32)) {
        let number = self.open.remove(&key);
        if let Some(held) = number.and_then(|number| self.held(number)) {
            held.done = true;
        }
    }

    fn drain(&mut self, all: bool) {
        while let Some(held) = self.rows.front() {
            if !held.done && !all && self.rows.len() < HELD && self.used < ROOM {
                return;
            }
            if let Some(Held { row, .. }) = self.rows.pop_front() {
                self.first += 1;
                self.used = self.used.saturating_sub(row.request.as_ref().map_or(0, size));
                self.enough |= !(self.sink)(&row);
            }
        }
    }
}

fn size(request: &RowRequest) -> usize {
    request.target.len() + request.host.as_ref().map_or(0, String::len)
}

impl<S: FnMut(&Row) -> bool> Observer for Listing<S> {
    fn has_enough(&self) -> bool {
        self.enough
    }

    fn http(&mut self, connection: &Connection, event: &Event<'_>) {
        let Event::Head { exchange, span, ref head, .. } = *event else { return };
        let secrets = self.secrets;
        let Some(Held { row, done }) = self.row(connection, exchange) else { return };
        let mut taken = 0;
        match head.start {
            Start::Request { method, target } => {
                let host = head.field("Host").map(|host| secrets.target(decode::text(host)));
                let target = secrets.target(target.to_owned());
                let request =
                    RowRequest { method: method.to_owned(), target, host, at: span.first };
                taken = size(&request);
                row.request = Some(request);
            }
            Start::Response { status, .. } if is_interim(status) => {
                if row.interim.len() < INTERIM {
                    row.interim.push(status);
                }
            }
            Start::Response { status, .. } => {
                row.response = Some(RowResponse { status, at: span.first });
            }
        }
        *done = row.response.is_some() && !head.unasked;
        if *done {
            self.open.remove(&(connection.id, exchange));
        }
        self.used = self.used.saturating_add(taken);
        if head.unasked {
            self.wait_for_request((connection.id, exchange));
        }
        self.drain(false);
    }

    fn closed(&mut self, connection: &Connection) {
        let all = (connection.id, 0)..=(connection.id, u32::MAX);
        let over: Vec<_> = self.open.range(all).map(|(key, _)| *key).collect();
        over.into_iter().for_each(|key| self.give_up(key));
        self.early.retain(|(id, _)| *id != connection.id);
        self.drain(false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::at::Span;
    use crate::http::Head;
    use crate::stream::Side;

    #[test]
    fn long_targets_are_not_held_without_end() {
        let mut listed = 0;
        let sink = |_: &Row| {
            listed += 1;
            true
        };
        let mut listing = Listing::new(sink, Secrets::Mask);
        let target = "/".repeat(1 << 20);
        let head = Head::bare(Start::Request { method: "GET", target: &target });
        let address = ([127, 0, 0, 1], 80).into();
        let connection = Connection::new(1, address, address, At::default());
        for exchange in 0..100 {
            let span = Span::default();
            let event = Event::Head { exchange, side: Side::Client, span, head };
            listing.http(&connection, &event);
        }
        drop(listing);
        assert!((30..=40).contains(&listed), "{listed}");
    }
}
