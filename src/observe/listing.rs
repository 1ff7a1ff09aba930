//! Every HTTP exchange as a row, in the order in which they began.

use std::collections::{BTreeMap, VecDeque};

use super::Observer;
use crate::bits::decode;
use crate::bits::secrets::Secrets;
use crate::export::http::{Row, RowRequest, RowResponse};
use crate::http::{Event, Start};
use crate::stream::Connection;

/// Rows held because an earlier exchange has not been answered yet.
const HELD: usize = 65_536;

/// Hands rows to `sink` as soon as all earlier ones are complete, until it returns false.
pub struct Listing<S: FnMut(&Row) -> bool> {
    sink: S,
    secrets: Secrets,
    enough: bool,
    rows: VecDeque<(bool, Row)>,
    /// Number of the row in front.
    first: u64,
    /// Numbers of the rows without their answer, by connection and exchange.
    open: BTreeMap<(u64, u32), u64>,
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
            open: BTreeMap::new(),
        }
    }

    /// Hands out what is left.
    pub fn finish(mut self) {
        self.drain(true);
    }

    fn row(&mut self, connection: &Connection, exchange: u32) -> Option<&mut (bool, Row)> {
        let next = self.first + self.rows.len() as u64;
        let number = *self.open.entry((connection.id, exchange)).or_insert(next);
        if number == next {
            let row = Row {
                client: connection.client.to_string(),
                server: connection.server.to_string(),
                ..Row::default()
            };
            self.rows.push_back((false, row));
        }
        self.rows.get_mut(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }

    fn drain(&mut self, all: bool) {
        while let Some((done, _)) = self.rows.front() {
            if !*done && !all && self.rows.len() < HELD {
                return;
            }
            if let Some((_, row)) = self.rows.pop_front() {
                self.first += 1;
                self.enough |= !(self.sink)(&row);
            }
        }
    }
}

impl<S: FnMut(&Row) -> bool> Observer for Listing<S> {
    fn has_enough(&self) -> bool {
        self.enough
    }

    fn http(&mut self, connection: &Connection, event: &Event<'_>) {
        let Event::Head { exchange, span, ref head, .. } = *event else { return };
        let secrets = self.secrets;
        let frame = span.first.frame;
        let Some((done, row)) = self.row(connection, exchange) else { return };
        match head.start {
            Start::Request { method, target } => {
                let host = head.field("Host").map(|host| secrets.target(decode::text(host)));
                let target = secrets.target(target.to_owned());
                row.request = Some(RowRequest { method: method.to_owned(), target, host, frame });
            }
            Start::Response { status, .. } if (100..200).contains(&status) && status != 101 => {
                row.interim.push(status)
            }
            Start::Response { status, .. } => {
                row.response = Some(RowResponse { status, frame });
                *done = true;
            }
        }
        if *done {
            self.open.remove(&(connection.id, exchange));
            self.drain(false);
        }
    }

    fn closed(&mut self, connection: &Connection) {
        let all = (connection.id, 0)..=(connection.id, u32::MAX);
        let over: Vec<_> = self.open.range(all).map(|(key, number)| (*key, *number)).collect();
        for (key, number) in over {
            self.open.remove(&key);
            let place =
                number.checked_sub(self.first).and_then(|place| usize::try_from(place).ok());
            if let Some((done, _)) = place.and_then(|place| self.rows.get_mut(place)) {
                *done = true;
            }
        }
        self.drain(false);
    }
}
