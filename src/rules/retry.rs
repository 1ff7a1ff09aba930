//! Tries that failed: within a session, and in earlier sessions for the same upload.

use std::borrow::Cow;

use super::{Around, course, look, unanswered};
use crate::at::{Span, Timestamp};
use crate::bits::PacketType;
use crate::model::{Exchange, Request, Response, Session, Text};
use crate::stream::Connection;

/// Tries looked at: the first packets of a session, the latest sessions of an upload.
const LATEST: usize = 256;

/// A try that failed.
#[derive(Clone, Debug, PartialEq)]
pub struct Try {
    /// The packet with what it asks for: only the same request is a retry. A session as a whole is one too.
    pub what: (Cow<'static, str>, Option<Text>),
    /// Its frames.
    pub span: Span,
    /// When the client had the answer, or gave it up, as far as the capture shows.
    pub end: Option<Timestamp>,
    /// The capture lacks what was asked for: it may have been something else each time.
    pub guessed: bool,
}

/// The packets of this session that failed, in order. Authentication rounds, smaller Fragments after a 413 and
/// corrections after a 416 are none.
pub fn packets(session: &Session) -> Vec<Try> {
    let mut passed = 0;
    let tries = session.exchanges.iter().filter_map(|exchange| {
        passed += usize::from(look::succeeded_fragment(exchange));
        let tells = !exchange.is_unclear() && has_failed(session, exchange);
        tells.then(|| Try {
            what: (exchange.kind.to_string().into(), asked_for(exchange, passed)),
            span: exchange.span(),
            end: end(session, exchange),
            guessed: exchange.request.as_ref().is_some_and(lacks_range),
        })
    });
    tries.take(LATEST).collect()
}

/// The sessions of this upload since one was completed, in order, with this one; empty where it is the first.
pub fn sessions(session: &Session, around: &Around<'_>) -> Vec<Try> {
    let attempt = |span, end| Try { what: ("the upload".into(), None), span, end, guessed: false };
    let earlier = around
        .same_upload()
        .rev()
        .take_while(|brief| !brief.outcome.is_done())
        .filter(|brief| brief.last.time <= session.started)
        .take(LATEST)
        .map(|brief| attempt(brief.span(), brief.over));
    let mut tries: Vec<Try> = earlier.collect();
    // This one alone is no retry.
    if tries.is_empty() {
        return tries;
    }
    tries.reverse();
    tries.extend(session.span().map(|span| attempt(span, None)));
    tries
}

/// What a packet asks for. Of a Fragment whose range is cut off, that is what comes behind those that `passed`.
fn asked_for(exchange: &Exchange, passed: usize) -> Option<Text> {
    let request = exchange.request.as_ref()?;
    let range = request.content_range.as_ref().map(|range| range.raw().into());
    let hidden = exchange.kind == PacketType::Fragment && lacks_range(request);
    let behind = || hidden.then(|| format!("behind {passed}").into());
    range.or_else(|| request.supported_protocols.clone()).or_else(behind)
}

/// Whether a head is cut, and shows no range: what was asked for is unknown.
fn lacks_range(request: &Request) -> bool {
    request.content_range.is_none() && request.is_cut()
}

fn has_failed(session: &Session, exchange: &Exchange) -> bool {
    let silent = unanswered::is_so(session, exchange) && is_given_up(session, exchange);
    let refused = |response: &Response| {
        response.http_status >= 400 && !matches!(response.http_status, 401 | 407 | 413 | 416)
    };
    exchange.request.is_some() && (silent || exchange.response.as_ref().is_some_and(refused))
}

/// Whether the client was done with a request: it asked for something else, or the connection ended.
fn is_given_up(session: &Session, exchange: &Exchange) -> bool {
    let ended = |connection: &Connection| {
        connection.reset.is_some() || look::first_fin(connection).is_some()
    };
    course::after(session, exchange).next().is_some()
        || session.connection(exchange.connection).is_some_and(ended)
}

/// When an exchange was over: its answer came, or the connection ended.
pub fn end(session: &Session, exchange: &Exchange) -> Option<Timestamp> {
    if exchange.response.is_some() {
        return Some(exchange.span().last.time);
    }
    let connection = session.connection(exchange.connection)?;
    let reset = connection.reset.map(|reset| reset.at);
    let ends = [reset, connection.client_side.fin, connection.server_side.fin];
    // The server may have ended its direction before.
    let behind = ends.into_iter().flatten().filter(|at| at.frame > exchange.span().last.frame);
    behind.min_by_key(|at| at.frame).map(|at| at.time)
}

/// The pauses in seconds between one try and the next, where the capture shows when the first one was over: a client
/// that is not answered waits before it pauses ([MC-BUP] 3.1.2.2).
pub fn pauses(tries: &[Try]) -> Vec<f64> {
    let pairs = tries.iter().zip(tries.iter().skip(1));
    let apart = pairs.filter(|(one, next)| next.span.first.frame > one.span.last.frame);
    let pauses = apart.filter_map(|(one, next)| Some(next.span.first.time.secs_since(one.end?)));
    pauses.filter(|secs| *secs >= 0.0).collect()
}
