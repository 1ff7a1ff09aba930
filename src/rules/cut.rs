//! Requests that were cut off before their end.

use crate::at::{At, Span};
use crate::model::request::LEAST_PAUSE_NANOS;
use crate::model::{Exchange, Request, Session};
use crate::rules::{closed, look, unanswered};
use crate::stream::{Connection, Side};

/// How long a client sends a request ([MC-BUP] 3.1.2.1).
const CLIENT_SENDS_SECS: f64 = 120.0;

/// A request that was cut off before its end, and unanswered by then.
#[derive(Clone, Copy, Debug)]
pub struct Cut<'a> {
    /// What it was.
    pub exchange: &'a Exchange,
    /// Who ended the connection.
    pub by: Side,
    /// By RST.
    pub reset: bool,
    /// The client opened another connection before this one ended: it had given the request up.
    pub left: bool,
    /// Seconds from its first byte to the end of the connection.
    pub secs: f64,
    /// The client had stopped before.
    stopped: bool,
    /// Its frames and the one that ended it.
    pub span: Span,
}

impl Cut<'_> {
    /// Bytes of the body that were sent before.
    pub fn sent(&self) -> u64 {
        self.exchange.request.as_ref().map_or(0, Request::bytes_in_time)
    }

    /// Whether it ended because it took too long: the client gave itself no more time, or the server closed the
    /// connection to a client that had stopped.
    pub fn is_timeout(&self) -> bool {
        let by_server = self.by == Side::Server && !self.reset;
        by_server && self.stopped && !self.is_held() || self.secs >= CLIENT_SENDS_SECS
    }

    /// Whether the client waited to be told to go on (RFC 9110 10.1.1).
    fn is_held(&self) -> bool {
        let request = self.exchange.request.as_ref();
        self.sent() == 0 && request.is_some_and(|request| request.expect.is_some())
    }

    /// Bytes of the body that were to come.
    pub fn announced(&self) -> u64 {
        self.exchange.content_length().unwrap_or(0)
    }
}

/// Requests that the end of their connection cut off, where the capture has all that was sent of them.
pub fn cut(session: &Session) -> impl Iterator<Item = Cut<'_>> {
    session.exchanges.iter().filter_map(|exchange| cut_off(session, exchange))
}

/// How the end of its connection cut a request off; what a server answers to an end by the client changes nothing.
pub fn cut_off<'a>(session: &Session, exchange: &'a Exchange) -> Option<Cut<'a>> {
    let request = exchange.request.as_ref();
    let request = request.filter(|request| request.lacks_body_in_time())?;
    let connection = session.connection(exchange.connection)?;
    // One that crossed the end of the connection was not ended by that.
    let crosses = closed::crosses(session, exchange);
    // How much had been sent when it closed is not known where the client went on and the capture lacks FIN.
    let vague = |fin: &At| {
        let last = connection.client_side.last_data;
        connection.server_side.resent.fin_unseen && last.is_some_and(|it| it.frame > fin.frame)
    };
    let fin = look::first_fin(connection).filter(|(side, fin)| {
        let by_server = *side == Side::Server;
        fin.frame > request.span.first.frame && !(by_server && (crosses || vague(fin)))
    });
    let (mut by, mut at, mut reset) = match (connection.reset, fin) {
        (Some(reset), fin) if fin.is_none_or(|(_, fin)| reset.at.frame < fin.frame) => {
            (reset.side, reset.at, true)
        }
        (_, Some((side, fin))) => (side, fin, false),
        _ => return None,
    };
    // FIN comes behind all that its sender had to say, wherever it is stored (RFC 9293 3.6).
    if by == Side::Client && !reset && request.body.complete {
        return None;
    }
    // A client that goes on elsewhere has given it up: the server only clears away what was left of it.
    let moved = session.begun_after(request.last_in_time().frame).map(|next| next.first);
    let moved = moved.filter(|next| by == Side::Server && next.frame < at.frame);
    if let Some(next) = moved {
        (by, at, reset) = (Side::Client, next, false);
    }
    let seen = match &exchange.response {
        Some(answer) => by == Side::Client && at.frame < answer.span.first.frame,
        None => unanswered::is_seen(session, exchange),
    };
    let client = &connection.client_side;
    // A number of its own may tell of more, which the capture lacks.
    let beyond = client.resent.beyond;
    let sent_more =
        beyond.is_some_and(|it| client.last_data.is_none_or(|last| last.frame < it.frame));
    let whole = client.lost_by_capture + client.cut == 0 && seen && !sent_more;
    if !whole {
        return None;
    }
    let last = request.late.map(|late| late.after).or(client.last_data);
    let stopped = last.is_some_and(|last| has_stopped(connection, request, last, at));
    let span = Span { first: request.span.first, last: at };
    let secs = at.time.secs_since(request.span.first.time);
    Some(Cut { exchange, by, reset, left: moved.is_some(), secs, stopped, span })
}

