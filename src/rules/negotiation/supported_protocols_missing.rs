//! The rule `supported-protocols-missing`.

use crate::bits::{PacketType, protocol};
use crate::model::negotiation::{Negotiation, Verdict};
use crate::model::{Exchange, Outcome, Session};
use crate::rules::{Confidence, Notes, Severity, look, page};

rule! {
    /// Create-Session offers no protocol.
    ///
    /// BITS-Supported-Protocols is missing or names nothing. A Windows server refuses that; a more lenient one may choose by
    /// itself.
    ///
    /// ```fires
    /// > CREATE-SESSION
    ///   BITS-Supported-Protocols:
    /// < 400 error=0x80070057 context=0x5
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    ///   BITS-Supported-Protocols:
    /// < 200 session=1
    /// ```
    /// ```fires
    /// > CREATE-SESSION offers=,
    /// < 400 error=0x80070057 context=0x5
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    ///   BITS-Supported-Protocols:
    /// < 400 plain
    ///   | protocol not supported
    /// ```
    /// ```silent
    /// > CREATE-SESSION offers={11111111-2222-3333-4444-555555555555}
    /// < 400 error=0x80070057 context=0x5
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    ///   BITS-Supported-Protocols:
    /// < 405 plain
    ///   Server: nginx/1.22.1
    /// ```
    ///
    /// Answerable: the client
    /// Advice: Let the client send BITS-Supported-Protocols with {7df0354d-249b-430f-820d-3d2a9bef4931}.
    /// Reference: [MC-BUP] 2.2.2.2
    Error, belief 86, needs WholeExchange, Exchange
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let offers =
        exchange.request.as_ref().and_then(|request| request.supported_protocols.as_deref());
    let offered = offers.is_some_and(|offers| protocol::offers(offers).next().is_some());
    if exchange.kind != PacketType::CreateSession || offered {
        return;
    }
    let refused = Negotiation::of(exchange).verdict == Verdict::OfferMissing
        || exchange.response.as_ref().is_some_and(page::speaks_bits);
    // Where it was let pass, it explains no later failure.
    let harmless = look::creates(exchange) && session.outcome != Outcome::Failed;
    let status = exchange.response.as_ref().map_or(0, |response| response.http_status);
    let (severity, what) = match (refused, harmless) {
        (true, _) => (notes.severity(), format!("refused with {status}")),
        (false, true) => (Severity::Note, "accepted all the same".to_owned()),
        (false, false) => return,
    };
    let lacks = match offers {
        Some(_) => "whose BITS-Supported-Protocols names nothing",
        None => "without BITS-Supported-Protocols",
    };
    let message = format!("a Create-Session {lacks}, {what}");
    notes.note(severity, Confidence::Certain, &[exchange.span()], message);
}
