//! The rule `control-characters`.

use crate::model::{Exchange, Session};
use crate::rules::Notes;

rule! {
    /// Control characters in a request.
    ///
    /// An attack on terminals and logs, or a broken client.
    /// Advice: Read logs of this request only with a tool that escapes them.
    Warning, belief 0, needs Anything, Exchange
}

fn check(_: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(request) = &exchange.request else { return };
    let texts = [Some(&request.target), request.content_name.as_ref(), request.session_id.as_ref()];
    let odd =
        texts.into_iter().flatten().any(|text| text.chars().any(|c| c.is_control() && c != '\t'));
    if odd || request.odd.iter().any(|odd| odd == "nul") {
        notes.add(exchange.span(), "control characters in the head of the request");
    }
}
