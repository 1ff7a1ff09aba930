//! The rule `total-length-changed`.

use crate::model::{Exchange, Session};
use crate::rules::{Confidence, Notes, Severity, course, look, slip, wording};

rule! {
    /// The length of the file changes within the session.
    ///
    /// The source grew while it was sent, as a log does, or two jobs were mixed. The server refuses it.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200
    /// > FRAGMENT 10-19/30
    /// < 400 error=0x80070057 context=0x5
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200
    /// > FRAGMENT 10-19/20
    /// < 200
    /// ```
    ///
    /// Answerable: the client
    /// Advice: Upload a closed copy that nobody writes to.
    /// Confirm: The time of the last change of the source file; 0x8020001D in the client's BITS log.
    /// Reference: [MC-BUP] 2.2.1.2
    Error, belief 75, needs Anything, Exchange
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let range = look::range(exchange);
    let (Some(total), Some(first)) = (range.and_then(|range| range.total), session.bytes_total)
    else {
        return;
    };
    if total != first && !course::is_over_before(session, exchange) {
        let message = format!(
            "the Fragment says that the file has {}, the first one said {first}",
            wording::counted(total, "byte")
        );
        // A server that refuses it for another reason says which.
        let otherwise = slip::is_refused_otherwise(exchange);
        let severity = if otherwise { Severity::Note } else { notes.severity() };
        notes.note(severity, Confidence::Certain, &[exchange.span()], message);
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::Severity::{Error, Note};
    use crate::rules::tests::{report, severity};

    #[test]
    fn what_the_server_says_of_another_reason_is_the_cause() {
        let text = |answer: &str| {
            format!(
                "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< 200\n\
                 > FRAGMENT 10-19/30\n< {answer}\n"
            )
        };
        let lost = text("500 error=0x8020001F context=0x5");
        assert_eq!(severity("total-length-changed", &lost), Some(Note));
        let cause = report(&lost).sessions[0].diagnosis.as_ref().unwrap().cause.clone();
        assert_eq!(cause, "session-not-found-same-connection");
        for minded in ["400 error=0x80070057 context=0x5", "400 error=0 context=0x5", "200"] {
            assert_eq!(severity("total-length-changed", &text(minded)), Some(Error), "{minded}");
        }
    }
}
