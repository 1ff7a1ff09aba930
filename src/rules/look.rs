//! Questions that several rules ask.

use crate::at::Span;
use crate::bits::PacketType;
use crate::bits::fields::ContentRange;
use crate::model::{Exchange, Response, Session};
use crate::rules::origin::Origin;
use crate::stream::{Reset, Side};

/// How long a client waits for an answer ([MC-BUP] 3.1.2.2).
pub const CLIENT_WAITS_SECS: f64 = 300.0;

/// The shortest of the round time-outs that gateways come with.
pub const ROUND_TIMEOUT_SECS: f64 = 10.0;

/// The range that a Fragment carries.
pub fn range(exchange: &Exchange) -> Option<&ContentRange> {
    exchange
        .request
        .as_ref()?
        .content_range
        .as_ref()
        .filter(|_| exchange.kind == PacketType::Fragment)
}

/// Whether it was answered with success.
pub fn succeeded(exchange: &Exchange) -> bool {
    exchange.response.as_ref().is_some_and(Response::is_success)
}

/// The exchanges behind one.
pub fn after<'a>(session: &'a Session, exchange: &Exchange) -> impl Iterator<Item = &'a Exchange> {
    let frame = exchange.span().first.frame;
    session.exchanges.iter().filter(move |other| other.span().first.frame > frame)
}

/// The response to an exchange where it is neither from BITS nor an authentication round.
pub fn foreign(exchange: &Exchange) -> Option<&Response> {
    let response = exchange.response.as_ref()?;
    let own = Origin::of_response(response) == Origin::BitsServer;
    let opens = matches!(exchange.kind, PacketType::CreateSession | PacketType::Ping);
    let other = opens && !own && !response.is_cut() && !response.is_challenge();
    (other && response.http_status != 413).then_some(response)
}

/// The response to any packet where it is neither from BITS nor an authentication round, nor about its size.
pub fn stranger(exchange: &Exchange) -> Option<&Response> {
    exchange.request.as_ref()?;
    let response = exchange.response.as_ref()?;
    let other = !response.is_ack() && !response.is_cut();
    (other && !response.is_challenge() && response.http_status != 413).then_some(response)
}

/// Whether a later packet of the session was answered with success.
pub fn is_made_good(session: &Session, exchange: &Exchange) -> bool {
    after(session, exchange).any(|later| {
        later.response.as_ref().is_some_and(|response| response.is_ack() && response.is_success())
    })
}

/// Whether a response is a web page.
pub fn is_page(response: &Response) -> bool {
    let kind = response.content_type.as_deref().unwrap_or_default().to_ascii_lowercase();
    let start = response.body_start.trim_start().to_ascii_lowercase();
    let page = start.starts_with("<!doctype html") || start.starts_with("<html");
    page || kind.starts_with("text/html") && !start.is_empty()
}

/// The title of a web page.
pub fn title(response: &Response) -> Option<&str> {
    let body = response.body_start.as_str();
    let lower = body.to_ascii_lowercase();
    // Lower case of ASCII keeps every offset.
    let start = lower.find("<title>")?.checked_add(7)?;
    let end = start.checked_add(lower.get(start..)?.find("</title>")?)?;
    body.get(start..end).map(str::trim).filter(|title| !title.is_empty())
}

/// Seconds from the end of the request to the answer.
pub fn wait_secs(exchange: &Exchange) -> f64 {
    match (&exchange.request, &exchange.response) {
        (Some(request), Some(response)) => {
            response.span.first.time.secs_since(request.span.last.time)
        }
        _ => 0.0,
    }
}

/// A number with its noun, as `1 request` and `2 requests`.
pub fn count(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// The byte that the server wanted next when a Fragment was sent.
pub fn expected(session: &Session, exchange: &Exchange) -> Option<u64> {
    let frame = exchange.request.as_ref()?.span.first.frame;
    let mut wanted = None;
    for other in &session.exchanges {
        let Some(request) =
            other.request.as_ref().filter(|request| request.span.first.frame < frame)
        else {
            continue;
        };
        let end = range(other).and_then(|range| range.end?.checked_add(1));
        let answer = other.response.as_ref().filter(|response| response.span.first.frame < frame);
        match answer {
            Some(response) if matches!(response.http_status, 200 | 201 | 416) => {
                let implied = end.filter(|_| response.http_status != 416);
                wanted = response.next_offset.or(implied).or(wanted);
            }
            Some(_) => {}
            // How much of it the server took is unknown.
            None if request.body.complete => wanted = end.max(wanted),
            None => return None,
        }
    }
    wanted
}

/// Requests that the client sent whole and then stopped waiting for, with the seconds it waited.
pub fn unanswered(session: &Session) -> impl Iterator<Item = (&Exchange, f64)> {
    session.exchanges.iter().filter_map(|exchange| {
        let request = exchange.request.as_ref().filter(|_| exchange.response.is_none())?;
        let connection = session.connection(exchange.connection)?;
        if !request.body.complete
            || connection.reset.is_some_and(|reset| reset.side == Side::Server)
        {
            return None;
        }
        let closed = connection.client_side.fin.or(connection.reset.map(|reset| reset.at));
        let next = after(session, exchange).next().map(|next| next.span().first);
        let end = closed.or(next)?;
        Some((exchange, end.time.secs_since(request.span.last.time)))
    })
}

/// The frames of an exchange with the RST that ended it.
pub fn reset_span(exchange: &Exchange, reset: &Reset) -> Span {
    let mut span = Span::at(exchange.span().first);
    span.extend(reset.at);
    span
}

/// Whether a Close or Cancel was answered with success before an exchange began.
pub fn is_over_before(session: &Session, exchange: &Exchange) -> bool {
    let frame = exchange.span().first.frame;
    session.exchanges.iter().any(|other| {
        matches!(other.kind, PacketType::CloseSession | PacketType::CancelSession)
            && succeeded(other)
            && other.span().last.frame < frame
    })
}
