//! The sessions under way: how they are found, and when they are taken away.
//!
//! A session that is finished (see [`Open::is_finished`]) is due once its connections are forgotten, since what they
//! still show, a RST perhaps or a repeat, belongs to it. On connections that go on it waits for [`SETTLED`]. Any other
//! session may go on for as long as anybody may come back to it ([`KEPT`]), so it is due after that time, at the end of
//! the capture, or when more sessions are open than the limits allow: then the one that was idle for longest goes
//! first.

use std::collections::{BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};

use hashbrown::HashMap;

use super::asked::Asked;
use super::assign::RECENT;
use super::graves::Graves;
use super::open::{Number, Open};
use crate::at::{At, Timestamp};
use crate::model::Text;
use crate::model::url::path_within;
use crate::rules::history::Brief;
use crate::stream::Connection;

/// Nanoseconds of silence after which nothing more is said about a finished session: the client has given up on any
/// answer ([MC-BUP] 3.1.2.2).
const SETTLED: i64 = 300_000_000_000;

/// Nanoseconds after which nobody comes back to a session: the server drops it after 14 days ([MC-BUP] 3.2.2.1), and
/// a client gives up a job without progress after as many, by default, but finds out only then.
const KEPT: i64 = 28 * 86_400_000_000_000;

/// Finished sessions that wait for what their connections still show.
const WAITING: usize = 256;

/// Sessions with one id that are looked at for another leg of it: an upload passes few proxies.
const LEGS: usize = 16;

/// Nanoseconds of capture time between two looks for sessions that have become due by time alone.
const LOOK: i64 = 1_000_000_000;

/// Open sessions, by number, client and id.
pub(super) struct Shelf {
    open: HashMap<Number, Open>,
    next: Number,
    by_client: HashMap<IpAddr, BTreeSet<Number>>,
    by_id: HashMap<Text, BTreeSet<Number>>,
    /// Every open session, by a frame that it was not idle before.
    idle: BTreeSet<(u64, Number)>,
    /// Those that are finished and wait, by the frame that finished them.
    finished: BTreeSet<(u64, Number)>,
    due: VecDeque<Number>,
    pub graves: Graves,
    looked: Timestamp,
    cap: usize,
    forgotten: u64,
}

impl Shelf {
    /// An empty one, for `cap` open sessions.
    pub fn new(cap: usize) -> Self {
        Self {
            open: HashMap::default(),
            next: 0,
            by_client: HashMap::default(),
            by_id: HashMap::default(),
            idle: BTreeSet::new(),
            finished: BTreeSet::new(),
            due: VecDeque::new(),
            graves: Graves::default(),
            looked: Timestamp::default(),
            cap: cap.max(1),
            forgotten: 0,
        }
    }

    pub fn get(&self, number: Number) -> Option<&Open> {
        self.open.get(&number)
    }

    pub fn get_mut(&mut self, number: Number) -> Option<&mut Open> {
        self.open.get_mut(&number)
    }

    /// Sessions given up to stay under the cap.
    pub const fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// A new session.
    pub fn add(&mut self, client: IpAddr, at: At) -> Number {
        let number = self.next;
        self.next += 1;
        self.open.insert(number, Open::new(client, at));
        self.by_client.entry(client).or_default().insert(number);
        self.idle.insert((at.frame, number));
        self.shrink();
        number
    }

    /// The newest session of a client that fits.
    pub fn of_client(&self, asked: &Asked<'_>, fits: impl Fn(&Open) -> bool) -> Option<Number> {
        self.recent(asked.client.ip()).find(|number| self.get(*number).is_some_and(&fits))
    }

    /// The sessions of a client that fit, the newest first.
    pub fn all_of_client(&self, asked: &Asked<'_>, fits: impl Fn(&Open) -> bool) -> Vec<Number> {
        let recent = self.recent(asked.client.ip());
        recent.filter(|number| self.get(*number).is_some_and(&fits)).collect()
    }

    /// The sessions of a client at a server that fit.
    pub fn between(
        &self,
        client: IpAddr,
        server: SocketAddr,
        fits: impl Fn(&Open) -> bool,
    ) -> Vec<Number> {
        let fits = |open: &Open| open.server() == Some(server) && fits(open);
        self.recent(client).filter(|number| self.get(*number).is_some_and(fits)).collect()
    }

