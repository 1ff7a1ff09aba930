//! One request with its answer, complete in itself: who, when, which frames, every field decoded.

use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::at::{Span, Timestamp};
use crate::bits::PacketType;
use crate::bits::fields::ContentRange;
use crate::http::Carrier;
use crate::rare::{Absent, Rare};
use crate::stream::{Connection, Side};

use super::order::Order;

pub use super::body::{Body, Hole, Lacks};
pub use super::request::{RareRequest, Request};
pub use super::response::{ErrorCode, RareResponse, Response};

/// One request of the upload protocol with its answer; a session is a fold over these.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Exchange {
    /// The type of the request; `unknown` where only the answer was seen.
    #[serde(rename = "type")]
    pub kind: PacketType,
    /// Which TCP connection, counted over the capture from 1.
    pub connection: u64,
    /// Who asked.
    pub client: SocketAddr,
    /// Who was asked.
    pub server: SocketAddr,
    /// Carried inside TLS.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tls: bool,
    /// Carried inside a tunnel that CONNECT opened through a proxy (RFC 9110 9.3.6).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tunnel: bool,
    /// The request, unless the capture lacks it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Request>,
    /// The final response, unless the capture lacks it or none came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<Response>,
    /// What few exchanges have.
    #[serde(flatten, skip_serializing_if = "Rare::is_none")]
    pub rare: Rare<RareExchange>,
    /// Tied to its session by client, host, URL and time, not by an id ([MC-BUP] 2.2.4.2 has none on Ping).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub inferred: bool,
    /// Its number within its connection, as HTTP counts them.
    #[serde(skip)]
    pub(crate) number: u32,
}

/// What few exchanges have.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RareExchange {
    /// Statuses of the interim responses before it (1xx), the first sixteen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub interim: Vec<u16>,
    /// When the first interim response came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interim_at: Option<Timestamp>,
    /// Bytes after either message that belong to no message; the first four runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stray: Vec<Stray>,
    /// When it counts as begun and as over among others, where its frames are out of place.
    #[serde(skip)]
    pub(crate) order: Option<Order>,
}

/// Bytes that belong to no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Stray {
    /// Who sent them.
    pub side: Side,
    /// The frame they begin in.
    pub frame: u64,
    /// How many.
    pub bytes: u64,
}

/// The shortest Fragment that a client makes, unless the file has no more, in bytes ([MC-BUP] Appendix A <10>, <16>).
pub(crate) const LEAST_FRAGMENT: u64 = 5 * 1024;

impl Exchange {
    /// One of which nothing was seen so far.
    pub(crate) fn on(connection: &Connection, number: u32, carrier: Carrier) -> Self {
        Self {
            kind: PacketType::Unknown,
            connection: connection.id,
            client: connection.client,
            server: connection.server,
            tls: carrier.tls,
            tunnel: carrier.tunnel,
            request: None,
            response: None,
            rare: Rare::default(),
            inferred: false,
            number,
        }
    }

    /// One of which only the answer was seen.
    pub(crate) fn answer_only(
        connection: &Connection,
        number: u32,
        carrier: Carrier,
        response: Response,
    ) -> Self {
        let mut exchange = Self::on(connection, number, carrier);
        exchange.response = Some(response);
        exchange.inferred = true;
        exchange
    }

    /// Whether it went to a proxy: the address of the server is that of the proxy.
    pub fn is_by_proxy(&self) -> bool {
        self.tunnel || self.request.as_ref().is_some_and(Request::is_for_proxy)
    }

    /// The range that its request names.
    pub fn range(&self) -> Option<&ContentRange> {
        self.request.as_ref()?.content_range.as_ref()
    }

    /// First byte of that, and the one behind its last.
    pub fn bounds(&self) -> Option<(u64, u64)> {
        self.range()?.bounds()
    }

    /// First byte of the Fragment it carries, where its range is in order.
    pub fn place(&self) -> Option<u64> {
        let range = self.range()?;
        range.start.filter(|start| range.end.is_none_or(|end| *start <= end))
    }

    /// The length of the body that its request announces.
    pub(crate) fn content_length(&self) -> Option<u64> {
        self.request.as_ref()?.content_length
    }

