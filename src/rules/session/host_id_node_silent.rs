//! The rule `host-id-node-silent`.

use crate::model::{Exchange, Session};
use crate::rules::hosts::Named;
use crate::rules::{Confidence, Notes, Severity, course, unanswered, wording};

rule! {
    /// The host that BITS-Host-Id named stopped answering.
    ///
    /// It accepts connections, but a request stays unanswered until the client gives the host up.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1 host=192.0.2.81 fallback=60
    /// = server 192.0.2.81:80
    /// = url http://192.0.2.81/upload/file.bin
    /// > FRAGMENT 0-9/20
    /// ... 90 s
    /// ! client closes
    /// = server 192.0.2.80:80
    /// = url http://server/upload/file.bin
    /// > PING
    /// < 200
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1 host=192.0.2.81 fallback=60
    /// = server 192.0.2.81:80
    /// = url http://192.0.2.81/upload/file.bin
    /// > FRAGMENT 0-9/20
    /// ... 90 s
    /// ! client closes
    /// = connection
    /// > FRAGMENT 0-9/20
    /// < 200
    /// ```
    ///
    /// Answerable: the server
    /// Advice: Look at that node: a hung worker process, a wrong port, a firewall that lets only the handshake pass.
    /// Client: 0x80072EE2
    /// Confirm: The node's logs at this time; of IIS, also the error log of http.sys (HTTPERR).
    /// Reference: [MC-BUP] 1.3.4.2
    Error, belief 49, needs WholeSession, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    let Some(named) = Named::of(session) else { return };
    let answered = |other: &&Exchange| named.takes(other) && other.response.is_some();
    let answer = session.exchanges.iter().rev().find(answered);
    let answer = answer.map(|exchange| exchange.span().first.frame);
    for (exchange, waited) in unanswered::whole(session) {
        if named.takes(exchange) && answer < Some(exchange.span().first.frame) {
            let made_good = course::fragment_follows(session, exchange);
            let severity = if made_good { Severity::Warning } else { notes.severity() };
            let message = format!(
                "\"{}\" did not answer a {} for {}",
                named.value,
                exchange.kind,
                wording::lasting(waited)
            );
            notes.note(severity, Confidence::Likely, &[exchange.span()], message);
        }
    }
}