    /// The session of whatever client that fits, of those that were the last to be idle.
    pub fn latest(&self, fits: impl Fn(&Open) -> bool) -> Option<Number> {
        let mut latest = self.idle.iter().rev().take(RECENT).map(|(_, number)| *number);
        latest.find(|number| self.get(*number).is_some_and(&fits))
    }

    /// The newest session with a canonical id that fits.
    pub fn of_id(&self, id: &str, fits: impl Fn(&Open) -> bool) -> Option<Number> {
        let mut recent = self.by_id.get(id)?.iter().rev().take(RECENT).copied();
        recent.find(|number| self.get(*number).is_some_and(&fits))
    }

    /// The sessions of a client, the newest first.
    fn recent(&self, client: IpAddr) -> impl Iterator<Item = Number> {
        let own = self.by_client.get(&client).into_iter().flatten();
        own.rev().take(RECENT).copied()
    }

    /// Takes note of the id of a session: canonical, and as written. It carries on what its client lost on the way to
    /// the same place.
    pub fn name(&mut self, number: Number, id: Text, raw: &str) {
        let Some(open) = self.open.get_mut(&number) else { return };
        open.id = Some(id.clone());
        let (client, aim, server) = (open.client, open.aim(), open.server());
        // Of an upload that passes a proxy, the leg behind that has its id first.
        let is_leg = |open: &Open| open.id.as_ref() == Some(&id) && open.server() != server;
        let successor = open.successor.as_ref().map(|(successor, _)| *successor);
        if successor.and_then(|it| self.get(it)).is_some_and(is_leg)
            && let Some(open) = self.open.get_mut(&number)
        {
            open.successor = None;
        }
        let own = self.by_client.get(&client);
        let earlier = own.into_iter().flat_map(|own| own.range(..number).rev().take(RECENT));
        let earlier: Vec<_> = earlier.copied().collect();
        for earlier in earlier {
            if let Some(open) = self.open.get_mut(&earlier).filter(|open| !is_leg(open)) {
                open.followed_by(number, raw, &aim);
            }
            self.settle(earlier);
        }
        self.by_id.entry(id).or_default().insert(number);
    }

    /// Something happened to a session that may have finished it.
    pub fn settle(&mut self, number: Number) {
        let Some(open) = self.open.get_mut(&number).filter(|open| open.is_finished()) else {
            return;
        };
        if open.live.is_empty() {
            self.due.push_back(number);
        } else if open.waiting.is_none() {
            open.waiting = Some(open.last.frame);
            self.finished.insert((open.last.frame, number));
        }
        while self.finished.len() > WAITING {
            self.due.extend(self.finished.pop_first().map(|(_, number)| number));
        }
    }

    /// Whether a session may be due at `now`; asked for every frame.
    pub fn may_be_due(&self, now: At) -> bool {
        !self.due.is_empty() || now.time.since(self.looked).abs() >= LOOK
    }

    /// Takes away the next session that is due at `now`.
    pub fn take_due(&mut self, now: At) -> Option<(Number, Open)> {
        if now.time.since(self.looked).abs() >= LOOK {
            self.looked = now.time;
            self.look(now);
        }
        loop {
            let number = self.due.pop_front()?;
            if let Some(open) = self.remove(number) {
                return Some((number, open));
            }
        }
    }