    /// The session id that its request names; an empty one is none.
    pub(crate) fn asked_id(&self) -> Option<&str> {
        self.request.as_ref()?.session_id.as_deref().filter(|id| !id.is_empty())
    }

    /// Whether it was answered with success, and was there by then.
    pub fn succeeded(&self) -> bool {
        self.response.as_ref().is_some_and(Response::is_success) && !self.is_answered_short()
    }

    /// Whether it is a Fragment with an answer amid its body, of which the rest never came, and not from BITS: a web
    /// server whose time for reading is up says so, with the status that it says everything with. It has no Fragment.
    pub(crate) fn is_answered_short(&self) -> bool {
        let (Some(request), Some(answer)) = (&self.request, &self.response) else { return false };
        let body = &request.body;
        let amid = answer.span.first.frame < request.span.last.frame;
        // Else the server may have taken the rest.
        let amid = body.reset || amid && answer.announces_close();
        let ends_short = !body.complete && body.lacks.is_none() && !request.is_cut();
        let tells = answer.is_ack() || answer.next_offset.is_some() || answer.is_cut();
        self.kind == PacketType::Fragment && amid && ends_short && !tells
    }

    /// Whether BITS did not give its answer, though it gave that to a `later` one: something answered in place of it.
    pub(crate) fn is_answered_for(&self, later: &Self) -> bool {
        let is_ack = |one: &Self| one.response.as_ref().is_some_and(Response::is_ack);
        !is_ack(self) && later.succeeded() && is_ack(later)
    }

    /// Whether its body is no longer than the shortest Fragment that a client makes.
    pub(crate) fn is_as_small_as_can_be(&self) -> bool {
        self.content_length().is_some_and(|length| length <= LEAST_FRAGMENT)
    }

    /// Whether its answer is one that a client makes good by itself: it goes on at the byte that a 416 names, and with
    /// smaller Fragments after a 413 ([MC-BUP] 3.1.5.1.4, 3.1.5.2.4).
    pub(crate) fn is_mended_by_client(&self) -> bool {
        self.response.as_ref().is_some_and(|answer| match answer.http_status {
            413 => self.range().is_some() && !answer.is_ack() && !self.is_as_small_as_can_be(),
            416 => answer.next_offset.is_some(),
            _ => false,
        })
    }

    /// Whether its answer opens a session: no other names a protocol.
    pub(crate) fn opens_session(&self) -> bool {
        self.response.as_ref().is_some_and(|answer| answer.protocol.is_some())
    }

    /// Whether it is an answer that opens a session, and its request was not seen.
    pub(crate) fn opens_without_request(&self) -> bool {
        self.request.is_none() && self.opens_session()
    }

    /// Whether its answer is one that only a Fragment gets: a server that has a session confirms bytes of it.
    pub(crate) fn confirms_bytes(&self) -> bool {
        self.response.as_ref().is_some_and(|response| {
            let opens = response.protocol.is_some() || response.session_id.is_some();
            response.is_success() && response.next_offset.is_some() && !opens
        })
    }

    /// Whether its answer is that its range does not fit: nothing but a Fragment has one ([MC-BUP] 2.2.6).
    pub(crate) fn is_out_of_range(&self) -> bool {
        self.response.as_ref().is_some_and(|answer| answer.http_status == 416)
    }

    /// Whether the capture ends within the head of its request before that shows what it is: a Create-Session, perhaps.
    pub(crate) fn is_unclear(&self) -> bool {
        self.shows_nothing().is_some_and(Request::is_cut)
    }

    /// Whether it was not accepted, and the whole head of its request has nothing that opens a session, or that one is
    /// needed for.
    pub(crate) fn is_bare(&self) -> bool {
        let typed = |one: &Request| one.packet_type.is_some() || one.supported_protocols.is_some();
        let bare = |request: &Request| !request.is_cut() && !typed(request);
        !self.succeeded() && self.shows_nothing().is_some_and(bare)
    }

    /// Its request, where that shows neither what it is nor a part of a session.
    fn shows_nothing(&self) -> Option<&Request> {
        let shows =
            |request: &Request| request.session_id.is_some() || request.content_range.is_some();
        let request = self.request.as_ref().filter(|request| !shows(request))?;
        (self.kind == PacketType::Unknown).then_some(request)
    }

