//! The rule `ack-range-missing`.

use crate::bits::PacketType;
use crate::model::{Exchange, Response, Session};
use crate::rules::{Confidence, Notes, Severity, course, front, look, slip};

rule! {
    /// The answer to a Fragment does not name the next byte.
    ///
    /// A Windows client cannot go on without BITS-Received-Content-Range, and after a 416 none can. Where the client
    /// went on all the same, this is only a remark.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200 received=
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 10-19/20
    /// < 416
    /// ```
    /// The packet type is missing as well, in all Acks:
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    ///   BITS-Packet-Type:
    ///   Server: nginx/1.22.1
    /// > FRAGMENT 0-9/20
    /// < 200 plain
    ///   Server: nginx/1.22.1
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 10-19/20
    /// < 416 plain
    ///   Server: nginx/1.22.1
    /// ```
    /// The range of the Fragment is wrong in itself:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 10-19/20
    ///   Content-Range: bytes 10-30/20
    /// < 416
    /// ```
    /// It is there, though it names no byte:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200
    ///   BITS-Received-Content-Range: -1
    /// ```
    ///
    /// Answerable: the server, or a proxy that takes headers away
    /// Advice: Let the server send BITS-Received-Content-Range with every Ack to a Fragment; look for a proxy that drops it.
    /// Confirm: A capture at the server: whether its Ack has the header there.
    /// Reference: [MC-BUP] 2.2.7.2
    Error, belief 50, needs WholeExchange, Exchange
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(answer) = exchange.response.as_ref().filter(|answer| lacks(answer)) else { return };
    let owes = match answer.is_success() {
        true => answer.is_ack() || front::is_unmarked(session, exchange),
        false => is_about_offset(session, exchange, answer),
    };
    if exchange.kind != PacketType::Fragment || !owes {
        return;
    }
    let severity =
        if course::went_on(session, exchange) { Severity::Note } else { notes.severity() };
    let what = if answer.is_success() { "Ack" } else { "416" };
    let message = format!("the {what} to the Fragment has no BITS-Received-Content-Range");
    notes.note(severity, Confidence::Certain, &[exchange.span()], message);
}

fn lacks(answer: &Response) -> bool {
    answer.next_offset.is_none() && answer.next_offset_raw.is_none()
}

/// Whether BITS refuses the offset of a Fragment, and nothing else of it ([MC-BUP] 3.2.5.2.6): its range is in order.
fn is_about_offset(session: &Session, exchange: &Exchange, answer: &Response) -> bool {
    answer.is_ack()
        && answer.http_status == 416
        && look::range_agrees(session, exchange) == Some(true)
        && !slip::is_refused_otherwise(exchange)
}

#[cfg(test)]
mod tests {
    use crate::rules::Severity::Note;
    use crate::rules::tests::{diagnosed, severity};

    #[test]
    fn a_416_that_names_no_byte_is_why_the_upload_goes_nowhere() {
        let again = "> FRAGMENT 10-19/20\n< 416\n".repeat(3);
        let text = format!("> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< 200\n{again}");
        let diagnosis = diagnosed(&text);
        assert_eq!(diagnosis.cause, "ack-range-missing");
        assert!(diagnosis.answerable.unwrap().starts_with("the server"));
        let mended = format!("{text}> FRAGMENT 10-19/20\n< 200\n");
        assert_eq!(severity("ack-range-missing", &mended), Some(Note));
        let lost = text.replace("< 416\n", "< 416 error=0x8020001F context=0x5\n");
        assert_eq!(severity("ack-range-missing", &lost), None);
    }
}
