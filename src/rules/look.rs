//! Questions that several rules ask.

use crate::at::Span;
use crate::bits::PacketType;
use crate::bits::fields::{self, ContentRange};
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

/// Whether it is a Create-Session that a BITS server answered with success.
pub fn creates(exchange: &Exchange) -> bool {
    exchange.kind == PacketType::CreateSession
        && exchange.response.as_ref().is_some_and(|ack| ack.is_success() && ack.is_ack())
}

/// Whether it is a Fragment that was answered with success.
pub fn succeeded_fragment(exchange: &Exchange) -> bool {
    exchange.kind == PacketType::Fragment && succeeded(exchange)
}

/// The answer of a BITS server that refused a Create-Session, for another reason than missing credentials.
pub fn refused_create(exchange: &Exchange) -> Option<&Response> {
    let answer = exchange.response.as_ref()?;
    let refused = answer.is_ack() && !answer.is_success() && !answer.is_challenge();
    (exchange.kind == PacketType::CreateSession && refused).then_some(answer)
}

/// Whether a Fragment holds the last byte of the file.
pub fn is_last_fragment(exchange: &Exchange) -> bool {
    range(exchange).is_some_and(|range| {
        range.total.is_some() && range.end.and_then(|end| end.checked_add(1)) == range.total
    })
}

/// Whether an error was the application's behind the server ([MC-BUP] 2.2.1.2, context 7).
pub fn is_of_application(answer: &Response) -> bool {
    let context = answer.error_context.as_deref().and_then(fields::hresult);
    context.is_some_and(|(value, _)| value == 7)
}

/// A number with the noun that it counts.
pub fn counted(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// A URL up to the last slash of its path.
pub fn folder(url: &str) -> &str {
    url.rfind('/').and_then(|place| url.get(..=place)).unwrap_or(url)
}

/// A URL up to the slash behind the first part of its path, as far as it has one: the virtual directory.
pub fn virtual_directory(url: &str) -> Option<&str> {
    let path = url.find("://")?.checked_add(3)?;
    let root = path.checked_add(url.get(path..)?.find('/')?)?.checked_add(1)?;
    let end = root.checked_add(url.get(root..)?.find('/')?)?;
    url.get(..=end)
}

/// The first frame of the last exchange that fits.
pub fn last(session: &Session, fits: impl Fn(&Exchange) -> bool) -> Option<u64> {
    let found = session.exchanges.iter().rev().find(|exchange| fits(exchange));
    found.map(|exchange| exchange.span().first.frame)
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
    (opens && !own && !response.is_challenge() && response.http_status != 413).then_some(response)
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