    /// The sessions of a client with some URL that ended before `ended`, as far as they go.
    pub fn before<'c>(
        &mut self,
        client: IpAddr,
        url: &Text,
        ended: Timestamp,
        facts: &impl Fn(u64) -> Option<&'c Connection>,
    ) -> Vec<Brief> {
        let own: Vec<_> = self.recent(client).collect();
        self.briefs(own, |open| open.last.time <= ended && open.url.as_ref() == Some(url), facts)
    }

    /// The sessions of whatever client with the path of some URL that were last seen about a frame, as far as they go.
    pub fn about<'c>(
        &mut self,
        frame: u64,
        url: &Text,
        facts: &impl Fn(u64) -> Option<&'c Connection>,
    ) -> Vec<Brief> {
        let before = self.idle.range(..(frame, 0)).rev().take(RECENT);
        let after = self.idle.range((frame, 0)..).take(RECENT);
        let near = before.chain(after).map(|(_, number)| *number).collect();
        let path = path_within(url);
        self.briefs(
            near,
            |open| open.url.as_ref().is_some_and(|url| path_within(url) == path),
            facts,
        )
    }

    /// The latest sessions with one of some canonical ids between other ends than these, as far as they go.
    pub fn with_ids<'c>(
        &mut self,
        ids: impl Iterator<Item = Text>,
        (client, server): (IpAddr, SocketAddr),
        facts: &impl Fn(u64) -> Option<&'c Connection>,
    ) -> Vec<Brief> {
        let numbers = ids.filter_map(|id| self.by_id.get(&id));
        let numbers = numbers.flat_map(|named| named.iter().rev().take(LEGS)).copied().collect();
        let is_apart = |open: &Open| open.client != client || open.server() != Some(server);
        self.briefs(numbers, is_apart, facts)
    }

    fn briefs<'c>(
        &mut self,
        numbers: Vec<Number>,
        fits: impl Fn(&Open) -> bool,
        facts: &impl Fn(u64) -> Option<&'c Connection>,
    ) -> Vec<Brief> {
        let mut briefs = Vec::new();
        for number in numbers {
            if let Some(open) = self.open.get_mut(&number).filter(|open| fits(open)) {
                briefs.extend(open.brief(facts));
            }
        }
        briefs
    }

    /// Makes all due, those first that ended first.
    pub fn end(&mut self) {
        let mut left: Vec<_> =
            self.open.iter().map(|(number, open)| (open.ended(), *number)).collect();
        left.sort_unstable();
        self.due.extend(left.into_iter().map(|(_, number)| number));
    }

    /// Takes a session away.
    pub fn remove(&mut self, number: Number) -> Option<Open> {
        let open = self.open.remove(&number)?;
        self.idle.remove(&(open.queued, number));
        if let Some(frame) = open.waiting {
            self.finished.remove(&(frame, number));
        }
        if let Some(own) = self.by_client.get_mut(&open.client) {
            own.remove(&number);
            if own.is_empty() {
                self.by_client.remove(&open.client);
            }
        }
        if let Some(id) = &open.id
            && let Some(named) = self.by_id.get_mut(id)
        {
            named.remove(&number);
            if named.is_empty() {
                self.by_id.remove(id);
            }
        }
        if open.is_finished() {
            self.graves.add(number, &open);
        }
        Some(open)
    }

    /// Finds what has become due by time.
    fn look(&mut self, now: At) {
        while let Some((_, number)) = self.finished.first() {
            let waits = |open: &Open| now.time.since(open.last.time) < SETTLED;
            if self.open.get(number).is_some_and(waits) {
                break;
            }
            self.due.extend(self.finished.pop_first().map(|(_, number)| number));
        }
        while let Some(number) = self.idlest() {
            let waits = |open: &Open| now.time.since(open.last.time) < KEPT;
            if self.open.get(&number).is_some_and(waits) {
                break;
            }
            self.idle.pop_first();
            self.due.push_back(number);
        }
    }

    /// Makes those due that are too many.
    fn shrink(&mut self) {
        // Those that are due are still counted among the open ones.
        while self.open.len().saturating_sub(self.due.len()) > self.cap {
            let Some(number) = self.idlest() else { return };
            self.idle.pop_first();
            self.forgotten += u64::from(self.get(number).is_some_and(|open| !open.is_finished()));
            self.due.push_back(number);
        }
    }

    /// The session that was idle for longest; it is the first of `idle` then.
    fn idlest(&mut self) -> Option<Number> {
        loop {
            let (queued, number) = *self.idle.first()?;
            match self.open.get_mut(&number) {
                Some(open) if open.last.frame > queued => {
                    self.idle.pop_first();
                    open.queued = open.last.frame;
                    self.idle.insert((open.queued, number));
                }
                _ => return Some(number),
            }
        }
    }
}
