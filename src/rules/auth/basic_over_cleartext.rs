//! The rule `basic-over-cleartext`.

use crate::model::{Door, Exchange, Session};
use crate::rules::{Notes, rounds, wording};

rule! {
    /// A password crossed the network in the clear.
    ///
    /// Basic credentials are the name and the password, encoded but not encrypted. Without TLS everybody on the way can
    /// read them, this capture included.
    ///
    /// ```fires
    /// > CREATE-SESSION
    ///   Authorization: Basic Ym9iOnNlY3JldA==
    /// < 200 session=1
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    ///   Authorization: Negotiate YII=
    /// < 200 session=1
    /// ```
    ///
    /// Answerable: the client
    /// Advice: Use https, or another scheme; change this password; keep the capture to yourself.
    /// Reference: RFC 7617 4
    Warning, belief 0, needs Anything, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    for (door, whom) in [(Door::Server, "the server"), (Door::Proxy, "the proxy")] {
        let basic = |exchange: &&Exchange| {
            let scheme = exchange.request.as_ref().and_then(|request| door.scheme(request));
            !exchange.tls && scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("basic"))
        };
        let Some(first) = session.exchanges.iter().find(basic) else { continue };
        let count = session.exchanges.iter().filter(basic).count();
        let user = rounds::user(first.request.as_ref());
        let requests = wording::counted(count, "request");
        let message = format!("Basic credentials{user} for {whom} in {requests} over http");
        notes.add(first.span(), message);
    }
}
