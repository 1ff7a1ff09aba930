//! What a message says of its upload.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::net::SocketAddr;

use super::open::Open;
use crate::bits::PacketType;
use crate::model::exchange::Exchange;
use crate::model::url::{self, Url, percent_decoded};
use crate::model::{Request, Response, Text};

/// What a message says of its upload.
pub(super) struct Asked<'a> {
    pub client: SocketAddr,
    pub server: SocketAddr,
    exchange: &'a Exchange,
    /// Read when first asked for: many messages are told by an id.
    place: OnceCell<Place<'a>>,
}

/// Where it is to go.
#[derive(Default)]
struct Place<'a> {
    path: Option<Cow<'a, str>>,
    /// In lower case.
    host: Option<Cow<'a, str>>,
    url: Option<Url<'a>>,
}

/// What a request writes of the place of its upload: target, Host, and whether it is in TLS.
pub(super) type Written = (Text, Option<Text>, bool);

impl<'a> Asked<'a> {
    pub fn of(exchange: &'a Exchange) -> Self {
        let (client, server) = (exchange.client, exchange.server);
        Self { client, server, exchange, place: OnceCell::new() }
    }

    fn place(&self) -> &Place<'a> {
        self.place.get_or_init(|| {
            let Some(request) = &self.exchange.request else { return Place::default() };
            let url = url::of(self.exchange, request);
            Place {
                path: Some(percent_decoded(url::path_of(request))),
                host: url.map(|url| lower(url.host)),
                url,
            }
        })
    }

    pub fn written(&self) -> Option<Written> {
        let request = self.exchange.request.as_ref()?;
        Some((request.target.clone(), request.host.clone(), self.exchange.tls))
    }

    pub fn path(&self) -> Option<&str> {
        self.place().path.as_deref()
    }

    /// The path, shared with the request where that writes no more.
    pub fn path_text(&self) -> Option<Text> {
        let target = &self.exchange.request.as_ref()?.target;
        self.path().map(|path| target.same_or(path))
    }

    /// The host, shared with the request in the same way.
    pub fn host_text(&self) -> Option<Text> {
        let written = self.exchange.request.as_ref()?.host.clone().unwrap_or_default();
        self.host().map(|host| written.same_or(host))
    }

    pub fn host(&self) -> Option<&str> {
        self.place().host.as_deref()
    }

    /// The number of its connection.
    pub const fn connection(&self) -> u64 {
        self.exchange.connection
    }

    /// Whether it brings credentials to a server or a proxy.
    pub fn brings_credentials(&self) -> bool {
        self.exchange.request.as_ref().is_some_and(|request| {
            request.authorization.is_some() || request.proxy_authorization.is_some()
        })
    }

    /// Whether the capture ends within its head.
    pub fn is_cut(&self) -> bool {
        self.exchange.request.as_ref().is_some_and(Request::is_cut)
    }

    /// Whether it asks the same as another exchange.
    pub fn repeats(&self, other: &Exchange) -> bool {
        self.exchange.kind == other.kind && self.exchange.range() == other.range()
    }

    /// Whether it is a Fragment that begins with the byte that a session's server wanted last, or a Close on the
    /// connection where it said so.
    pub fn goes_on_with(&self, open: &Open) -> bool {
        let reached = open.reached();
        match self.exchange.kind {
            PacketType::CloseSession => reached > 0 && open.is_on(self.exchange.connection),
            _ => self.exchange.bounds().is_some_and(|(start, _)| start > 0 && reached == start),
        }
    }

    /// Whether a client may ask this behind the last answer of a session: that did not say that the session is lost,
    /// and where it named the next byte, a Fragment begins there, or ends there, as one does whose answer was stored
    /// ahead of it. Behind others that the capture may lack, it begins later, and where the answer may not have
    /// arrived, it may bring the bytes before again.
    pub fn may_follow(&self, open: &Open) -> bool {
        let (reached, connection) = (open.reached(), self.exchange.connection);
        let anew = !open.spoke_last_on(connection);
        let behind_hole = self.exchange.request.as_ref().is_some_and(|request| request.after_gap);
        let fits = |(start, end)| {
            start == reached
                || end == reached
                || start > reached && (anew || behind_hole)
                || anew && (start..=end).contains(&reached)
        };
        let lost = open.exchanges.last().is_some_and(Exchange::says_lost);
        !lost && (reached == 0 || self.exchange.bounds().is_none_or(fits))
    }

    /// Seconds since the request of another exchange was there, where this came behind it and before the answer to it.
    pub fn secs_behind(&self, other: &Exchange) -> Option<f64> {
        let (at, request) = (self.exchange.span().first.time, other.request.as_ref()?.span);
        let behind = |answer: &Response| at > answer.span.first.time;
        let waits = at >= request.first.time && !other.response.as_ref().is_some_and(behind);
        waits.then(|| at.secs_since(request.last.time))
    }

    pub fn url(&self) -> Option<Url<'a>> {
        self.place().url
    }
}

fn lower(text: &str) -> Cow<'_, str> {
    match text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => text.to_ascii_lowercase().into(),
        false => text.into(),
    }
}
