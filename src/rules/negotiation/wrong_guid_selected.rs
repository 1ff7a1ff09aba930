//! The rule `wrong-guid-selected`.

use crate::bits::PacketType;
use crate::model::negotiation::{Negotiation, Verdict};
use crate::model::{Exchange, Session};
use crate::rules::Notes;

rule! {
    /// The server chose a protocol that was not on offer.
    ///
    /// Advice: Mend the server: it must choose from the list.
    /// Reference: [MC-BUP] 2.2.3.2
    Error, belief 85, needs WholeExchange, Exchange
}

fn check(_: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    if exchange.kind != PacketType::CreateSession {
        return;
    }
    let negotiation = Negotiation::of(exchange);
    if negotiation.verdict == Verdict::SelectedNotOffered
        && let Some(selected) = negotiation.selected
    {
        notes.add(exchange.span(), format!("chose {}", selected.guid));
    }
}