    /// Whether it was answered that the session is unknown.
    pub(crate) fn says_lost(&self) -> bool {
        self.response.as_ref().is_some_and(Response::says_lost)
    }

    /// Whether an answer whose request the capture lacks says that the session is unknown.
    pub(crate) fn is_lost_unasked(&self) -> bool {
        self.request.is_none() && self.says_lost()
    }

    /// The frames of its request and of its response.
    pub(crate) fn spans(&self) -> impl Iterator<Item = Span> + use<> {
        let request = self.request.as_ref().map(|request| request.span);
        let response = self.response.as_ref().map(|response| response.span);
        request.into_iter().chain(response)
    }

    /// The frames of several; `None` for none at all.
    pub(crate) fn span_of(all: &[Self]) -> Option<Span> {
        let mut spans = all.iter().flat_map(Self::spans);
        let mut span = spans.next()?;
        spans.for_each(|next| span.cover(next));
        Some(span)
    }

    /// The earliest and the latest time of several, which are not those of the first and the last frame where the clock
    /// went back; `None` for none at all.
    pub(crate) fn times_of<'a>(
        all: impl IntoIterator<Item = &'a Self>,
    ) -> Option<(Timestamp, Timestamp)> {
        let spans = all.into_iter().flat_map(Self::spans);
        let times = spans.flat_map(|span| [span.first.time, span.last.time]);
        times.fold(None, |known, time| {
            let (least, most) = known.unwrap_or((time, time));
            Some((least.min(time), most.max(time)))
        })
    }

    /// Its frames up to the answer: what a client sends after an early one (RFC 9110 10.1.1) proves nothing.
    pub fn span(&self) -> Span {
        match (&self.request, &self.response) {
            (Some(request), Some(response)) => {
                let mut span = request.span;
                span.cover(response.span);
                span.last = response.span.last;
                span
            }
            (Some(request), None) => request.span,
            (None, Some(response)) => response.span,
            (None, None) => Span::default(),
        }
    }
}

impl Deref for Exchange {
    type Target = RareExchange;

    fn deref(&self) -> &RareExchange {
        &self.rare
    }
}

impl Absent for RareExchange {
    fn none() -> &'static Self {
        static NONE: LazyLock<RareExchange> = LazyLock::new(RareExchange::default);
        &NONE
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::at::At;
    use crate::transcript;

    #[test]
    fn an_exchange_takes_little_room() {
        assert_eq!(size_of::<Exchange>(), 576);
    }

    #[test]
    fn what_is_sent_after_an_early_answer_is_no_part_of_the_proof() {
        let at = |frame| At { frame, ..At::default() };
        let span = |first, last| Span { first: at(first), last: at(last) };
        let request = Request { span: span(8, 54), ..Request::default() };
        let response = Response { span: span(9, 9), ..Response::default() };
        let exchange = Exchange {
            kind: PacketType::Fragment,
            connection: 1,
            client: "10.0.0.1:4000".parse().unwrap(),
            server: "10.0.0.2:80".parse().unwrap(),
            tls: false,
            tunnel: false,
            request: Some(request),
            response: Some(response),
            rare: Rare::default(),
            inferred: false,
            number: 0,
        };
        assert_eq!(exchange.span(), span(8, 9));
        assert_eq!(Exchange::span_of(&[exchange]), Some(span(8, 54)));
    }

    #[test]
    fn who_answers_amid_a_body_and_takes_no_more_of_it_has_no_fragment() {
        let exchange = |answer: &str, rest: &str| {
            let text = format!(
                "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9999/10000 sent=4000\n... 1 s\n{answer}{rest}"
            );
            let report = transcript::analyse(&transcript::play(&text).unwrap(), &mut ());
            report.sessions[0].exchanges[1].clone()
        };
        let given_up = "! server closes\n! client sends 2000\n! server resets\n";
        let short = exchange("< 200 plain\n", given_up);
        assert!(short.is_answered_short() && !short.succeeded());
        // The rest may come yet.
        assert!(exchange("< 200 plain\n", "").succeeded());
        assert!(exchange("< 200 plain\n", "! client sends 2000\n").succeeded());
        let closes = "< 200 plain\n  Connection: close\n";
        assert!(!exchange(closes, "! client sends 2000\n").succeeded());
        assert!(exchange("< 200\n", given_up).succeeded());
    }
}
