//! Answers that something on the way took BITS fields out of, and requests that may lack some.

use std::borrow::Cow;

use crate::at::Span;
use crate::bits::PacketType;
use crate::bits::protocol::canonical_id;
use crate::model::{Exchange, Outcome, Request, Response, Session, Text};
use crate::rules::history::Brief;
use crate::rules::origin::Origin;
use crate::rules::{Around, look, page};

/// An answer without its BITS fields, and what tells that it had them.
pub struct Stripped<'a> {
    /// The answer.
    pub response: &'a Response,
    /// What it came through: `Via`, else another field of a hop, else the address that was asked.
    pub hop: Cow<'a, str>,
    /// The session that the hop opened in its stead.
    pub leg: Option<Span>,
    /// How it is known.
    pub sign: Sign,
}

/// What tells that an answer had BITS fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// Behind the hop, the same session got them.
    Confirmed,
    /// The server was seen to speak BITS.
    Known,
    /// The server would refuse the verb if it had no BITS.
    Refuses,
}

impl<'a> Stripped<'a> {
    /// A success through a hop that may be an Ack without its fields.
    pub fn of(session: &Session, exchange: &'a Exchange, around: &Around<'_>) -> Option<Self> {
        let response = look::stranger(exchange)
            .filter(|response| response.is_success() && !page::is_page(response))?;
        let confirming = around.opened_behind(session).find(|leg| confirms(leg, session, exchange));
        let written = response.via.as_deref().or(response.hops.first().map(String::as_str));
        let leg = confirming.or_else(|| around.opened_behind(session).next());
        // A session that was opened behind it had an Ack.
        let acked = confirming.or(leg.filter(|leg| opens(leg, exchange)));
        // Who goes on without the type alone does not need it.
        let minds = session.outcome == Outcome::Rejected && acked.is_some();
        if look::bears_bits(response) && !minds {
            return None;
        }
        let unnamed = || acked.map(|_| exchange.server.ip().to_string().into());
        let hop = written.map(Cow::from).or_else(unnamed)?;
        let known = leg.is_some() || speaks(session, response, around);
        // IIS without BITS refuses the verb; an Ack has no body.
        let empty = response.body_start.is_empty();
        let sign = match confirming {
            Some(_) => Sign::Confirmed,
            None if known => Sign::Known,
            None if empty && Origin::of_response(response) == Origin::Iis => Sign::Refuses,
            None => return None,
        };
        let leg = leg.map(Brief::span);
        Some(Self { response, hop, leg, sign })
    }
}

/// Whether a session behind a proxy began while a Create-Session waited.
fn opens(leg: &Brief, exchange: &Exchange) -> bool {
    exchange.kind == PacketType::CreateSession && leg.begins_within(exchange.span())
}

/// Whether a session behind a proxy is the same, and its server confirmed the bytes of a Fragment.
fn confirms(leg: &Brief, session: &Session, exchange: &Exchange) -> bool {
    let id = |id: &Option<Text>| id.as_deref().map(canonical_id);
    let end = look::range(exchange).and_then(|range| range.end);
    session.id.is_some() && id(&leg.id) == id(&session.id) && end.is_some_and(|end| leg.named > end)
}

/// Whether the server gave an Ack in this session, or its software opened another.
fn speaks(session: &Session, response: &Response, around: &Around<'_>) -> bool {
    let mut answers = session.exchanges.iter().filter_map(|other| other.response.as_ref());
    answers.any(Response::is_ack)
        || response.server.is_some() && around.opened_by_same(session, response).is_some()
}

/// Whether something on the way may have taken fields of it away: a success that is not from BITS, or a request that
/// BITS called invalid.
pub fn may_lack_fields(exchange: &Exchange) -> bool {
    look::stranger(exchange).is_some_and(Response::is_success) || is_called_invalid(exchange)
}

/// Whether BITS called a request invalid that may open a session.
pub fn is_called_invalid(exchange: &Exchange) -> bool {
    let untyped = |request: &Request| request.packet_type.is_none();
    let opens =
        exchange.kind == PacketType::CreateSession || exchange.request.as_ref().is_none_or(untyped);
    opens && exchange.response.as_ref().is_some_and(|ack| ack.is_ack() && ack.http_status == 400)
}
