//! The rule `body-on-empty-packet`.

use crate::bits::PacketType;
use crate::model::{Exchange, Session};
use crate::rules::{Confidence, Notes, look};

rule! {
    /// A packet with a body that must have none.
    ///
    /// Only Fragments carry bytes. Where the server did not mind, this is only a remark.
    ///
    /// ```fires
    /// > CREATE-SESSION
    ///   | hello
    /// < 400 error=0x80070057 context=0x5
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200
    /// > CLOSE-SESSION
    /// < 200
    /// ```
    ///
    /// Answerable: the client
    /// Advice: Let the client send Content-Length: 0 with all packets but Fragments.
    /// Reference: [MC-BUP] 2.2.2.3
    Warning, belief 41, needs WholeExchange, Exchange
}

fn check(_: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(request) = &exchange.request else { return };
    let empty = matches!(
        exchange.kind,
        PacketType::CreateSession
            | PacketType::Ping
            | PacketType::CloseSession
            | PacketType::CancelSession
    );
    let bytes = request.content_length.unwrap_or(request.body.bytes);
    if empty && bytes > 0 {
        let severity = look::if_refused(exchange, notes.severity());
        let message = format!("{} carries {bytes} bytes", exchange.kind);
        notes.note(severity, Confidence::Certain, &[exchange.span()], message);
    }
}
