//! The rule `header-stripped`.

use std::borrow::Cow;
use std::iter;

use crate::at::Span;
use crate::bits::PacketType;
use crate::bits::protocol::canonical_id;
use crate::model::{Exchange, Outcome, Response, Session, Text};
use crate::rules::history::{Brief, Names};
use crate::rules::origin::Origin;
use crate::rules::{Around, Confidence, Notes, look, page};

rule! {
    /// Something on the way took BITS fields out of a message.
    ///
    /// The answer is a success and no page, its server is known to speak BITS or is an IIS that would refuse the verb without it, and
    /// it passed a proxy: what lets only known header fields through leaves an Ack without its contents. Where the capture has
    /// both sides of the proxy, a refused request that lacks a field on one of them tells as much.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200 plain
    ///   Via: 1.1 filter.corp.test
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 plain
    ///   Server: Microsoft-IIS/10.0
    ///   Via: 1.1 filter.corp.test
    /// ```
    /// The capture has both sides of a proxy that does not tell of itself:
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// = client 192.0.2.80
    /// = server 192.0.2.90:80
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200
    /// = client 10.0.0.5
    /// = server 192.0.2.80:80
    /// > FRAGMENT 0-9/20
    /// < 200 plain
    /// ```
    /// ```fires
    /// = client 10.0.0.5
    /// = server 192.0.2.80:80
    /// > CREATE-SESSION
    /// ... 3 s
    /// < 200 plain
    /// ... -2 s
    /// = client 192.0.2.80
    /// = server 192.0.2.90:80
    /// > CREATE-SESSION
    /// < 200 session=1
    /// ```
    /// It writes another host into the request:
    /// ```fires
    /// = client 10.0.0.5
    /// = server 192.0.2.80:80
    /// > CREATE-SESSION
    /// ... 3 s
    /// < 200 plain
    ///   Server: nginx/1.22.1
    /// ... -2 s
    /// = client 192.0.2.80
    /// = server 192.0.2.90:80
    /// = url http://node/upload/file.bin
    /// > CREATE-SESSION
    /// < 200 session=1
    /// ```
    /// It has another address on the side of the server:
    /// ```fires
    /// = client 10.0.0.5
    /// = server 192.0.2.80:80
    /// > CREATE-SESSION
    /// ... 3 s
    /// < 200 plain
    ///   Server: nginx/1.22.1
    /// ... -2 s
    /// = client 192.0.2.3
    /// = server 192.0.2.90:80
    /// > CREATE-SESSION
    /// < 200 session=1
    ///   Server: Microsoft-IIS/10.0
    /// ```
    /// ```fires
    /// = client 10.0.0.5
    /// = server 192.0.2.80:80
    /// > CREATE-SESSION
    /// ... 3 s
    /// < 400 error=0x80070057 context=0x5
    /// ... -2 s
    /// = client 192.0.2.3
    /// = server 192.0.2.90:80
    /// > CREATE-SESSION
    ///   BITS-Supported-Protocols:
    /// < 400 error=0x80070057 context=0x5
    /// ```
    /// The client goes on without the type:
    /// ```silent
    /// = client 10.0.0.5
    /// = server 192.0.2.80:80
    /// > CREATE-SESSION
    /// ... 3 s
    /// < 200 session=1
    ///   BITS-Packet-Type:
    /// > FRAGMENT 0-9/10
    /// < 200
    ///   BITS-Packet-Type:
    /// ... -2 s
    /// = client 192.0.2.3
    /// = server 192.0.2.90:80
    /// > CREATE-SESSION
    /// < 200 session=1
    /// ```
    /// Another client uploads to the same URL elsewhere:
    /// ```silent
    /// = client 10.0.0.5
    /// = server 192.0.2.80:80
    /// > CREATE-SESSION
    /// < 200 plain
    ///   Server: nginx/1.22.1
    /// = client 10.0.0.6
    /// = server 192.0.2.90:80
    /// > CREATE-SESSION
    /// < 200 session=1
    /// ```
    /// ```silent
    /// = client 10.0.0.5
    /// = server 192.0.2.80:80
    /// > CREATE-SESSION
    /// ... 3 s
    /// < 200 plain
    ///   Server: nginx/1.22.1
    /// ... -2 s
    /// = client 10.0.0.6
    /// = server 192.0.2.90:80
    /// > CREATE-SESSION
    /// < 200 session=1
    /// ... 3 s
    /// > FRAGMENT 0-9/10
    /// < 200
    /// ```
    /// ```silent
    /// = client 10.0.0.6
    /// = server 192.0.2.90:80
    /// > CREATE-SESSION
    /// < 200 session=1
    /// = client 10.0.0.5
    /// = server 192.0.2.80:80
    /// > CREATE-SESSION
    ///   BITS-Supported-Protocols:
    /// < 400 error=0x80070057 context=0x5
    /// = client 10.0.0.6
    /// = server 192.0.2.90:80
    /// > CLOSE-SESSION session=1
    /// < 200
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// = client 192.0.2.80
    /// = server 192.0.2.90:80
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200 plain
    /// = client 10.0.0.5
    /// = server 192.0.2.80:80
    /// > FRAGMENT 0-9/20
    /// < 200 plain
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 plain
    ///   Server: nginx/1.22.1
    ///   Via: 1.1 filter.corp.test
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200
    ///   Via: 1.1 filter.corp.test
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200 plain
    /// ```
    ///
    /// Answerable: the proxy
    /// Advice: Let the fields that begin with BITS- pass in both directions, or let the client go around the proxy.
    /// Confirm: Captures on both sides of the proxy: the same message has its BITS fields on one of them only.
    /// Reference: [MC-BUP] 2.2.1.2
    Error, belief 89, needs WholeExchange, TroubleAround
}

