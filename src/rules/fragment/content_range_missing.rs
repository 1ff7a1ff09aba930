//! The rule `content-range-missing`.

use crate::bits::PacketType;
use crate::model::{Exchange, Session};
use crate::rules::{Confidence, Notes, slip, wording};

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

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(bytes) = without_place(exchange) else { return };
    let severity = slip::if_refused(session, exchange, notes.severity(), |earlier| {
        without_place(earlier).is_some()
    });
    let message = format!(
        "a Fragment of {} does not say which part of the file it is",
        wording::counted(bytes, "byte")
    );
    notes.note(severity, Confidence::Certain, &[exchange.span()], message);
}

/// The bytes of a Fragment that does not say where they belong.
fn without_place(exchange: &Exchange) -> Option<u64> {
    let fragment = exchange.kind == PacketType::Fragment;
    let request = exchange.request.as_ref().filter(|_| fragment)?;
    let bytes = request.content_length.unwrap_or(0).max(request.body.bytes);
    (bytes > 0 && request.content_range.is_none()).then_some(bytes)
}
