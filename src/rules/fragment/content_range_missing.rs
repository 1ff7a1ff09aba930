//! The rule `content-range-missing`.

use crate::bits::PacketType;
use crate::model::{Exchange, Session};
use crate::rules::{Confidence, Notes, look};

rule! {
    /// A Fragment without Content-Range.
    ///
    /// The server cannot tell where the bytes belong.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT
    ///   | some bytes
    /// < 400 error=0x80070057 context=0x5
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200
    /// ```
    ///
    /// Answerable: the client, or a proxy that takes headers away
    /// Advice: Let the client send Content-Range with every Fragment; look for a proxy that drops it.
    /// Confirm: A capture at the client: whether the header is there.
    /// Reference: [MC-BUP] 2.2.6.1
    Error, belief 75, needs WholeExchange, Exchange
}

fn check(_: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(request) = &exchange.request else { return };
    let carries = request.content_length.unwrap_or(0) > 0 || request.body.bytes > 0;
    if exchange.kind == PacketType::Fragment && carries && request.content_range.is_none() {
        let severity = look::if_refused(exchange, notes.severity());
        let message = format!(
            "a Fragment of {} does not say which part of the file it is",
            look::counted(request.content_length.unwrap_or(request.body.bytes), "byte")
        );
        notes.note(severity, Confidence::Certain, &[exchange.span()], message);
    }
}
