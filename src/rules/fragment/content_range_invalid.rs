//! The rule `content-range-invalid`.

use crate::bits::PacketType;
use crate::model::{Exchange, Session};
use crate::rules::{Confidence, Notes, Severity, look};

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
    if exchange.kind == PacketType::Fragment && !range.valid && !empty {
        let in_order = matches!((range.start, range.end, range.total),
            (Some(start), Some(end), Some(total)) if start <= end && end < total);
        // The numbers are right and the server took them: only the notation is odd.
        let tolerated = in_order && look::succeeded(exchange);
        let severity = if tolerated { Severity::Note } else { notes.severity() };
        let message = format!("Content-Range is \"{}\"", range.raw);
        notes.note(severity, Confidence::Certain, &[exchange.span()], message);
    }
}
