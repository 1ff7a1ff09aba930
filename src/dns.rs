//! Name look-ups over UDP, as far as they fail (RFC 1035).

#[cfg(test)]
mod tests;

use std::cell::OnceCell;
use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

use hashbrown::HashMap;
use hashbrown::hash_map::Entry;
use simple_dns::{Packet, PacketFlag, RCODE, header_buffer as header};

use crate::at::{At, Span, Timestamp};
use crate::model::lookup::{Failure, Lookup};
use crate::packet::Datagram;

/// The port of name servers.
const PORT: u16 = 53;

/// The fixed part of a message, behind which the first question begins (RFC 1035 4.1).
const HEADER: usize = 12;

/// The longest name (RFC 1035 2.3.4).
const NAME: usize = 255;

/// The longest message looked at: resolvers ask for no more over UDP (RFC 6891 6.2.5).
const LONGEST: usize = 4_096;

/// Questions that wait for their answer; each answer looks through them.
const WAITING: usize = 256;

/// Clients known to be answered, beside those that wait or failed.
const HEARD: usize = 4_096;

/// Names found that are remembered, the latest ones.
const FOUND: usize = 256;

/// A name that was found so many seconds ago is known to the client, though a question of another type fails.
const KNOWN_SECS: f64 = 60.0;

/// A name that a client found.
#[derive(Debug)]
struct Found {
    client: IpAddr,
    name: Vec<u8>,
    /// The type that it asked for.
    kind: [u8; 2],
    at: Timestamp,
}

/// The name that a message asks about, as it is written there, and the type.
fn question(message: &[u8]) -> (&[u8], [u8; 2]) {
    let question = message.get(HEADER..).unwrap_or_default();
    let (name, rest) = question.split_at(memchr::memchr(0, question).unwrap_or(question.len()));
    let kind = rest.get(1..).and_then(<[u8]>::first_chunk).copied();
    (name, kind.unwrap_or_default())
}

/// Follows questions and answers, up to caps.
#[derive(Debug)]
pub struct Resolver {
    waiting: VecDeque<Question>,
    failed: HashMap<(IpAddr, String, Failure), Lookup>,
    clients: HashMap<IpAddr, Client>,
    found: VecDeque<Found>,
    /// Room for the next question.
    spare: Vec<u8>,
    cap: usize,
    omitted: u64,
}

/// What is known of a client.
#[derive(Debug, Default)]
struct Client {
    /// Its questions that were not answered yet.
    waiting: usize,
    /// Some look-up of it failed, if only for a time.
    failed: bool,
    /// It was answered; without an answer in the capture, silence proves nothing.
    heard: bool,
}

/// A question that was not answered yet.
#[derive(Debug)]
struct Question {
    client: SocketAddr,
    id: u16,
    message: Vec<u8>,
    /// Decoded when it is first asked for.
    name: OnceCell<Option<String>>,
    at: At,
}

impl Question {
    fn name(&self) -> Option<&str> {
        self.name.get_or_init(|| name_in(&self.message)).as_deref()
    }

    fn is_for(&self, client: IpAddr, name: &str) -> bool {
        self.client.ip() == client && self.name() == Some(name)
    }
}

/// The name that a message is about, in lower case.
fn name_in(message: &[u8]) -> Option<String> {
    let packet = Packet::parse(message).ok()?;
    let name = packet.questions.first()?.qname.to_string();
    Some(name.trim_end_matches('.').to_ascii_lowercase())
}

impl Resolver {
    /// None yet; at most `cap` failures are kept.
    pub fn new(cap: usize) -> Self {
        Self {
            waiting: VecDeque::new(),
            failed: HashMap::default(),
            clients: HashMap::default(),
            found: VecDeque::new(),
            spare: Vec::new(),
            cap,
            omitted: 0,
        }
    }

    /// Takes a datagram; those that are no DNS are passed over.
    pub fn push(&mut self, datagram: &Datagram<'_>) {
        let (from, to) = (datagram.from, datagram.to);
        if (from.port() != PORT && to.port() != PORT) || datagram.payload.len() > LONGEST {
            return;
        }
        let message = datagram.payload;
        let (Ok(id), Ok(response)) =
            (header::id(message), header::has_flags(message, PacketFlag::RESPONSE))
        else {
            return;
        };
        if response {
            self.answer(datagram.at, to, id, message);
        } else if to.port() == PORT {
            let mut room = std::mem::take(&mut self.spare);
            room.clear();
            room.extend_from_slice(message);
            let (message, name) = (room, OnceCell::new());
            self.ask(Question { client: from, id, message, name, at: datagram.at });
        }
    }

    fn ask(&mut self, question: Question) {
        if self.waiting.len() >= WAITING {
            let oldest = self.take(0);
            oldest.iter().for_each(|question| self.unanswered(question));
        }
        self.clients.entry(question.client.ip()).or_default().waiting += 1;
        self.waiting.push_back(question);
    }

    /// Takes note that a client is answered; whether none of its look-ups failed, and no question waits but the
    /// `answered`.
    fn hear(&mut self, client: IpAddr, answered: usize) -> bool {
        if let Some(known) = self.clients.get_mut(&client) {
            known.heard = true;
            return !known.failed && known.waiting <= answered;
        }
        if self.clients.len() < HEARD + WAITING {
            self.clients.insert(client, Client { heard: true, ..Client::default() });
        }
        true
    }

