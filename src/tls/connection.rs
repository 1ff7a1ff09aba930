//! Both directions together: events in, plaintext events out, waiting for keys in between. What is done with each
//! record is in [`decrypt`](super::decrypt).

use std::collections::VecDeque;

use crate::at::At;
use crate::stream::{Carriage, Chunk, End, Event, Side};

use super::facts::Facts;
use super::half::Half;
use super::handshake::Handshake;
use super::held::{Ahead, Held};
use super::keylog::KeyLog;
use super::meter::Meter;
use super::record::sender_of;
use super::shared::Share;

/// Decrypts one connection.
///
/// A chunk of plaintext comes from one record and carries the frame in which that record ended. The length of a gap
/// in the plaintext is an estimate: the ciphertext missing, less what protection added to the records that the
/// sequence numbers show to be missing. It is handed on once decryption goes on behind it, or at the end.
///
/// While keys are missing and may still come, everything from the first record that needs them is kept, in both
/// directions; where none came, beyond the end of the connection. A direction that nothing can open any more goes by
/// unread, but for what the meter counts.
pub struct Decryptor {
    limit: usize,
    pub(super) facts: Facts,
    meter: Meter,
    pub(super) handshake: Handshake,
    pub(super) client: Half,
    pub(super) server: Half,
    ahead: Ahead,
    held: VecDeque<Held>,
    share: Option<Share>,
    /// The record that waits for keys, in front of all that is held, and the bytes it counts for.
    stuck: Option<(Side, At, usize)>,
    generation: u64,
    pub(super) gave_up: bool,
}

impl Default for Decryptor {
    fn default() -> Self {
        Self::new(crate::limits::Limits::default().tls_waiting)
    }
}