/// Whether a client that sent something at `last` and nothing new until `end` had stopped sending: it did not wait for
/// acknowledgements of what it sent again, nor for room, and paused for longer than the server had put up with before.
pub fn has_stopped(connection: &Connection, request: &Request, last: At, end: At) -> bool {
    let since =
        |from: Option<At>, to: Option<At>| from.zip(to).map(|(from, to)| to.time.since(from.time));
    let trips = [
        since(connection.syn, connection.syn_ack),
        since(connection.syn_ack, connection.handshake_done),
    ];
    let round_trip = trips.into_iter().flatten().max().unwrap_or(0).max(0);
    let mut closed = connection.server_side.zero_windows.iter();
    let held_up = closed.any(|period| period.end.is_none_or(|end| end.frame > last.frame));
    let resends = connection.client_side.resent.stall.is_some_and(|stall| {
        stall.span.first.frame <= last.frame && stall.span.last.frame > last.frame
    });
    let silent = end.time.since(last.time);
    silent.saturating_sub(round_trip) >= LEAST_PAUSE_NANOS
        && silent > request.pause_nanos
        && !(held_up || resends || is_narrow(connection))
}

/// Whether the last window of the server, where the handshake tells its unit, has no room for a segment: senders wait
/// for more (RFC 9293 3.8.6.2.1). The segments of a loopback are longer than what windows have left.
fn is_narrow(connection: &Connection) -> bool {
    let server = &connection.server_side;
    let segment = server.mss.map_or(SEGMENT, |mss| mss.min(ETHERNET));
    connection.syn.and(connection.syn_ack).is_some() && server.window < u64::from(segment)
}

/// Payload of a segment to who tells nothing else, in bytes (RFC 9293 3.7.1).
const SEGMENT: u16 = 536;

/// Payload of a segment in an Ethernet frame, in bytes.
const ETHERNET: u16 = 1_460;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::tests::report;

    #[test]
    fn a_client_that_had_gone_on_elsewhere_before_the_server_closed_had_left() {
        let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9999/20000 sent=4000\n... 2 s\n\
                    ! server closes\n= connection\n> FRAGMENT 0-9999/20000\n< 200\n";
        let mut session = report(text).sessions.remove(0);
        let ends = |session: &Session| {
            cut(session).map(|cut| (cut.by, cut.left, cut.is_timeout())).collect::<Vec<_>>()
        };
        assert_eq!(ends(&session), [(Side::Server, false, true)]);
        session.connection_mut(0).server_side.fin =
            session.exchanges.last().map(|it| it.span().last);
        assert_eq!(ends(&session), [(Side::Client, true, false)]);
    }

    #[test]
    fn a_client_that_waits_for_room_has_not_stopped() {
        let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9999/20000 sent=4000\n... 2 s\n\
                    ! server closes\n";
        let stopped = |session: &Session| cut(session).any(|cut| cut.stopped);
        let mut session = report(text).sessions.remove(0);
        assert!(stopped(&session));
        session.connection_mut(0).server_side.window = 256;
        assert!(!stopped(&session));
    }

    #[test]
    fn how_much_was_sent_before_an_end_that_the_capture_lacks_is_not_known() {
        let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9999/20000 sent=4000\n! server closes\n\
                    ! client sends 1000\n";
        let mut session = report(text).sessions.remove(0);
        assert_eq!(cut(&session).count(), 1);
        session.connection_mut(0).server_side.resent.edit().fin_unseen = true;
        assert_eq!(cut(&session).count(), 0);
    }

    #[test]
    fn a_number_of_the_client_tells_of_more_that_the_capture_lacks() {
        let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9999/20000 sent=4000\n... 2 s\n! server closes\n";
        let mut session = report(text).sessions.remove(0);
        assert_eq!(cut(&session).count(), 1);
        let (end, sent) =
            (session.connections[0].last, session.connections[0].client_side.last_data);
        session.connection_mut(0).client_side.resent.edit().beyond = Some(end);
        assert_eq!(cut(&session).count(), 0);
        // It came later.
        session.connection_mut(0).client_side.resent.edit().beyond = sent;
        assert_eq!(cut(&session).count(), 1);
    }

    #[test]
    fn a_client_ends_no_request_that_is_whole() {
        let cuts = |sent: &str| {
            let text = format!(
                "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-3999/20000{sent}\n! client closes\n"
            );
            let mut session = report(&text).sessions.remove(0);
            // Stored behind the end.
            let request = session.exchanges[1].request.as_mut().unwrap();
            request.add_late(1_000);
            cut(&session).count()
        };
        assert_eq!((cuts(" sent=3000"), cuts("")), (1, 0));
    }

    #[test]
    fn what_the_server_had_nothing_of_crossed_its_end() {
        let cuts = |how: &str| {
            let text = format!(
                "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9999/20000 sent=4000{how}\n! client sends 2000\n"
            );
            let mut session = report(&text).sessions.remove(0);
            // Among the segments.
            let within = session.exchanges[1].request.as_ref().unwrap().span.last;
            session.connection_mut(0).server_side.fin = Some(within);
            cut(&session).count()
        };
        assert_eq!((cuts(""), cuts(" dropped")), (1, 0));
    }
}
