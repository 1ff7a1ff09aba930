//! Name look-ups over UDP, as far as they fail (RFC 1035).

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

use foldhash::fast::RandomState;
use hashbrown::{HashMap, HashSet};
use simple_dns::{Packet, PacketFlag, RCODE};

use crate::at::{At, Span};
use crate::model::lookup::{Failure, Lookup};
use crate::packet::Datagram;

/// The port of name servers.
const PORT: u16 = 53;

/// The longest message looked at: resolvers ask for no more over UDP (RFC 6891 6.2.5).
const LONGEST: usize = 4_096;

/// Questions that wait for their answer; each answer looks through them.
const WAITING: usize = 256;

/// Clients known to be answered; without an answer in the capture, silence proves nothing.
const HEARD: usize = 4_096;

/// Follows questions and answers, up to caps.
#[derive(Debug)]
pub struct Resolver {
    waiting: VecDeque<Question>,
    failed: HashMap<(IpAddr, String, Failure), Lookup, RandomState>,
    heard: HashSet<IpAddr, RandomState>,
    cap: usize,
    omitted: u64,
}

/// A question that was not answered yet.
#[derive(Debug)]
struct Question {
    client: SocketAddr,
    id: u16,
    name: String,
    at: At,
}

impl Resolver {
    /// None yet; at most `cap` failures are kept.
    pub fn new(cap: usize) -> Self {
        Self {
            waiting: VecDeque::new(),
            failed: HashMap::default(),
            heard: HashSet::default(),
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
        let Ok(packet) = Packet::parse(datagram.payload) else { return };
        let Some(question) = packet.questions.first() else { return };
        let name = question.qname.to_string().trim_end_matches('.').to_ascii_lowercase();
        if packet.has_flags(PacketFlag::RESPONSE) {
            self.answer(datagram.at, to, &name, &packet);
        } else if to.port() == PORT {
            self.ask(Question { client: from, id: packet.id(), name, at: datagram.at });
        }
    }

    fn ask(&mut self, question: Question) {
        if self.waiting.len() >= WAITING {
            self.waiting.pop_front();
        }
        self.waiting.push_back(question);
    }

    fn answer(&mut self, at: At, client: SocketAddr, name: &str, packet: &Packet<'_>) {
        if self.heard.len() < HEARD {
            self.heard.insert(client.ip());
        }
        let asked = self
            .waiting
            .iter()
            .rposition(|q| q.client == client && q.id == packet.id() && q.name == name)
            .and_then(|place| self.waiting.remove(place));
        let failure = match packet.rcode() {
            RCODE::NameError => Failure::NoSuchName,
            RCODE::ServerFailure => Failure::ServerFailed,
            RCODE::Refused => Failure::Refused,
            RCODE::NoError if !packet.answers.is_empty() => {
                self.succeed(client.ip(), name);
                return;
            }
            _ => return,
        };
        let first = asked.map_or(at, |question| question.at);
        self.fail(client.ip(), name, failure, Span { first, last: at });
    }

    /// The name could be resolved after all: what failed before is of no account.
    fn succeed(&mut self, client: IpAddr, name: &str) {
        for failure in Failure::ALL {
            self.failed.remove(&(client, name.to_owned(), failure));
        }
        self.waiting.retain(|question| question.client.ip() != client || question.name != name);
    }

    fn fail(&mut self, client: IpAddr, name: &str, failure: Failure, span: Span) {
        let key = (client, name.to_owned(), failure);
        if self.failed.len() >= self.cap && !self.failed.contains_key(&key) {
            self.omitted += 1;
            return;
        }
        let lookup = self.failed.entry(key).or_insert_with(|| Lookup {
            client,
            name: name.to_owned(),
            failure,
            tries: 0,
            span,
            last: span.last,
        });
        lookup.tries += 1;
        lookup.last = span.last;
    }

    /// Failures beyond the cap.
    pub const fn omitted(&self) -> u64 {
        self.omitted
    }

    /// Nothing follows: what waits will not be answered.
    pub fn end(&mut self) {
        for question in std::mem::take(&mut self.waiting) {
            let Question { client, name, at, .. } = question;
            self.fail(client.ip(), &name, Failure::Unanswered, Span::at(at));
        }
    }

    /// All failures that no success followed, in the order in which they began.
    pub fn failures(&self) -> Vec<Lookup> {
        // One question without an answer may just be the last one before the capture ended.
        let told = |lookup: &&Lookup| {
            lookup.failure != Failure::Unanswered
                || lookup.tries > 1 && self.heard.contains(&lookup.client)
        };
        let mut all: Vec<Lookup> = self.failed.values().filter(told).cloned().collect();
        all.sort_by(|a, b| (a.span.first.frame, &a.name).cmp(&(b.span.first.frame, &b.name)));
        all
    }
}
