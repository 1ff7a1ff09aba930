//! The rule `gateway-error`.

use crate::model::{Exchange, Session};
use crate::rules::origin::Origin;
use crate::rules::{Confidence, Notes, look, runner};

rule! {
    /// A gateway has no live server behind it.
    ///
    /// It answered at once in place of a server that is down, not reachable from it, or that its health checks took out. A client
    /// takes it for a passing error and tries again later.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 503 plain
    ///   | <html><body><h1>503 Service Unavailable</h1>
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 502 plain
    ///   Server: nginx/1.22.1
    /// ```
    /// The capture lacks the request:
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200
    /// > FRAGMENT 10-19/20 lost
    /// < 502 plain
    ///   Server: nginx/1.22.1
    /// ! client closes
    /// ```
    /// It may have been one for something else:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-19/20
    /// < 200
    /// > CLOSE-SESSION
    /// < 200
    /// > GET / lost
    /// < 502 plain
    ///   Server: nginx/1.22.1
    /// ! client closes
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// ... 60 s
    /// < 502 plain
    ///   Server: nginx/1.22.1
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 503 plain
    ///   Server: Microsoft-HTTPAPI/2.0
    /// ```
    ///
    /// Answerable: the gateway, or the server behind it
    /// Advice: Look at the servers behind the gateway and at its health checks: do they ask for a path that answers?
    /// Confirm: The log of the gateway names the server that it could not reach; that server's own log lacks the request.
    /// Reference: RFC 9110 15.6.3
    Error, belief 94, needs Anything, Trouble
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let whole = look::stranger(exchange).filter(|_| runner::exchange_is_whole(session, exchange));
    let whole = whole.map(|response| (response, look::wait_secs(exchange)));
    let Some((response, waited)) = whole.or_else(|| look::stranger_alone(session, exchange)) else {
        return;
    };
    let status = response.http_status;
    if !matches!(status, 502 | 503 | 520..=523 | 525..=530)
        || Origin::of_response(response) == Origin::HttpSys
        || waited >= look::ROUND_TIMEOUT_SECS
    {
        return;
    }
    let severity = look::unless_made_good(session, exchange, notes.severity());
    let who = Origin::describe(response);
    let message = if whole.is_some() {
        format!("{who} answered the {} with {status} after {waited:.1} s", exchange.kind)
    } else {
        format!("{who} answered a request that was not captured with {status}")
    };
    notes.note(severity, Confidence::Likely, &[exchange.span()], message);
}
