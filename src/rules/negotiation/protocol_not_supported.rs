//! The rule `protocol-not-supported`.

use crate::bits::PacketType;
use crate::bits::hresult::PROTOCOL_MISMATCH;
use crate::model::negotiation::{Negotiation, Offer, Verdict};
use crate::model::{Exchange, Response, Session};
use crate::rules::{Confidence, Notes, course, look, page, wording};

rule! {
    /// The server takes none of the protocols on offer.
    ///
    /// One upload protocol is registered, and a list without it leaves a BITS server nothing to choose. A client of its own
    /// make or something that rewrites the header is behind it. A server that refuses although the protocol is on the list
    /// reads lists in a way of its own.
    ///
    /// ```fires
    /// > CREATE-SESSION offers={11111111-2222-3333-4444-555555555555}
    /// < 400 error=0x80070057 context=0x5
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 400 error=0x80200022 context=0x5
    /// ```
    /// ```fires
    /// > CREATE-SESSION offers={7df0354d-249b-430f-820d-3d2a9bef4931}+{11111111-2222-3333-4444-555555555555}
    /// < 400 error=0x0 context=0x5
    /// ```
    /// The capture lacks the request:
    /// ```fires
    /// = sees server
    /// > CREATE-SESSION
    /// < 500 error=0x80200022 context=0x5
    /// ```
    /// Some say so in words alone:
    /// ```fires
    /// > CREATE-SESSION offers={11111111-2222-3333-4444-555555555555}
    /// < 400 plain
    ///   | protocol not supported
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 400 plain
    ///   | protocol not supported
    /// ```
    /// ```silent
    /// > CREATE-SESSION offers={11111111-2222-3333-4444-555555555555}
    /// < 403 error=0x80070005 context=0x5
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 400 error=0x80070057 context=0x5
    /// ```
    ///
    /// Answerable: the client
    /// Advice: Offer {7df0354d-249b-430f-820d-3d2a9bef4931} in BITS-Supported-Protocols, and look for a proxy that rewrites it.
    /// Confirm: The same request captured beside the client and beside the server shows whether the list changes on the way.
    /// Reference: [MC-BUP] 3.2.5.2.4
    Error, belief 86, needs Anything, Trouble
}

/// Offers that are named in a message.
const NAMED: usize = 3;

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    if exchange.request.is_none() {
        return alone(session, exchange, notes);
    }
    let asks = exchange.kind == PacketType::CreateSession && !exchange.succeeded();
    if !asks || !look::is_answered(session, exchange) {
        return;
    }
    let negotiation = Negotiation::of(exchange);
    let answer = exchange.response.as_ref();
    let said = is_said(exchange) && !negotiation.offered.is_empty();
    // What is cut off may be the reason, too.
    let whole = look::is_whole(session, exchange);
    let sure = if whole { Confidence::Certain } else { Confidence::Likely };
    let (confidence, what) = match negotiation.verdict {
        Verdict::NoCommonProtocol | Verdict::OfferMalformed => {
            (sure, "none of which is registered")
        }
        Verdict::NotAnsweredByBits
            if answer.is_some_and(page::speaks_bits) && negotiation.offers_unknown_only() =>
        {
            (Confidence::Likely, "none of which is registered")
        }
        _ if said => (sure, "and the answer was 0x80200022"),
        Verdict::RefusedAlthoughKnown if negotiation.offered.len() > 1 => {
            (Confidence::Possible, "refused although the registered one is among them")
        }
        _ => return,
    };
    let offers = wording::counted(negotiation.offered.len(), "protocol");
    let message = format!("{offers} offered, {what}: {}", names(&negotiation.offered));
    let finding = notes.note(notes.severity(), confidence, &[exchange.span()], message);
    if let Some(finding) = finding.filter(|_| !negotiation.offers_unknown_only()) {
        finding.turn_to("the server, or a proxy that rewrites the list").advise(OF_LIST);
    }
}

/// What to do where the registered protocol was offered.
const OF_LIST: &str = "The registered protocol is on the list: look how the server reads that (case, braces, separators, number of entries), and for a proxy that rewrites BITS-Supported-Protocols.";

/// Whether a BITS server says so by its code.
fn is_said(exchange: &Exchange) -> bool {
    let answer = exchange.response.as_ref().filter(|answer| answer.is_ack());
    answer.and_then(Response::error_value) == Some(PROTOCOL_MISMATCH)
}

/// Notes an answer that says so, of which the capture lacks the request.
fn alone(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    if is_said(exchange) {
        let severity = course::unless_recovered(session, exchange, notes.severity());
        let message = format!("{} was answered 0x80200022", wording::NOT_CAPTURED);
        notes.note(severity, Confidence::Certain, &[exchange.span()], message);
    }
}

fn names(offers: &[Offer]) -> String {
    let mut names: Vec<String> =
        offers.iter().take(NAMED).map(|offer| format!("\"{}\"", offer.guid)).collect();
    if offers.len() > NAMED {
        names.push("…".to_owned());
    }
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use crate::model::negotiation::Verdict;
    use crate::rules::tests::report;

    #[test]
    fn who_offered_the_registered_protocol_is_not_told_to_offer_it() {
        let create = "> CREATE-SESSION offers={11111111-2222-3333-4444-555555555555}";
        let known = "+{7df0354d-249b-430f-820d-3d2a9bef4931}";
        let advised = |offers: &str, answer: &str| {
            let report = report(&format!("{offers}\n< {answer} context=0x5\n"));
            let session = &report.sessions[0];
            let diagnosis = session.diagnosis.clone().unwrap();
            assert_eq!(diagnosis.cause, "protocol-not-supported");
            let asks = diagnosis.advice.unwrap().starts_with("Offer");
            (session.negotiation.as_ref().unwrap().verdict, asks)
        };
        let (unknown, known) = (create.to_owned(), format!("{create}{known}"));
        assert_eq!(advised(&unknown, "500 error=0x80200022"), (Verdict::NoCommonProtocol, true));
        let refused = (Verdict::RefusedAlthoughKnown, false);
        assert_eq!(advised(&known, "500 error=0x80200022"), refused);
        assert_eq!(advised(&known, "400 error=0x0"), refused);
    }
}
