//! A session as steps between a client and its servers: what diagrams are drawn from.

use std::net::SocketAddr;

use super::style::{Style, Tone};
use super::text;
use super::timeline::{Said, Words};
use crate::at::{Span, Timestamp};
use crate::model::notification::Notification;
use crate::model::session::Reply;
use crate::model::{Exchange, Request, Session};
use crate::rules::sender;
use crate::stream::Side;

/// Servers that get a line of their own; further ones share the last.
const SERVERS: usize = 6;

/// The steps of a session.
pub(super) struct Story {
    /// Who answered, in order of appearance.
    pub servers: Vec<Server>,
    pub steps: Vec<Step>,
}

/// One of the servers.
pub(super) struct Server {
    pub address: SocketAddr,
    /// The host that the client named.
    pub host: Option<String>,
    /// The client asked for absolute URLs, or answers tell of a proxy.
    pub proxy: bool,
}

/// What happened.
pub(super) enum Step {
    Message(Message),
    /// Something between messages.
    Note {
        time: Timestamp,
        words: String,
    },
}

/// One message.
pub(super) struct Message {
    pub span: Span,
    pub from: Side,
    /// Its server's place in the list.
    pub server: usize,
    pub what: String,
    pub detail: String,
    pub tone: Tone,
    /// The exchange's place in the session.
    pub exchange: usize,
}

impl Step {
    /// When it began.
    pub const fn time(&self) -> Timestamp {
        match self {
            Self::Message(message) => message.span.first.time,
            Self::Note { time, .. } => *time,
        }
    }
}

impl Story {
    /// The story of a session.
    pub fn of(session: &Session) -> Self {
        let mut story = Self { servers: Vec::new(), steps: Vec::new() };
        let mut words = Words::of(session, Style::default());
        let mut before = None;
        let mut reply = session.reply.as_ref();
        let mut told = session.notifications.iter().peekable();
        for (place, exchange) in session.exchanges.iter().enumerate() {
            if let Some(reply) = reply.take_if(|reply| reply.is_ahead_of(exchange)) {
                story.fetch(reply);
            }
            let server = story.server(exchange);
            if let Some(before) = before.replace(exchange) {
                story.connection(before, exchange);
            }
            let message = |from, span, said: Said, tone| {
                let (detail, what) = (said.plain(), said.what);
                Step::Message(Message { span, from, server, what, detail, tone, exchange: place })
            };
            if let Some(request) = &exchange.request {
                let said = words.request(exchange, request);
                story.steps.push(message(Side::Client, request.span, said, Tone::Plain));
            }
            let until = exchange.span().last.time;
            while let Some(one) = told.next_if(|one| one.request.first.time <= until) {
                story.notification(one);
            }
            match &exchange.response {
                Some(response) => {
                    let said = words.response(exchange, response);
                    let tone = said.tone;
                    story.steps.push(message(Side::Server, response.span, said, tone));
                }
                None => story.silence(session, exchange),
            }
        }
        told.for_each(|one| story.notification(one));
        if let Some(reply) = reply {
            story.fetch(reply);
        }
        if session.exchanges_omitted > 0 {
            let omitted = text::count(session.exchanges_omitted, "exchange");
            story.note(session.ended, format!("⋮ {omitted} left out"));
        }
        story
    }

    /// The first and the last steps where there are more than `most`, and how many lie between them.
    pub fn shortened(&self, most: usize) -> (&[Step], usize, &[Step]) {
        let between = self.steps.len().saturating_sub(most);
        if between == 0 {
            return (&self.steps, 0, &[]);
        }
        let (first, rest) = self.steps.split_at(most / 2);
        (first, between, rest.get(between..).unwrap_or_default())
    }

    fn note(&mut self, time: Timestamp, words: String) {
        self.steps.push(Step::Note { time, words });
    }

    /// Another connection than that of the exchange before, if it is one.
    fn connection(&mut self, before: &Exchange, exchange: &Exchange) {
        if before.connection == exchange.connection {
            return;
        }
        let client = exchange.client;
        let from = match before.client.ip() == client.ip() {
            true => format!("port {}", client.port()),
            false => client.to_string(),
        };
        self.note(exchange.span().first.time, format!("⋮ connection from {from}"));
    }

    /// The fetch of a reply, which is no exchange of the session.
    fn fetch(&mut self, reply: &Reply) {
        let at = reply.request.first;
        let mut words = format!("⋮ the client asks for the reply, frame {}", at.name());
        if let Some(status) = reply.http_status {
            words.push_str(&format!(": HTTP {status}"));
        }
        self.note(at.time, words);
    }

    /// What the server tells the application behind it, which is no exchange of the session either.
    fn notification(&mut self, one: &Notification) {
        let at = one.request.first;
        let answer = one.http_status.map_or_else(String::new, |status| format!(": HTTP {status}"));
        let place = one.application;
        self.note(
            at.time,
            format!("⋮ the server tells the application at {place}, frame {}{answer}", at.name()),
        );
    }

    fn silence(&mut self, session: &Session, exchange: &Exchange) {
        let connection = session.connection(exchange.connection);
        let ended = exchange.span().last.time;
        match connection.and_then(|known| Some((known, known.reset?))) {
            Some((connection, reset)) => {
                let who = sender::in_whose_name(session, connection, &reset, "the ");
                let words = format!("✂ {who} resets the connection, frame {}", reset.at.name());
                self.note(reset.time.max(ended), words);
            }
            None => self.note(ended, "⋮ no answer seen".to_owned()),
        }
    }

    fn server(&mut self, exchange: &Exchange) -> usize {
        let host =
            exchange.request.as_ref().and_then(|request| request.host.clone().map(String::from));
        let absolute = exchange.request.as_ref().is_some_and(Request::is_for_proxy);
        let via = exchange.response.as_ref().is_some_and(|response| response.via.is_some());
        let same = |server: &Server| {
            server.address == exchange.server
                && (host.is_none() || server.host.is_none() || server.host == host)
        };
        if let Some(place) = self.servers.iter().position(same) {
            if let Some(server) = self.servers.get_mut(place) {
                server.proxy |= absolute || via;
                server.host = server.host.take().or(host);
            }
            return place;
        }
        if self.servers.len() >= SERVERS {
            return self.servers.len() - 1;
        }
        self.servers.push(Server { address: exchange.server, host, proxy: absolute || via });
        self.servers.len() - 1
    }
}