fn check(session: &Session, exchange: &Exchange, around: &Around<'_>, notes: &mut Notes<'_>) {
    let Some(Stripped { response, hop, leg, sign }) = stripped(session, exchange, around) else {
        return of_request(session, exchange, around, notes);
    };
    let spans: Vec<Span> = iter::once(exchange.span()).chain(leg).collect();
    let lacks = if look::bears_bits(response) { "BITS-Packet-Type" } else { "a BITS field" };
    let message = format!(
        "the {} was answered {} through \"{hop}\", without {lacks}{}",
        exchange.kind,
        response.http_status,
        match (sign, leg) {
            (Sign::Confirmed, _) => "; behind the proxy its bytes were confirmed",
            (_, Some(_)) => "; behind the proxy the same upload was opened",
            _ => "",
        }
    );
    let confidence = match sign {
        Sign::Confirmed => Confidence::Certain,
        Sign::Known => Confidence::Likely,
        Sign::Refuses => Confidence::Possible,
    };
    let severity = look::unless_made_good(session, exchange, notes.severity());
    notes.note(severity, confidence, &spans, message);
}

/// The same of a request: one that was refused, and on the other side of a proxy, where it was refused too, has a field
/// more or less.
fn of_request(session: &Session, exchange: &Exchange, around: &Around<'_>, notes: &mut Notes<'_>) {
    let (own, span) = (Names::of(exchange), exchange.span());
    let Some(own) = own.filter(|_| is_called_invalid(exchange)) else { return };
    let client = session.client.address;
    let mut other = around.legs(session).filter(|leg| leg.client != client && !leg.created);
    let found = other.find_map(|leg| {
        let lost = own.beyond(leg.names?).filter(|_| leg.begins_within(span));
        let lost = lost.map(|field| (field, "does not get behind the proxy"));
        let came = || leg.names?.beyond(own).filter(|_| leg.lasts_over(span));
        let came = || came().map(|field| (field, "was there in front of the proxy"));
        Some((lost.or_else(came)?, leg.span()))
    });
    if let Some(((field, what), leg)) = found {
        let message = format!("{field} of a request that was refused with 400 {what}");
        let severity = look::unless_recovered(session, exchange, notes.severity());
        notes.note(severity, Confidence::Likely, &[span, leg], message);
    }
}

/// Whether something on the way may have taken fields of it away: a success that is not from BITS, or a request that BITS
/// called invalid.
pub(crate) fn may_lack_fields(exchange: &Exchange) -> bool {
    look::stranger(exchange).is_some_and(Response::is_success) || is_called_invalid(exchange)
}

fn is_called_invalid(exchange: &Exchange) -> bool {
    let opens = matches!(exchange.kind, PacketType::CreateSession | PacketType::Unknown);
    opens && exchange.response.as_ref().is_some_and(|ack| ack.is_ack() && ack.http_status == 400)
}

/// An answer without its BITS fields, and what tells that it had them.
pub(crate) struct Stripped<'a> {
    response: &'a Response,
    hop: Cow<'a, str>,
    /// The session that the hop opened in its stead.
    leg: Option<Span>,
    sign: Sign,
}

/// What tells that an answer had BITS fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    /// Behind the hop, the same session got them.
    Confirmed,
    /// The server was seen to speak BITS.
    Known,
    /// The server would refuse the verb if it had no BITS.
    Refuses,
}

/// A success through a hop that may be an Ack without its fields.
pub(crate) fn stripped<'a>(
    session: &Session,
    exchange: &'a Exchange,
    around: &Around<'_>,
) -> Option<Stripped<'a>> {
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
    Some(Stripped { response, hop, leg, sign })
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
        || around.same_server(session).any(|brief| {
            brief.created && brief.software.is_some() && brief.software == response.server
        })
}
