//! The rule `ua-without-bits-behaviour`.

use std::num::NonZeroU64;

use hashbrown::HashMap;

use crate::bits::{AGENT, PacketType};
use crate::model::{Exchange, Request, Session};
use crate::rules::{Around, Notes, look, relay};

rule! {
    /// The client calls itself Microsoft BITS but does not behave like it.
    ///
    /// Windows sends one request at a time, by BITS_POST over HTTP/1.1, each with its length, in Fragments of at most
    /// 13 MB; BITS before 1.5 cannot upload. What does otherwise has borrowed the name. A small Fragment alone says
    /// nothing.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/20000
    /// > FRAGMENT 10000-19999/20000
    /// < 200 received=10000
    /// < 200 received=20000
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    ///   User-Agent: Microsoft BITS/6.2
    /// < 200 session=1
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200
    /// > FRAGMENT 10-19/20
    /// < 200
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    ///   User-Agent: curl/8.5
    ///   Expect: 100-continue
    /// < 200 session=1
    /// ```
    /// The capture has the leg in front of the proxy that does it:
    /// ```silent
    /// > CREATE-SESSION
    /// ... 1 s
    /// < 200 session=1
    /// ... -500 ms
    /// = client 192.0.2.80
    /// = server 10.0.9.80:80
    /// > CREATE-SESSION http=1.0
    /// < 200 session=1
    /// ```
    ///
    /// Advice: See which program on the client owns the connection (`netstat -b`, event 5156); svchost.exe is BITS itself.
    /// Confirm: The client's BITS-Client log holds no job for this URL.
    Note, belief 0, needs Anything, Around
}

fn check(session: &Session, around: &Around<'_>, notes: &mut Notes<'_>) {
    let mut told: Vec<&str> = Vec::new();
    let mut known = (None, None);
    let mut asked = Asked::default();
    let mut relayed = None;
    for exchange in &session.exchanges {
        let Some(request) = &exchange.request else { continue };
        let early = asked.take(exchange, request);
        if known.0 != request.user_agent.as_ref() {
            known = (request.user_agent.as_ref(), version(request));
        }
        let Some(version) = known.1 else { continue };
        let new = habits(exchange, request, version, early);
        let mut new: Vec<&str> = new.into_iter().filter(|habit| !told.contains(habit)).collect();
        if new.iter().any(|habit| OF_HOP.contains(habit))
            && *relayed.get_or_insert_with(|| relay::is_relayed(session, around))
        {
            new.retain(|habit| !OF_HOP.contains(habit));
        }
        if !new.is_empty() {
            let agent = request.user_agent.as_deref().unwrap_or_default();
            notes.likely(exchange.span(), format!("\"{agent}\" {}", new.join(", ")));
            told.extend(new);
        }
    }
}

/// What a proxy does when it passes on requests, whoever sent them.
const OF_HOP: [&str; 4] = [EARLY, OLD, EXPECTS, CHUNKS];

const EARLY: &str = "does not wait for answers";
const OLD: &str = "speaks HTTP/1.0";
const EXPECTS: &str = "asks for 100";
const CHUNKS: &str = "sends chunks";

/// The version of BITS that a client claims, as major and minor number.
fn version(request: &Request) -> Option<(u32, u32)> {
    let (major, minor) = request.user_agent.as_deref()?.strip_prefix(AGENT)?.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// The largest Fragment, in bytes, of BITS 2.5 and later, with some room ([MC-BUP] Appendix A <10>).
const LARGEST: u64 = 14 << 20;

/// The largest one before that.
const LARGEST_OLD: u64 = 128 << 10;

/// What was asked on each connection, and when it was answered.
#[derive(Default)]
struct Asked {
    /// The connection of the last request.
    connection: u64,
    current: Waiting,
    others: HashMap<u64, Waiting>,
}

/// The requests of a connection.
#[derive(Clone, Copy, Default)]
struct Waiting {
    /// Where the last one ends, and where its answer begins.
    last: (u64, u64),
    /// The last answer to those before it.
    answered: u64,
    /// The client had what comes before it when it sent the last one, all that it had asked for by then.
    awaits: Option<NonZeroU64>,
}

impl Asked {
    /// Takes a request. Whether it begins before one ahead of it on its connection is answered.
    fn take(&mut self, exchange: &Exchange, request: &Request) -> bool {
        if exchange.connection != self.connection {
            let next = self.others.remove(&exchange.connection).unwrap_or_default();
            let before = std::mem::replace(&mut self.current, next);
            if self.connection > 0 {
                self.others.insert(self.connection, before);
            }
            self.connection = exchange.connection;
        }
        let Waiting { last: (ended, answer), answered, awaits } = &mut self.current;
        let (begun, end) = (request.span.first.frame, request.span.last.frame);
        let own = exchange.response.as_ref().map_or(0, |answer| answer.span.first.frame);
        if awaits.is_some() && request.awaits > *awaits {
            // It had come, whatever was captured later.
            (*answer, *answered) = (0, 0);
        }
        if *ended < begun {
            *answered = (*answered).max(*answer);
            *answer = own;
        }
        (*ended, *answer) = (end.max(*ended), own.max(*answer));
        let early = begun < *answered;
        *awaits = request.awaits.filter(|_| !early);
        early
    }
}

/// What Windows does not do. `early` tells that the request did not wait for an answer.
fn habits(
    exchange: &Exchange,
    request: &Request,
    version: (u32, u32),
    early: bool,
) -> Vec<&'static str> {
    let len = look::range(exchange).and_then(|range| range.len()).unwrap_or(0);
    let largest = if version < (6, 7) { LARGEST_OLD } else { LARGEST };
    let fragment = exchange.kind == PacketType::Fragment;
    let bits = request.method.eq_ignore_ascii_case("BITS_POST");
    [
        (version < (6, 5), "uploads, which its version cannot"),
        (!bits && !request.method.is_empty(), "does not use BITS_POST"),
        (fragment && early, EARLY),
        (len > largest, "sends larger Fragments than its version does"),
        (request.minor_version == 0, OLD),
        (request.expect.is_some(), EXPECTS),
        (request.transfer_encoding.is_some(), CHUNKS),
    ]
    .into_iter()
    .filter(|(does, _)| *does)
    .map(|(_, habit)| habit)
    .collect()
}
