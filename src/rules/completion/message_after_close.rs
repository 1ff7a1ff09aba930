//! The rule `message-after-close`.

use crate::bits::PacketType;
use crate::model::Session;
use crate::rules::Notes;

rule! {
    /// A packet for a session that was closed.
    ///
    /// An error is the right answer to it.
    /// Advice: Mend the client, or look for what repeats its requests.
    Warning, belief 10, needs Anything, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    let mut over = false;
    for exchange in &session.exchanges {
        if over && exchange.request.is_some() && exchange.kind != PacketType::Ping {
            notes.add(exchange.span(), format!("{} after the session was over", exchange.kind));
        }
        let ends = matches!(exchange.kind, PacketType::CloseSession | PacketType::CancelSession);
        over |= ends && exchange.response.as_ref().is_some_and(|response| response.is_success());
    }
}
