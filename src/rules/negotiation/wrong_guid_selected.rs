//! The rule `wrong-guid-selected`.

use crate::bits::{PacketType, protocol};
use crate::model::negotiation::{Negotiation, Verdict};
use crate::model::{Exchange, Session};
use crate::rules::{Confidence, Notes, Severity, course};

rule! {
    /// The server chose a protocol that was not on offer.
    ///
    /// It may take any entry of the client's list, not only the first, but nothing else. Spelling does not count: braces,
    /// quotation marks and case of a GUID mean nothing. A client is to drop such an Ack; where it went on all the same, this
    /// is only a remark.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1 protocol={11111111-2222-3333-4444-555555555555}
    /// > CANCEL-SESSION
    /// < 200
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1 protocol=BITS-1.5
    /// ```
    /// ```silent
    /// > CREATE-SESSION offers={11111111-2222-3333-4444-555555555555}+{7df0354d-249b-430f-820d-3d2a9bef4931}
    /// < 200 session=1 protocol=7DF0354D-249B-430F-820D-3D2A9BEF4931
    /// ```
    /// ```silent
    /// > CREATE-SESSION offers={7df0354d-249b-430f-820d-3d2a9bef4931}|{11111111-2222-3333-4444-555555555555}
    /// < 200 session=1
    /// ```
    /// ```silent
    /// > CREATE-SESSION offers="{7df0354d-249b-430f-820d-3d2a9bef4931}"
    /// < 200 session=1
    /// ```
    /// ```silent
    /// > CREATE-SESSION offers={11111111-2222-3333-4444-555555555555}
    ///   + BITS-Supported-Protocols: {7df0354d-249b-430f-820d-3d2a9bef4931}
    /// < 200 session=1
    /// ```
    ///
    /// Answerable: the server
    /// Advice: Mend the server: BITS-Protocol must repeat one entry of BITS-Supported-Protocols.
    /// Client: 0x8020001B
    /// Reference: [MC-BUP] 2.2.3.2
    Error, belief 85, needs WholeExchange, Exchange
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    if exchange.kind != PacketType::CreateSession || is_offered(exchange) {
        return;
    }
    let negotiation = Negotiation::of(exchange);
    let Some(selected) = negotiation.selected.filter(|_| !negotiation.offered.is_empty()) else {
        return;
    };
    let went_on = course::fragment_follows(session, exchange);
    let what = match negotiation.verdict {
        Verdict::SelectedNotOffered => "which",
        Verdict::SelectionMalformed => "which is no GUID and which",
        _ => return,
    };
    // A client that goes on did not mind.
    let severity = if went_on { Severity::Note } else { notes.severity() };
    let message =
        format!("the server chose \"{}\", {what} the client did not offer", selected.guid);
    notes.note(severity, Confidence::Certain, &[exchange.span()], message);
}

/// Whether the choice is a GUID that was offered in the same spelling, as nearly always.
fn is_offered(exchange: &Exchange) -> bool {
    let offers = exchange.request.as_ref().and_then(|it| it.supported_protocols.as_deref());
    let chosen = exchange.response.as_ref().and_then(|it| it.protocol.as_deref());
    chosen.is_some_and(|chosen| {
        let offers = offers.unwrap_or_default();
        let same = offers == chosen || protocol::offers(offers).any(|offer| offer == chosen);
        same && protocol::guid(chosen).is_some()
    })
}

#[cfg(test)]
mod tests {
    use crate::rules::Severity::{Error, Note};
    use crate::rules::tests::severity;

    #[test]
    fn a_client_that_goes_on_makes_it_a_note() {
        for chosen in ["{11111111-2222-3333-4444-555555555555}", "BITS-1.5"] {
            let text = format!("> CREATE-SESSION\n< 200 session=1 protocol={chosen}\n");
            assert_eq!(severity("wrong-guid-selected", &text), Some(Error), "{chosen}");
            let on = format!("{text}> FRAGMENT 0-9/10\n< 200\n");
            assert_eq!(severity("wrong-guid-selected", &on), Some(Note), "{chosen}");
        }
    }
}
