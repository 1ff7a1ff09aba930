//! The reply of an upload-reply session, fetched by ordinary GETs ([MC-BUP] 1.3.3).

use std::collections::VecDeque;
use std::net::IpAddr;

use hashbrown::HashMap;

use super::open::{Number, Open};
use super::{Message, Sessions};
use crate::at::Span;
use crate::bits::decode;
use crate::http::Start;
use crate::model::session::Reply;
use crate::model::url::{leads_to, normal};

/// Reply URLs that are looked out for, the latest ones.
const AWAITED: usize = 64;

/// Fetches under way.
const FETCHES: usize = 1_024;

/// Requests that may have been stored ahead of what names a reply, the latest ones.
const AHEAD: usize = 64;

/// Replies that clients were told to fetch.
#[derive(Default)]
pub(super) struct Replies {
    awaited: VecDeque<(String, Number)>,
    fetches: HashMap<(u64, u32), Fetch>,
    /// Requests on connections of uploads for what no reply was named as yet: directions captured apart may stand one
    /// behind the other in a file.
    ahead: VecDeque<(String, Asked)>,
}

/// An ordinary request.
#[derive(Clone, Copy)]
struct Asked {
    connection: u64,
    exchange: u32,
    span: Span,
    head: bool,
}

/// A request for a reply.
#[derive(Clone, Copy)]
struct Fetch {
    session: Number,
    /// By HEAD, which fetches nothing.
    head: bool,
}

impl Replies {
    /// Whether the client of a session was told to fetch one.
    pub fn is_awaited(&self, session: Number) -> bool {
        self.awaited.iter().any(|(_, of)| *of == session)
    }
}

impl Sessions {
    /// A response named where the reply is; the request that it answers began in frame `since` of a connection.
    pub(super) fn await_reply(
        &mut self,
        url: &str,
        session: Number,
        (connection, since): (u64, u64),
    ) {
        let path = normal(url);
        if path.is_empty() {
            return;
        }
        let is_for = |(target, asked): &(String, Asked)| {
            let behind = asked.connection == connection && asked.span.first.frame > since;
            behind && leads_to(target, &path)
        };
        let all = std::mem::take(&mut self.replies.ahead);
        let (own, others) = all.into_iter().partition::<VecDeque<_>, _>(is_for);
        self.replies.ahead = others;
        if self.replies.awaited.len() >= AWAITED {
            self.replies.awaited.pop_front();
        }
        self.replies.awaited.push_back((path, session));
        own.into_iter().for_each(|(_, asked)| self.fetch(session, asked));
    }

    /// An ordinary request: the fetch of a reply, perhaps.
    pub(super) fn look_for_reply(&mut self, message: &Message<'_>) {
        let Message { connection, exchange, span, head } = *message;
        let Start::Request { method: method @ ("GET" | "HEAD"), target } = head.start else {
            return;
        };
        let of_upload = self.connections.contains_key(&connection.id);
        if self.replies.awaited.is_empty() && !of_upload {
            return;
        }
        let path = normal(target);
        let head = method == "HEAD";
        let asked = Asked { connection: connection.id, exchange, span, head };
        match self.awaiting(&path, connection.client.ip()) {
            Some(session) => self.fetch(session, asked),
            None if of_upload => {
                if self.replies.ahead.len() >= AHEAD {
                    self.replies.ahead.pop_front();
                }
                self.replies.ahead.push_back((path, asked));
            }
            None => {}
        }
    }

    /// A session's client asked for its reply.
    fn fetch(&mut self, session: Number, asked: Asked) {
        let Asked { connection, exchange, span, head } = asked;
        let Some(open) = self.open.get_mut(session) else { return };
        // With the session went the reply, which the client has.
        if open.is_over() && open.reply.as_ref().is_some_and(Reply::is_fetched) {
            return;
        }
        if self.replies.fetches.len() < FETCHES {
            let fetch = Fetch { session, head };
            self.replies.fetches.insert((connection, exchange), fetch);
        }
        // A later range of the same file does not change that it was fetched.
        let first = Reply { request: span, head, get: false, http_status: None, response: None };
        open.reply.get_or_insert(first).get |= !head;
    }

    /// The session whose reply this is, the latest one: of the client that asks, where it has one; else it may ask
    /// through a proxy.
    fn awaiting(&self, path: &str, client: IpAddr) -> Option<Number> {
        let of = |client: Option<IpAddr>| {
            let mut latest = self.replies.awaited.iter().rev();
            let found = latest.find(|(awaited, session)| {
                let own = |open: &Open| client.is_none_or(|client| open.client == client);
                leads_to(path, awaited) && self.open.get(*session).is_some_and(own)
            });
            found.map(|(_, session)| *session)
        };
        of(Some(client)).or_else(|| of(None))
    }

    /// A connection is over: what it was asked for does not come any more.
    pub(super) fn end_fetches(&mut self, connection: u64) {
        self.replies.fetches.retain(|(id, _), _| *id != connection);
    }

    /// The response to an ordinary request.
    pub(super) fn answer_fetch(&mut self, message: &Message<'_>, status: u16) {
        let Message { connection, exchange, span, head } = *message;
        let Some(fetch) = self.replies.fetches.remove(&(connection.id, exchange)) else { return };
        let reply = self.open.get_mut(fetch.session).and_then(|open| open.reply.as_mut());
        // An authentication round, a range, or a failure that was made good is not the last word; a success of HEAD is
        // none.
        let word = !fetch.head || status >= 400;
        if let Some(reply) = reply.filter(|reply| word && reply.http_status != Some(200)) {
            reply.http_status = Some(status);
            let response = decode::response(head, span, self.secrets, &mut self.words);
            reply.response = Some(Box::new(response));
        }
    }
}
