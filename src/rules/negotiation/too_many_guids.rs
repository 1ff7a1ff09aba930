//! The rule `too-many-guids`.

use crate::bits::PacketType;
use crate::bits::protocol::OFFERS_READ;
use crate::model::negotiation::{Negotiation, Offer};
use crate::model::{Exchange, Session};
use crate::rules::Notes;

rule! {
    /// More protocols are on offer than a Windows server reads.
    ///
    /// It reads a hundred. One protocol is registered, so a list of this length is a broken client or a probe.
    ///
    /// ```fires
    /// > CREATE-SESSION
    ///   BITS-Supported-Protocols: {1},*101
    /// < 400 error=0x80070057 context=0x5
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    ///   BITS-Supported-Protocols: {1},*100
    /// < 400 error=0x80070057 context=0x5
    /// ```
    ///
    /// Answerable: the client
    /// Advice: Offer fewer protocols, the registered one first.
    /// Reference: [MC-BUP] 2.2.2.2
    Warning, belief 60, needs Anything, Exchange
}

fn check(_: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    if exchange.kind != PacketType::CreateSession {
        return;
    }
    let raw = exchange.request.as_ref().and_then(|request| request.supported_protocols.as_deref());
    // Between two there is a space at least.
    if raw.is_none_or(|raw| raw.len() <= 2 * OFFERS_READ) {
        return;
    }
    let offered = Negotiation::of(exchange).offered;
    if offered.len() <= OFFERS_READ {
        return;
    }
    let place = offered.iter().position(|Offer { name, .. }| name.is_some());
    let known = match place {
        Some(place) if place < OFFERS_READ => String::new(),
        Some(place) => format!(", the registered one at place {}", place + 1),
        None => ", the registered one not among them".to_owned(),
    };
    notes.add(exchange.span(), format!("{} offered, {OFFERS_READ} are read{known}", offered.len()));
}

#[cfg(test)]
mod tests {
    use crate::bits::protocol::OFFERS_READ;
    use crate::rules::tests::report;

    #[test]
    fn the_place_of_the_registered_one_is_told_where_it_is_not_read() {
        let told = |before: usize, behind: usize| {
            let other = "{11111111-2222-3333-4444-555555555555}";
            let known = "{7df0354d-249b-430f-820d-3d2a9bef4931}";
            let offers = [vec![other; before], vec![known], vec![other; behind]].concat();
            let text = format!("> CREATE-SESSION offers={}\n< 200 session=1\n", offers.join(","));
            let mut session = report(&text).sessions.remove(0);
            session.findings.retain(|finding| finding.rule == "too-many-guids");
            session.findings.remove(0).message
        };
        assert_eq!(told(0, OFFERS_READ), "101 offered, 100 are read");
        assert_eq!(
            told(OFFERS_READ, 0),
            "101 offered, 100 are read, the registered one at place 101"
        );
    }
}
