//! Requests on a connection that the server had closed before.

use std::num::NonZeroU64;

use crate::at::At;
use crate::model::{Exchange, Request, Session};
use crate::rules::wording;
use crate::stream::Connection;

/// How the server had closed the connection before a request began: RST is what it must answer then.
#[derive(Clone, Copy, Debug)]
pub struct Closed {
    /// Its FIN, or what acknowledged it.
    pub fin: At,
    /// The capture lacks FIN itself.
    unseen: bool,
    /// Seconds from the last bytes of the server to that, where the capture has these.
    idle_secs: Option<f64>,
    /// It closed others of the session as soon behind an answer, and none of these announced that.
    each: bool,
    /// Nobody had sent anything before.
    unasked: bool,
    /// Seconds from that to the request.
    ahead_secs: f64,
    /// Whether the request acknowledges it: then it did not cross that.
    known: bool,
}

/// Who closes a connection sooner behind an answer, in seconds, does not do so because it is idle.
const IDLE_SECS: f64 = 0.5;

/// Connections of a session that are looked at for the habits of its server.
const LOOKED_AT: usize = 16;

/// What ends later behind a request, in seconds, may end for that.
const CROSSING_SECS: f64 = 0.1;

/// Whether the server had closed the connection before anything of a request reached it, though the capture has the
/// beginning of that first: its end came within a round trip, and it never acknowledged any byte of the request; or the
/// request itself [acknowledges](is_told) that. Bytes of TLS are not those of the request.
pub fn crosses(session: &Session, exchange: &Exchange) -> bool {
    if is_told(session, exchange) {
        return true;
    }
    let last = session.on(exchange.connection).next_back();
    let request =
        exchange.request.as_ref().filter(|_| exchange.response.is_none() && !exchange.tls);
    let unacked = |request: &Request| {
        let connection = session.connection(exchange.connection)?;
        let trip = connection.round_trip_secs().unwrap_or(0.0);
        let late = connection.server_side.fin?.time.secs_since(request.span.first.time);
        // Of the head, too, some bytes wait.
        let unacked = connection.client_side.unacked() > request.body.bytes;
        Some(unacked && late <= trip.max(CROSSING_SECS))
    };
    last.is_some_and(|last| std::ptr::eq(last, exchange)) && request.and_then(unacked) == Some(true)
}

/// Whether a request acknowledges the end of the connection by the server: FIN takes a number behind all bytes.
fn is_told(session: &Session, exchange: &Exchange) -> bool {
    let awaits = exchange.request.as_ref().and_then(|request| request.awaits);
    session.connection(exchange.connection).is_some_and(|connection| {
        let server = &connection.server_side;
        server.fin.is_some() && awaits > Some(NonZeroU64::MIN.saturating_add(server.sent))
    })
}

impl Closed {
    /// The end before `exchange`, if any: before its first frame, or [before it arrived](crosses).
    pub fn before(session: &Session, exchange: &Exchange) -> Option<Self> {
        let connection = session.connection(exchange.connection)?;
        let server = &connection.server_side;
        let ahead =
            |fin: &At| fin.frame < exchange.span().first.frame || crosses(session, exchange);
        let fin = server.fin.filter(ahead)?;
        let whole = server.lost_by_capture == 0 && !connection.midstream;
        let said = server.last_data.filter(|last| whole && last.frame < fin.frame);
        let idle_secs = said.map(|said| fin.time.secs_since(said.time).max(0.0));
        let others = || session.connections().take(LOOKED_AT);
        let each = idle_secs.is_some_and(|secs| secs < IDLE_SECS)
            && others().filter(|one| is_short(session, one)).nth(1).is_some();
        let unasked = whole && server.sent == 0;
        let ahead_secs = exchange.span().first.time.secs_since(fin.time).max(0.0);
        let known = is_told(session, exchange);
        let unseen = server.resent.fin_unseen;
        Some(Self { fin, unseen, idle_secs, each, unasked, ahead_secs, known })
    }

    /// What to say of it.
    pub fn message(&self, exchange: &Exchange) -> String {
        let kind = &exchange.kind;
        let when = match self.idle_secs {
            Some(secs) => format!(", {} after the last answer", wording::lasting(secs)),
            None if self.unasked => ", before any request".to_owned(),
            None => String::new(),
        };
        let then = match self.known {
            true => {
                let later = wording::lasting(self.ahead_secs);
                format!(
                    "the client, whose host had acknowledged that, sent the {kind} {later} later"
                )
            }
            false => format!("the {kind} crossed that"),
        };
        let frame = self.fin.name();
        let told = match self.unseen {
            true => format!(", as the client acknowledged in frame {frame}"),
            false => format!(" in frame {frame}"),
        };
        format!("the server had closed the connection{told}{when}, and {then}")
    }

