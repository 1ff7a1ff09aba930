//! The rule `content-range-invalid`.

use crate::bits::PacketType;
use crate::bits::fields::ContentRange;
use crate::model::{Exchange, Session};
use crate::rules::{Confidence, Notes, look, slip};

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

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    if exchange.kind != PacketType::Fragment {
        return;
    }
    let Some(request) = look::whole_request(exchange) else { return };
    let Some(range) = &request.content_range else { return };
    let empty = range.total == Some(0) || request.content_length == Some(0);
    if range.valid || empty {
        return;
    }
    let severity = match is_in_order(range) {
        true => slip::if_refused(session, exchange, notes.severity(), is_odd),
        false => notes.severity(),
    };
    let message = format!("Content-Range is \"{}\"", range.raw());
    notes.note(severity, Confidence::Certain, &[exchange.span()], message);
}

/// Whether only what stands around the numbers is wrong.
fn is_odd(exchange: &Exchange) -> bool {
    look::range(exchange).is_some_and(|range| !range.valid && is_in_order(range))
}

fn is_in_order(range: &ContentRange) -> bool {
    matches!(
        (range.start, range.end, range.total),
        (Some(start), Some(end), Some(total)) if start <= end && end < total
    )
}

#[cfg(test)]
mod tests {
    use crate::rules::Severity::{Error, Note};
    use crate::rules::tests::{diagnosed, fired, severity};

    #[test]
    fn odd_punctuation_is_a_note_where_it_was_accepted() {
        let text = "> CREATE-SESSION\n< 200 session=1\n\
             > FRAGMENT 0-9/20\n  Content-Range: bytes=0-9/20\n< 200";
        assert_eq!(severity("content-range-invalid", text), Some(Note));
    }

    #[test]
    fn what_was_accepted_before_is_not_why_the_next_one_is_refused() {
        let text = |answer: &str| {
            format!(
                "> CREATE-SESSION\n< 200 session=1\n\
                 > FRAGMENT 0-9/20\n  Content-Range: bytes=0-9/20\n< 200 received=10\n\
                 > FRAGMENT 10-19/20\n  Content-Range: bytes=10-19/20\n< {answer}\n"
            )
        };
        let lost = text("500 error=0x8020001F context=0x5");
        assert_eq!(diagnosed(&lost).cause, "session-not-found-same-connection");
        for answer in ["503 plain", "400 error=0x80070057 context=0x5"] {
            let odd = ("content-range-invalid".to_owned(), Error);
            assert!(!fired(&text(answer)).contains(&odd), "{answer}");
        }
    }

    #[test]
    fn odd_punctuation_is_an_error_where_it_is_refused_at_once() {
        let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n  \
             Content-Range: bytes=0-9/20\n< 400 error=0x80070057 context=0x5";
        assert_eq!(severity("content-range-invalid", text), Some(Error));
        let gateway = text.replace("400 error=0x80070057 context=0x5", "502 plain");
        assert_eq!(severity("content-range-invalid", &gateway), Some(Note));
    }
}