impl Decryptor {
    /// A connection that keeps up to about `limit` bytes until its keys turn up.
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            facts: Facts::default(),
            meter: Meter::default(),
            handshake: Handshake::default(),
            client: Half::new(Side::Client),
            server: Half::new(Side::Server),
            ahead: Ahead::default(),
            held: VecDeque::new(),
            share: None,
            stuck: None,
            generation: 0,
            gave_up: false,
        }
    }

    /// Takes in what came on the connection; hands plaintext to `out`.
    pub fn push(&mut self, event: Event<'_>, keys: &KeyLog, out: &mut impl FnMut(Event<'_>)) {
        self.meter.push(&event, &mut self.facts);
        if self.comes_ahead(&event) {
            let size = self.ahead.push(event);
            self.share(keys).add(size);
            return;
        }
        let settles = !matches!(event, Event::Data(_)) || self.ahead.is_full();
        if settles && self.ahead.side() == Some(event.side()) {
            self.catch_up(None, keys, out);
        }
        self.in_order(event, keys, out);
        if let Some(side) = self.ahead.side() {
            let seen = self.half(side.other()).seen;
            self.catch_up(Some(seen).filter(|_| !settles), keys, out);
        }
    }

    /// Whether an event comes before the hello of the other side that its sender had, in a capture out of order, or
    /// behind such a one.
    fn comes_ahead(&mut self, event: &Event<'_>) -> bool {
        let chunk = match event {
            Event::Data(chunk) => chunk,
            // FIN comes behind what is kept. The other side may go on, and tell in the end to wait no longer.
            Event::End { side, why: End::Fin, .. } => {
                let other = self.half(side.other());
                return !other.ended && self.ahead.side() == Some(*side);
            }
            _ => return false,
        };
        self.find_start(chunk);
        let answers = match chunk.side {
            Side::Client => self.handshake.is_agreed(),
            Side::Server => self.handshake.is_offered(),
        };
        let early = !answers && chunk.acked > self.half(chunk.side.other()).seen;
        match self.ahead.side() {
            Some(side) => side == chunk.side && !self.ahead.is_full(),
            None => early,
        }
    }

    /// The first bytes tell how far the other side was before them, as in a tunnel; but a ServerHello follows
    /// something.
    fn find_start(&mut self, chunk: &Chunk<'_>) {
        let first = self.client.seen == 0 && self.server.seen == 0 && self.ahead.side().is_none();
        if first && sender_of(chunk.bytes) != Some(Side::Server) {
            self.half(chunk.side.other()).seen = chunk.acked;
        }
    }

    /// Goes on with what came ahead of what the other side said, up to where that is `seen` now, or all of it.
    fn catch_up(&mut self, seen: Option<u64>, keys: &KeyLog, out: &mut impl FnMut(Event<'_>)) {
        while let Some(held) = self.ahead.pop(seen) {
            self.share.iter_mut().for_each(|share| share.remove(held.size()));
            self.in_order(held.event(), keys, out);
        }
    }

    fn in_order(&mut self, event: Event<'_>, keys: &KeyLog, out: &mut impl FnMut(Event<'_>)) {
        match event {
            Event::End { side, .. } => self.half(side).ended = true,
            Event::Data(chunk) => {
                let end = chunk.place().saturating_add(chunk.bytes.len() as u64);
                self.half(chunk.side).seen = end;
            }
            Event::Gap { .. } => {}
        }
        if self.stuck.is_none() {
            self.feed(event, keys, out);
        } else {
            self.hold(event, keys, VecDeque::push_back);
            self.retry(keys, out);
        }
        if self.stuck.is_some()
            && (self.waits_for_too_much() || keys.is_complete() || self.is_at_last(event, keys))
        {
            self.give_up(keys, out);
        }
    }

    /// Whether something waits for keys, be the connection over or not.
    pub const fn waits(&self) -> bool {
        self.stuck.is_some()
    }

    /// Whether nothing can follow and nothing waits.
    pub const fn is_over(&self) -> bool {
        self.client.ended && self.server.ended && self.stuck.is_none()
    }

    /// Goes on with what waits, if new keys came since the last attempt.
    pub fn retry(&mut self, keys: &KeyLog, out: &mut impl FnMut(Event<'_>)) {
        if self.stuck.is_some() && self.generation != keys.generation() {
            self.resume(keys, out);
        }
    }

    /// Stops waiting for keys; what cannot be decrypted by now is dropped.
    pub fn give_up(&mut self, keys: &KeyLog, out: &mut impl FnMut(Event<'_>)) {
        self.gave_up = true;
        self.catch_up(None, keys, out);
        if self.stuck.is_some() {
            self.resume(keys, out);
        }
    }

    /// Bytes kept until keys turn up.
    pub fn waiting_bytes(&self) -> usize {
        self.share.as_ref().map_or(0, Share::own)
    }

    /// What is known of the connection so far.
    pub const fn facts(&self) -> &Facts {
        &self.facts
    }

    /// What is known of the connection in the end.
    pub fn into_facts(self) -> Facts {
        self.facts
    }

    /// Whether nothing follows `event`, and keys came that do not open all. Those of a connection that has none may
    /// come at the end of the capture.
    fn is_at_last(&self, event: Event<'_>, keys: &KeyLog) -> bool {
        let last = matches!(event, Event::End { why, .. } if why != End::Fin)
            || (self.client.ended && self.server.ended);
        last && (self.facts.decrypted || self.handshake.has_secrets(keys))
    }

    fn waits_for_too_much(&self) -> bool {
        self.share.as_ref().is_some_and(|share| share.own() > self.limit)
    }

    fn resume(&mut self, keys: &KeyLog, out: &mut impl FnMut(Event<'_>)) {
        self.generation = keys.generation();
        if let Some((side, at, bytes)) = self.stuck.take() {
            self.share.iter_mut().for_each(|share| share.remove(bytes));
            let (acked, carriage) = (0, Carriage::default());
            self.data(Chunk { at, side, offset: 0, acked, carriage, bytes: &[] }, keys, out);
        }
        while self.stuck.is_none() {
            let Some(held) = self.held.pop_front() else { break };
            self.share.iter_mut().for_each(|share| share.remove(held.size()));
            self.feed(held.event(), keys, out);
        }
        if self.held.is_empty() {
            self.held = VecDeque::new();
        }
    }

    fn feed(&mut self, event: Event<'_>, keys: &KeyLog, out: &mut impl FnMut(Event<'_>)) {
        match event {
            Event::Data(chunk) => self.data(chunk, keys, out),
            Event::Gap { side, len, .. } => {
                self.half(side).gap(len);
                self.handshake.gap(side);
            }
            Event::End { at, side, .. } => {
                let read = self.facts.decrypted;
                let half = self.half(side);
                let lost = half.take_lost();
                if read {
                    half.emit_gap(at, lost, out);
                }
                out(event);
            }
        }
    }

    fn data(&mut self, chunk: Chunk<'_>, keys: &KeyLog, out: &mut impl FnMut(Event<'_>)) {
        let (mut bytes, side, at) = (chunk.bytes, chunk.side, chunk.at);
        let keyless = keys.is_void();
        self.half(side).arrive(&chunk);
        while self.half(side).fill(&mut bytes, keyless) {
            if !self.record(side, at, keys, out) {
                let waits = self.half(side).buffer.len();
                self.stuck = Some((side, at, waits));
                self.share(keys).add(waits);
                self.generation = keys.generation();
                let rest = chunk.behind(chunk.bytes.len() - bytes.len());
                if !rest.bytes.is_empty() {
                    self.hold(Event::Data(rest), keys, VecDeque::push_front);
                }
                return;
            }
        }
        if self.half(side).is_hopeless() {
            self.half(side).ignore(bytes.len());
        }
    }

    pub(super) const fn half(&mut self, side: Side) -> &mut Half {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }

    fn hold(&mut self, event: Event<'_>, keys: &KeyLog, put: fn(&mut VecDeque<Held>, Held)) {
        let held = Held::from(event);
        self.share(keys).add(held.size());
        put(&mut self.held, held);
    }

    fn share(&mut self, keys: &KeyLog) -> &mut Share {
        self.share.get_or_insert_with(|| keys.shared().share())
    }
}
