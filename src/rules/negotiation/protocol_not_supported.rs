//! The rule `protocol-not-supported`.

use crate::bits::PacketType;
use crate::model::negotiation::{Negotiation, Verdict};
use crate::model::{Exchange, Session};
use crate::rules::Notes;
use crate::rules::look::succeeded;

rule! {
    /// The server knows none of the protocols on offer.
    ///
    /// Advice: Offer {7df0354d-249b-430f-820d-3d2a9bef4931}; look for a proxy that rewrites the list.
    /// Reference: [MC-BUP] 3.2.5.2.4
    Error, belief 86, needs WholeExchange, Exchange
}

fn check(_: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    if exchange.kind != PacketType::CreateSession || succeeded(exchange) {
        return;
    }
    let negotiation = Negotiation::of(exchange);
    if matches!(negotiation.verdict, Verdict::NoCommonProtocol | Verdict::OfferMalformed) {
        notes.add(exchange.span(), format!("{} offered, none accepted", negotiation.offered.len()));
    }
}
