//! The rule `traversal-name`.

use crate::model::{Exchange, Session};
use crate::rules::Notes;

rule! {
    /// A name that tries to leave its folder.
    ///
    /// Advice: Look at what the server made of it.
    Warning, belief 0, needs Anything, Exchange
}

fn check(_: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(request) = &exchange.request else { return };
    let leaves = |text: &str| {
        if !text.contains("..") && !text.contains('%') {
            return false;
        }
        let text =
            text.to_ascii_lowercase().replace("%2e", ".").replace("%2f", "/").replace("%5c", "\\");
        text.split(['/', '\\']).any(|part| part == "..") || text.contains("%00")
    };
    if leaves(&request.target) || request.content_name.as_deref().is_some_and(leaves) {
        notes.add(exchange.span(), "a path that climbs");
    }
}
