//! The rule `header-stripped`.

use crate::model::{Exchange, Session};
use crate::rules::{Confidence, Notes, look};

rule! {
    /// Something on the way took the BITS fields out of an answer.
    ///
    /// The answer is a success and no page, its server is known to speak BITS, and it passed a proxy: what lets only known header
    /// fields through leaves an Ack without its contents.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200 plain
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
    Error, belief 89, needs WholeExchange, Trouble
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(response) = look::stranger(exchange).filter(|response| response.is_success()) else {
        return;
    };
    let speaks = session
        .exchanges
        .iter()
        .any(|other| other.response.as_ref().is_some_and(crate::model::Response::is_ack));
    let hop = response.via.as_ref().or_else(|| response.hops.first());
    if let Some(hop) = hop.filter(|_| speaks && !look::is_page(response)) {
        let severity = look::unless_made_good(session, exchange, notes.severity());
        let message = format!(
            "the {} was answered {} through \"{hop}\", without a BITS field",
            exchange.kind, response.http_status
        );
        notes.note(severity, Confidence::Likely, &[exchange.span()], message);
    }
}
