//! The rule `body-on-empty-packet`.

use crate::bits::PacketType;
use crate::bits::hresult::INVALID_ARGUMENT;
use crate::model::{Exchange, Response, Session};
use crate::rules::{Confidence, Notes, slip, wording};

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
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200
    /// > CLOSE-SESSION
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
    Warning, belief 43, needs WholeExchange, Exchange
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    if let Some(bytes) = surplus(exchange) {
        let severity = slip::if_refused(session, exchange, notes.severity(), |earlier| {
            surplus(earlier).is_some() && earlier.kind == exchange.kind
        });
        let message = format!("{} carries {}", exchange.kind, wording::counted(bytes, "byte"));
        notes.note(severity, Confidence::Certain, &[exchange.span()], message);
    }
}

/// The bytes of a packet that must have none.
fn surplus(exchange: &Exchange) -> Option<u64> {
    let request = exchange.request.as_ref()?;
    let empty = matches!(
        exchange.kind,
        PacketType::CreateSession
            | PacketType::Ping
            | PacketType::CloseSession
            | PacketType::CancelSession
    );
    let bytes = request.content_length.unwrap_or(request.body.bytes);
    (empty && bytes > 0).then_some(bytes)
}

/// Whether a BITS server called a packet malformed that has bytes and must have none.
pub(in crate::rules) fn is_why(exchange: &Exchange) -> bool {
    let malformed = |answer: &Response| {
        let code = answer.error_value().is_none_or(|code| code == INVALID_ARGUMENT);
        answer.is_ack() && answer.http_status == 400 && code
    };
    exchange.response.as_ref().is_some_and(malformed) && surplus(exchange).is_some()
}
