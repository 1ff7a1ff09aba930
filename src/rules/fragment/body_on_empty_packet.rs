//! The rule `body-on-empty-packet`.

use crate::bits::PacketType;
use crate::bits::hresult::INVALID_ARGUMENT;
use crate::model::{Exchange, Response, Session};
use crate::rules::{Confidence, Notes, Severity, course, slip, wording};

rule! {
    /// A packet with a body that must have none.
    ///
    /// Only Fragments carry bytes. Where the server did not mind, or it is an Ack of success, this is only a remark; errors
    /// often come with a page.
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
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200
    ///   | done
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 500 error=0x80070070 context=0x5
    ///   | <html>
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
    // A server that adds one adds it to all.
    let before =
        || course::ahead(session, exchange).take(course::LOOKED_AT).any(|one| more(one).is_some());
    if let Some(bytes) = more(exchange).filter(|_| !before()) {
        let bytes = wording::counted(bytes, "byte");
        let message = format!("the Ack to {} carries {bytes}", exchange.kind);
        let note = notes.note(Severity::Note, Confidence::Certain, &[exchange.span()], message);
        if let Some(finding) = note {
            finding.turn_to("the server").advise(EMPTY_ACK);
        }
    }
}

const EMPTY_ACK: &str = "Let the server send Content-Length: 0 and no body with its Acks.";

/// The bytes of an Ack of success, which must have none ([MC-BUP] 2.2.3.3 and its like).
fn more(exchange: &Exchange) -> Option<u64> {
    let ack = exchange.response.as_ref().filter(|answer| answer.is_ack() && answer.is_success())?;
    (ack.body.bytes > 0).then_some(ack.body.bytes)
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