    /// What to do about it, where the time tells.
    pub fn advice(&self) -> Option<&'static str> {
        match self.idle_secs {
            Some(secs) if secs >= IDLE_SECS => Some(OF_IDLE),
            Some(_) => self.each.then_some(OF_EACH),
            None => self.unasked.then_some(OF_UNASKED),
        }
    }
}

/// Whether the server closed a connection right behind an answer that does not announce it.
fn is_short(session: &Session, connection: &Connection) -> bool {
    let server = &connection.server_side;
    let ends = server.last_data.zip(server.fin);
    let soon = ends.is_some_and(|(last, fin)| fin.time.secs_since(last.time) < IDLE_SECS);
    let mut answered = session.on(connection.id).filter_map(|exchange| exchange.response.as_ref());
    soon && answered.next_back().is_some_and(|answer| !answer.announces_close())
}

const OF_EACH: &str = "The server, or the proxy that answers for it, ends its connections right behind an answer, again and again, without `Connection: close`, so the client asks on them once more. Let it keep connections open (keep-alive, a limit of requests per connection), or announce that it closes them.";

const OF_IDLE: &str = "The server, or the proxy that answers for it, closes connections that are idle for this long: set its keep-alive time-out above the pauses of the client (IIS connectionTimeout, nginx keepalive_timeout, Apache KeepAliveTimeout, HAProxy timeout http-keep-alive). Where the time is not always the same, look into its log: a restart, a connection limit.";

const OF_UNASKED: &str = "What accepts the connections closes them without being asked anything: a forwarder or a balancer without a live server behind it, a limit, or a filter of clients. See what listens on this port, and to where it passes connections on.";

#[cfg(test)]
mod tests {
    use crate::rules::tests::diagnosed;
    use crate::transcript;

    #[test]
    fn an_end_that_the_capture_lacks_is_told_by_what_acknowledges_it() {
        let text = "> CREATE-SESSION\n< 200 session=1\n... 5 s\n! server closes\n... 2 s\n\
                    > FRAGMENT 0-9/20 dropped\n! server resets bare\n";
        let mut records = transcript::play(text).unwrap();
        let fin = records.iter().position(|record| record.data[47] == 0x11).unwrap();
        let mut told = |how: &str| {
            let report = transcript::analyse(&records, &mut ());
            let diagnosis = report.sessions[0].diagnosis.as_ref().unwrap();
            assert_eq!(diagnosis.cause, "tcp-reset-by-server");
            let had =
                format!("the server had closed the connection{how}, 5 s after the last answer");
            assert!(diagnosis.summary.contains(&had), "{}", diagnosis.summary);
            assert!(report.findings.iter().all(|one| one.rule != "capture-gap"));
            records.remove(fin);
        };
        told(&format!(" in frame {}", fin + 1));
        // Frames keep their numbers.
        told(&format!(", as the client acknowledged in frame {}", fin + 2));
    }

    #[test]
    fn a_server_that_closes_behind_each_answer_without_a_word_is_told_to_keep_connections() {
        let advice = |field: &str| {
            let closes = format!("< 200{field}\n! server closes\n");
            let text = format!(
                "> CREATE-SESSION\n< 200 session=1\n= connection\n> PING\n{closes}= connection\n> PING\n{closes}\
                 > FRAGMENT 0-9/20 dropped\n! server resets\n"
            );
            let told = diagnosed(&text);
            assert_eq!(told.cause, "tcp-reset-by-server");
            told.advice.unwrap()
        };
        assert!(advice("").contains("again and again"));
        assert!(!advice("\n  Connection: close").contains("again and again"));
    }

    #[test]
    fn what_the_client_had_acknowledged_crossed_nothing() {
        let at_once = diagnosed(
            "> CREATE-SESSION\n< 200 session=1\n... 5 s\n! server closes\n> FRAGMENT 0-9/20 dropped\n! server resets\n",
        );
        let sent = "and the client, whose host had acknowledged that, sent the Fragment less than 1 ms later";
        assert!(at_once.summary.contains(sent), "{}", at_once.summary);
        let told = |before: &str| {
            let text = format!(
                "{before}! server closes\n... 2 s\n> FRAGMENT 0-9/20 session=1 dropped\n! server resets\n"
            );
            let diagnosis = diagnosed(&text);
            assert_eq!(diagnosis.cause, "tcp-reset-by-server");
            format!("{} {}", diagnosis.summary, diagnosis.advice.unwrap())
        };
        let idle = told("> CREATE-SESSION\n< 200 session=1\n... 5 s\n");
        assert!(
            idle.contains("5 s after the last answer, and the client, whose host had acknowledged that, sent the Fragment 2 s later"),
            "{idle}"
        );
        assert!(idle.contains("keep-alive time-out"), "{idle}");
        let other = told("> GET /\n< 200 plain\n... 5 s\n");
        assert!(other.contains("5 s after the last answer, and"), "{other}");
        let unasked = told("");
        assert!(unasked.contains(", before any request, and"), "{unasked}");
        assert!(unasked.contains("a forwarder or a balancer"), "{unasked}");
    }
}
