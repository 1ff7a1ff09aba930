//! Requests that were cut off before their end.

use crate::at::Span;
use crate::model::{Exchange, Request, Session};
use crate::rules::{look, unanswered};
use crate::stream::Side;

/// How long a client sends a request ([MC-BUP] 3.1.2.1).
const CLIENT_SENDS_SECS: f64 = 120.0;

/// A client that sends none of a body for longer, in seconds, has stopped; timers of servers are of whole seconds.
const STOPS_SECS: f64 = 0.95;

/// A request that was cut off before its end, and unanswered by then.
#[derive(Clone, Copy, Debug)]
pub struct Cut<'a> {
    /// What it was.
    pub exchange: &'a Exchange,
    /// Who ended the connection.
    pub by: Side,
    /// By RST.
    pub reset: bool,
    /// Seconds from its first byte to the end of the connection.
    pub secs: f64,
    /// Seconds of these without a byte, at the end.
    pub silent_secs: f64,
    /// Its frames and the one that ended it.
    pub span: Span,
}

impl Cut<'_> {
    /// Bytes of the body that were sent before.
    pub fn sent(&self) -> u64 {
        self.exchange.request.as_ref().map_or(0, Request::bytes_in_time)
    }

    /// Whether it ended because it took too long: the client gave itself no more time, or the server closed the connection
    /// to a client that had stopped.
    pub fn is_timeout(&self) -> bool {
        let stopped = self.by == Side::Server && !self.reset && self.silent_secs >= STOPS_SECS;
        stopped && !self.is_held() || self.secs >= CLIENT_SENDS_SECS
    }

    /// Whether the client waited to be told to go on (RFC 9110 10.1.1).
    fn is_held(&self) -> bool {
        let request = self.exchange.request.as_ref();
        self.sent() == 0 && request.is_some_and(|request| request.expect.is_some())
    }

    /// Bytes of the body that were to come.
    pub fn announced(&self) -> u64 {
        self.exchange.request.as_ref().and_then(|request| request.content_length).unwrap_or(0)
    }
}

/// Requests that the end of their connection cut off, where the capture has all that was sent of them.
pub fn cut(session: &Session) -> impl Iterator<Item = Cut<'_>> {
    session.exchanges.iter().filter_map(|exchange| cut_off(session, exchange))
}

/// How the end of its connection cut a request off; what a server answers to an end by the client changes nothing.
pub fn cut_off<'a>(session: &Session, exchange: &'a Exchange) -> Option<Cut<'a>> {
    let request = exchange.request.as_ref();
    let request = request.filter(|request| !request.body.complete || request.late.is_some())?;
    let connection = session.connection(exchange.connection)?;
    let missing = request.content_length.is_some_and(|length| request.bytes_in_time() < length);
    // One that crossed the end of the connection was not ended by that.
    let fin = look::first_fin(connection).filter(|(_, fin)| fin.frame > request.span.first.frame);
    let (by, at, reset) = match (connection.reset, fin) {
        (Some(reset), fin) if fin.is_none_or(|(_, fin)| reset.at.frame < fin.frame) => {
            (reset.side, reset.at, true)
        }
        (_, Some((side, fin))) => (side, fin, false),
        _ => return None,
    };
    let seen = match &exchange.response {
        Some(answer) => by == Side::Client && at.frame < answer.span.first.frame,
        None => unanswered::is_seen(session, exchange),
    };
    let client = &connection.client_side;
    let whole = client.lost_by_capture + client.cut == 0 && seen;
    if !missing || !whole {
        return None;
    }
    let last = request.late.map(|late| late.after).or(client.last_data);
    let silent_secs = last.map_or(0.0, |last| at.time.secs_since(last.time));
    let span = Span { first: request.span.first, last: at };
    let secs = at.time.secs_since(request.span.first.time);
    Some(Cut { exchange, by, reset, secs, silent_secs, span })
}
