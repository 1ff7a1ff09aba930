//! The rule `content-range-invalid`.

use crate::model::{Exchange, Session};
use crate::rules::Notes;

rule! {
    /// A Content-Range that cannot be right.
    ///
    /// Not of the form `bytes first-last/total`, or its numbers are out of order.
    /// Advice: Mend the client; servers answer 400 with E_INVALIDARG.
    /// Reference: [MC-BUP] 2.2.1.2
    Error, belief 75, needs Anything, Exchange
}

fn check(_: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(request) = &exchange.request else { return };
    let Some(range) = &request.content_range else { return };
    let empty = range.total == Some(0) || request.content_length == Some(0);
    if exchange.kind == crate::bits::PacketType::Fragment && !range.valid && !empty {
        notes.add(exchange.span(), format!("Content-Range is \"{}\"", range.raw));
    }
}