    /// Takes out the question at `place`.
    fn take(&mut self, place: usize) -> Option<Question> {
        let question = self.waiting.remove(place)?;
        if let Entry::Occupied(mut client) = self.clients.entry(question.client.ip()) {
            client.get_mut().waiting -= 1;
            let Client { waiting, failed, heard } = *client.get();
            if waiting == 0 && !failed && !heard {
                client.remove();
            }
        }
        Some(question)
    }

    fn answer(&mut self, at: At, to: SocketAddr, id: u16, message: &[u8]) {
        let client = to.ip();
        let place = self.waiting.iter().rposition(|q| q.id == id && q.client == to);
        let quiet = self.hear(client, usize::from(place.is_some()));
        let (Ok(code), Ok(answers)) = (header::rcode(message), header::answers(message)) else {
            return;
        };
        let failure = match code {
            RCODE::NameError => Some(Failure::NoSuchName),
            RCODE::ServerFailure => Some(Failure::ServerFailed),
            RCODE::Refused => Some(Failure::Refused),
            _ => None,
        };
        let found = code == RCODE::NoError && answers > 0;
        if found {
            self.remember(client, message, at.time);
        }
        if failure.is_none() && quiet {
            let asked = place.and_then(|place| self.take(place));
            self.spare = asked.map_or_else(Vec::new, |question| question.message);
            return;
        }
        let Some(name) = name_in(message) else { return };
        let asked = place
            .filter(|place| self.waiting.get(*place).is_some_and(|q| q.is_for(client, &name)))
            .and_then(|place| self.take(place));
        match failure {
            Some(_) if self.is_known(client, message, at.time) => {}
            Some(failure) => {
                let first = asked.map_or(at, |question| question.at);
                self.fail(client, &name, failure, Span { first, last: at });
            }
            None if found => self.succeed(client, &name),
            None => {}
        }
    }

    /// The name could be resolved after all: what failed before is of no account.
    fn succeed(&mut self, client: IpAddr, name: &str) {
        for failure in Failure::ALL {
            self.failed.remove(&(client, name.to_owned(), failure));
        }
        while let Some(place) =
            self.waiting.iter().position(|question| question.is_for(client, name))
        {
            self.take(place);
        }
    }

    fn unanswered(&mut self, question: &Question) {
        let (client, at) = (question.client.ip(), question.at);
        if let Some(name) = question.name()
            && !self.is_known(client, &question.message, at.time)
        {
            self.fail(client, name, Failure::Unanswered, Span::at(at));
        }
    }

    fn remember(&mut self, client: IpAddr, message: &[u8], at: Timestamp) {
        let (asked, kind) = question(message);
        if asked.len() > NAME {
            return;
        }
        // The room of the one that is forgotten will do.
        let oldest = if self.found.len() >= FOUND { self.found.pop_front() } else { None };
        let mut name = oldest.map_or_else(Vec::new, |oldest| oldest.name);
        name.clear();
        name.extend_from_slice(asked);
        self.found.push_back(Found { client, name, kind, at });
    }

    /// Whether a client had found the name shortly before, by a question of another type.
    fn is_known(&self, client: IpAddr, message: &[u8], time: Timestamp) -> bool {
        let (name, kind) = question(message);
        self.found.iter().any(|found| {
            found.client == client
                && found.kind != kind
                && found.name.eq_ignore_ascii_case(name)
                && (0.0..=KNOWN_SECS).contains(&time.secs_since(found.at))
        })
    }

    fn fail(&mut self, client: IpAddr, name: &str, failure: Failure, span: Span) {
        let key = (client, name.to_owned(), failure);
        if self.failed.len() >= self.cap && !self.failed.contains_key(&key) {
            self.omitted += 1;
            return;
        }
        self.clients.entry(client).or_default().failed = true;
        let lookup = self.failed.entry(key).or_insert_with(|| Lookup {
            client,
            name: name.to_owned(),
            failure,
            tries: 0,
            span,
            first: span,
        });
        lookup.tries += 1;
        lookup.span.cover(span);
    }

    /// Failures beyond the cap.
    pub const fn omitted(&self) -> u64 {
        self.omitted
    }

    /// Nothing follows: what waits will not be answered.
    pub fn end(&mut self) {
        while let Some(question) = self.take(0) {
            self.unanswered(&question);
        }
    }

    /// All failures that no success followed, in the order in which they began.
    pub fn failures(&self) -> Vec<Lookup> {
        in_order(self.failed.values().filter(|lookup| self.tells(lookup)))
    }

    /// Those of clients with names.
    pub fn failures_of(&self, asked: &[(IpAddr, String)]) -> Vec<Lookup> {
        if self.failed.is_empty() {
            return Vec::new();
        }
        let all = asked.iter().flat_map(|(client, name)| {
            Failure::ALL.map(|failure| self.failed.get(&(*client, name.clone(), failure)))
        });
        in_order(all.flatten().filter(|lookup| self.tells(lookup)))
    }

    /// One question without an answer may just be the last one before the capture ended.
    fn tells(&self, lookup: &Lookup) -> bool {
        lookup.failure != Failure::Unanswered
            || lookup.tries > 1
                && self.clients.get(&lookup.client).is_some_and(|client| client.heard)
    }
}

fn in_order<'a>(all: impl Iterator<Item = &'a Lookup>) -> Vec<Lookup> {
    let mut all: Vec<Lookup> = all.cloned().collect();
    all.sort_by(|a, b| (a.span.first.frame, &a.name).cmp(&(b.span.first.frame, &b.name)));
    all
}
