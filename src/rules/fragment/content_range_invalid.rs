//! The rule `content-range-invalid`.

use crate::bits::PacketType;
use crate::model::{Exchange, Session};
use crate::rules::{Confidence, Notes, Severity, look};

rule! {
    /// A Content-Range that cannot be right.
    ///
    /// It is not of the form `bytes first-last/total`, or its numbers are out of order. Odd punctuation around
    /// numbers that make sense is only a remark.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 9-0/20
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
    /// Answerable: the client
    /// Advice: Let the client write `Content-Range: bytes first-last/total` with first <= last < total.
    /// Reference: [MC-BUP] 2.2.1.2
    Error, belief 75, needs Anything, Exchange
}

fn check(_: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    if exchange.kind != PacketType::Fragment {
        return;
    }
    let Some(request) = look::whole_request(exchange) else { return };
    let Some(range) = &request.content_range else { return };
    let empty = range.total == Some(0) || request.content_length == Some(0);
    if range.valid || empty {
        return;
    }
    let in_order = matches!(
        (range.start, range.end, range.total),
        (Some(start), Some(end), Some(total)) if start <= end && end < total
    );
    let odd = in_order && !look::refused(exchange);
    let severity = if odd { Severity::Note } else { notes.severity() };
    let message = format!("Content-Range is \"{}\"", range.raw());
    notes.note(severity, Confidence::Certain, &[exchange.span()], message);
}

#[cfg(test)]
mod tests {
    use crate::rules::Severity::Note;
    use crate::rules::tests::severity;

    #[test]
    fn odd_punctuation_is_a_note_where_it_was_accepted() {
        let text = "> CREATE-SESSION\n< 200 session=1\n\
             > FRAGMENT 0-9/20\n  Content-Range: bytes=0-9/20\n< 200";
        assert_eq!(severity("content-range-invalid", text), Some(Note));
    }
}
