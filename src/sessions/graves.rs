//! Finished sessions that were forgotten: what comes late for one of them is no new upload.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

use hashbrown::HashMap;

use super::asked::Asked;
use super::open::{Number, Open};
use crate::at::{At, Timestamp};
use crate::model::Text;

/// Sessions remembered.
const REMEMBERED: usize = 2_048;

/// Nanoseconds for which one is remembered: repeats come within the client's time-outs, of minutes.
const LINGER: i64 = 3_600_000_000_000;

/// What is remembered of a session.
struct Grave {
    number: Number,
    client: IpAddr,
    server: Option<SocketAddr>,
    ended: Timestamp,
}

/// The latest finished sessions, by canonical id.
#[derive(Default)]
pub(super) struct Graves {
    by_id: HashMap<Text, Grave>,
    order: VecDeque<(Text, Number)>,
}

impl Graves {
    /// Remembers a session, if it had an id.
    pub fn add(&mut self, number: Number, open: &Open) {
        let Some(id) = open.id.clone() else { return };
        if self.order.len() >= REMEMBERED
            && let Some((id, number)) = self.order.pop_front()
            && self.by_id.get(&id).is_some_and(|grave| grave.number == number)
        {
            self.by_id.remove(&id);
        }
        let (client, server, ended) = (open.client, open.server(), open.last.time);
        self.order.push_back((id.clone(), number));
        self.by_id.insert(id, Grave { number, client, server, ended });
    }

    /// The forgotten session that a message of `now` with this id comes late for.
    pub fn find(&self, id: &str, asked: &Asked<'_>, now: At) -> Option<Number> {
        let grave = self.by_id.get(id)?;
        let same = grave.client == asked.client.ip() || grave.server == Some(asked.server);
        (same && now.time.since(grave.ended) <= LINGER).then_some(grave.number)
    }
}
