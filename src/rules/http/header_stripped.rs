//! The rule `header-stripped`.

use std::iter;

use crate::at::Span;
use crate::model::{Exchange, Response, Session};
use crate::rules::origin::Origin;
use crate::rules::{Around, Confidence, Notes, look};

rule! {
    /// Something on the way took the BITS fields out of an answer.
    ///
    /// The answer is a success and no page, its server is known to speak BITS or is an IIS that would refuse the verb without it, and
    /// it passed a proxy: what lets only known header fields through leaves an Ack without its contents.
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
    /// Confirm: A capture behind the proxy shows the same answer with BITS-Packet-Type.
    /// Reference: [MC-BUP] 2.2.1.2
    Error, belief 89, needs WholeExchange, TroubleAround
}

fn check(session: &Session, exchange: &Exchange, around: &Around<'_>, notes: &mut Notes<'_>) {
    let Some(Stripped { response, hop, leg, known }) = stripped(session, exchange, around) else {
        return;
    };
    let spans: Vec<Span> = iter::once(exchange.span()).chain(leg).collect();
    let message = format!(
        "the {} was answered {} through \"{hop}\", without a BITS field{}",
        exchange.kind,
        response.http_status,
        leg.map_or("", |_| "; behind the proxy the same upload was opened")
    );
    let confidence = if known { Confidence::Likely } else { Confidence::Possible };
    let severity = look::unless_made_good(session, exchange, notes.severity());
    notes.note(severity, confidence, &spans, message);
}

/// An answer without its BITS fields, and what tells that it had them.
pub(super) struct Stripped<'a> {
    response: &'a Response,
    hop: &'a str,
    /// The session that the hop opened in its stead.
    leg: Option<Span>,
    /// The server was seen to speak BITS.
    known: bool,
}

/// A success through a hop that may be an Ack without its fields.
pub(super) fn stripped<'a>(
    session: &Session,
    exchange: &'a Exchange,
    around: &Around<'_>,
) -> Option<Stripped<'a>> {
    let response = look::stranger(exchange).filter(|response| {
        response.is_success() && !look::is_page(response) && !look::bears_bits(response)
    })?;
    let hop = response.via.as_ref().or_else(|| response.hops.first())?;
    let leg =
        around.opened_behind(session).next().map(|leg| Span { first: leg.first, last: leg.last });
    let known = leg.is_some() || speaks(session, response, around);
    // IIS without BITS refuses the verb; an Ack has no body.
    let empty = response.body_start.is_empty();
    let iis = empty && Origin::of_response(response) == Origin::Iis;
    (known || iis).then_some(Stripped { response, hop, leg, known })
}

/// Whether the server gave an Ack in this session, or its software opened another.
fn speaks(session: &Session, response: &Response, around: &Around<'_>) -> bool {
    let mut answers = session.exchanges.iter().filter_map(|other| other.response.as_ref());
    answers.any(Response::is_ack)
        || around.same_server(session).any(|brief| {
            brief.created && brief.software.is_some() && brief.software == response.server
        })
}
