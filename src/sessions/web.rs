//! What servers answer to ordinary requests: whether a refusal is about the verb or about everything.

use std::collections::VecDeque;
use std::hash::{BuildHasher, Hasher};
use std::net::SocketAddr;

use hashbrown::HashMap;

use super::Message;
use crate::at::At;
use crate::bits::{self, decode};
use crate::http::{Head, Start};
use crate::model::{Counted, Exchange, Request, url};

/// Servers remembered, and directories of IIS.
const SERVERS: usize = 4_096;

/// Requests under way that are looked out for, the latest ones.
const ASKED: usize = 64;

/// What the name of IIS begins with.
const IIS: &[u8] = b"Microsoft-IIS";

/// What the names of Microsoft's servers begin with.
const MICROSOFT: &[u8] = b"Microsoft-";

/// What servers answered to ordinary requests.
#[derive(Clone, Debug, Default)]
pub struct Web {
    /// The first answers of servers that always give their names, or that came through hops which do; by address and
    /// host, as a proxy, or one address, may stand for several.
    named: HashMap<(SocketAddr, u64), At>,
    directories: HashMap<(SocketAddr, u64), Directory>,
    asked: VecDeque<Asked>,
    downloads: Option<Counted>,
    names: hashbrown::DefaultHashBuilder,
}

/// What IIS answered to requests for a virtual directory.
#[derive(Clone, Copy, Debug, Default)]
pub struct Directory {
    /// The first success with anything in it.
    pub success: Option<At>,
    /// The first answer to a request for the directory itself that is neither a success nor 404.
    pub other: Option<(u16, At)>,
}

/// An ordinary request.
#[derive(Clone, Copy, Debug)]
struct Asked {
    connection: u64,
    exchange: u32,
    host: u64,
    visit: Option<Visit>,
}

/// A request for something in a directory.
#[derive(Clone, Copy, Debug)]
struct Visit {
    directory: u64,
    /// It asks for the directory itself.
    itself: bool,
}

impl Web {
    /// Notes an ordinary request.
    pub(super) fn asked(&mut self, message: &Message<'_>) {
        let Message { connection, exchange, span, head } = *message;
        let Start::Request { method, target } = head.start else { return };
        let is_of_bits = |agent: &[u8]| agent.starts_with(bits::AGENT.as_bytes());
        let fetches = matches!(method, "GET" | "HEAD");
        let of_bits = fetches && head.field("User-Agent").is_some_and(is_of_bits);
        if of_bits && !decode::has_packet_field(head) {
            Counted::count(&mut self.downloads, &span);
        }
        let host = head.field("Host").unwrap_or_default();
        let fetched = fetches.then(|| first_part(url::path_in(target)));
        let visit = fetched.flatten().map(|(directory, rest)| Visit {
            directory: self.name(host, directory),
            itself: rest.is_none_or(str::is_empty),
        });
        if self.asked.len() >= ASKED {
            self.asked.pop_front();
        }
        let host = self.host(host);
        self.asked.push_back(Asked { connection: connection.id, exchange, host, visit });
    }

    /// What BITS clients fetched.
    pub const fn downloads(&self) -> Option<&Counted> {
        self.downloads.as_ref()
    }

    /// Notes the answer to an ordinary request.
    pub(super) fn answered(&mut self, message: &Message<'_>, status: u16) {
        let Message { connection, exchange, span, head } = *message;
        let (server, at) = (connection.server, span.first);
        let asked = |asked: &Asked| asked.connection == connection.id && asked.exchange == exchange;
        let place = self.asked.iter().position(asked).filter(|_| status >= 200);
        let Some(asked) = place.and_then(|place| self.asked.remove(place)) else { return };
        if let Some(visit) = asked.visit
            && head.field("Server").is_some_and(|server| begins(server, IIS))
        {
            self.visited(server, visit, status, at);
        }
        if self.named.len() < SERVERS && is_named(head) {
            self.named.entry((server, asked.host)).or_insert(at);
        }
    }

    fn visited(&mut self, server: SocketAddr, visit: Visit, status: u16, at: At) {
        let key = (server, visit.directory);
        if self.directories.len() >= SERVERS && !self.directories.contains_key(&key) {
            return;
        }
        let directory = self.directories.entry(key).or_default();
        match status {
            200..=299 | 304 => directory.success = directory.success.or(Some(at)),
            300..=403 | 405..=499 if visit.itself => {
                directory.other = directory.other.or(Some((status, at)));
            }
            _ => {}
        }
    }

    /// A host without the port that needs not be said.
    fn host(&self, host: &[u8]) -> u64 {
        self.name(host.strip_suffix(b":80").unwrap_or(host), "")
    }

    /// A directory of a host, whatever the case of its letters.
    fn name(&self, host: &[u8], directory: &str) -> u64 {
        let mut hasher = self.names.build_hasher();
        for byte in host.iter().chain(b"/").chain(directory.as_bytes()) {
            hasher.write_u8(byte.to_ascii_lowercase());
        }
        hasher.finish()
    }

    /// What IIS answered to ordinary requests for the virtual directory that a request of the upload protocol went to.
    pub fn directory(&self, server: SocketAddr, request: &Request) -> Option<&Directory> {
        let host = request.host.as_deref().unwrap_or_default();
        let (directory, rest) = first_part(url::path_of(request))?;
        rest?;
        self.directories.get(&(server, self.name(host.as_bytes(), directory)))
    }

    /// The first answer of the server of an exchange where that always gives its name, or came through a hop which
    /// does.
    pub fn named(&self, exchange: &Exchange) -> Option<At> {
        let host = exchange.request.as_ref()?.host.as_deref().unwrap_or_default();
        self.named.get(&(exchange.server, self.host(host.as_bytes()))).copied()
    }
}

/// Whether it is from IIS or http.sys, which put their names to errors as well, or passed a hop that names itself.
fn is_named(head: &Head<'_>) -> bool {
    let microsoft = |server| begins(server, MICROSOFT);
    head.field("Via").is_some() || head.field("Server").is_some_and(microsoft)
}

fn begins(value: &[u8], front: &[u8]) -> bool {
    value.get(..front.len()).is_some_and(|start| start.eq_ignore_ascii_case(front))
}

/// The first part of a path, and what stands behind a slash after it.
fn first_part(path: &str) -> Option<(&str, Option<&str>)> {
    let path = path.strip_prefix('/').filter(|path| !path.is_empty())?;
    Some(path.split_once('/').map_or((path, None), |(first, rest)| (first, Some(rest))))
}
