//! The rule `fragment-gap`.

use crate::bits::fields::ContentRange;
use crate::model::{Exchange, Outcome, Response, Session};
use crate::rules::{Confidence, Notes, Severity, course, look, offsets};
use crate::stream::Connection;

rule! {
    /// A Fragment starts behind the byte that the server wants next.
    ///
    /// Client and server disagree how far the file got: the server lost what it had, the client was restored from a
    /// copy, or another node answers. A 416 is the right answer.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/40
    /// < 200 received=10
    /// > FRAGMENT 20-29/40
    /// < 416 received=10
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/40
    /// < 200 received=9
    /// > FRAGMENT 10-19/40
    /// < 200 received=19
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/40
    /// < 200 received=20
    /// > FRAGMENT 20-29/40
    /// < 200
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 10-19/40
    /// < 200 received=20
    /// > FRAGMENT 30-39/40
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 10-19/40
    /// < 200 received=20
    /// > FRAGMENT 0-9/40
    /// < 200 received=10
    /// > FRAGMENT 30-39/40
    /// < 503 plain
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/30
    /// < 200
    /// > FRAGMENT 20-29/30
    /// < 200
    /// > CLOSE-SESSION
    /// < 200
    /// ```
    /// The capture lacks the start, but not what the server said last:
    /// ```fires
    /// > FRAGMENT 10-19/40 session=1
    /// < 200 received=20
    /// > FRAGMENT 30-39/40
    /// < 416 received=20
    /// ```
    /// ```silent
    /// > FRAGMENT 10-19/40 session=1
    /// < 200 received=20
    /// > FRAGMENT 30-39/40
    /// < 416 received=0
    /// ```
    ///
    /// Answerable: the client, where the server's Acks are steady; else the server
    /// Advice: Let the client start each Fragment at the byte that the last Ack named; see who lost the state. A server should answer any other start by 416.
    /// Reference: [MC-BUP] 3.2.5.2.6
    Error, belief 60, needs Anything, Exchange
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(range) = look::range(exchange) else { return };
    if course::is_over_before(session, exchange) {
        return;
    }
    if let (Some(expected), Some(start)) = (offsets::expected(session, exchange), range.start)
        && start > expected
        && !is_miscounted(session, exchange, start)
        && !may_be_taken(session, exchange)
        && (session.is_whole() || is_said(session, exchange, expected))
    {
        let taken = exchange.response.as_ref().is_some_and(|answer| {
            answer.is_success() && answer.next_offset.is_some_and(|next| Some(next) > range.end)
        });
        if taken && (!is_hole(session, exchange) || session.may_be_beside(start - expected)) {
            // It may have had the bytes by a way that the capture does not show.
            let message =
                format!("the Fragment starts at byte {start} instead of {expected}, and was taken");
            notes.note(Severity::Note, Confidence::Possible, &[exchange.span()], message);
            return;
        }
        // One that was taken leaves a hole in the file, however it goes on.
        let severity = match look::refused(exchange) {
            true => course::unless_overcome(session, exchange, notes.severity()),
            false => notes.severity(),
        };
        if taken {
            let message = format!(
                "the Fragment starts at byte {start}, the server wanted {expected} and took it all the same"
            );
            let finding = notes.note(severity, Confidence::Certain, &[exchange.span()], message);
            if let Some(finding) = finding {
                finding.turn_to(offsets::BOTH);
            }
            return;
        }
        let message = format!("the Fragment starts at byte {start}, the server wants {expected}");
        notes.note(severity, Confidence::Certain, &[exchange.span()], message);
    }
}

/// Whether the server says so itself, as it did before on the same connection, of which the capture lacks nothing: the
/// start of the session does not matter then.
fn is_said(session: &Session, exchange: &Exchange, expected: u64) -> bool {
    let astray =
        |answer: &Response| answer.http_status == 416 && answer.next_offset == Some(expected);
    let whole = session.connection(exchange.connection).is_some_and(Connection::is_whole);
    whole
        && exchange.response.as_ref().is_some_and(astray)
        && offsets::confirmed(session, exchange) == Some((expected, exchange.connection))
}

/// Whether bytes before it never came, though the session went on to its end on the connection that the last ones came on.
fn is_hole(session: &Session, exchange: &Exchange) -> bool {
    let over = matches!(session.outcome, Outcome::Completed | Outcome::Failed);
    let lacks = session.bytes_total.is_some_and(|total| session.bytes_unique < total);
    let before = offsets::confirmed(session, exchange).map(|(_, connection)| connection);
    over && lacks && before.is_none_or(|connection| connection == exchange.connection)
}

/// Whether the server took one that came too early before, and does not ask for another byte now.
fn may_be_taken(session: &Session, exchange: &Exchange) -> bool {
    let astray = exchange.response.as_ref().is_some_and(|answer| answer.http_status == 416);
    !astray && session.takes_any_order_before(exchange.begins())
}

/// Whether the byte between is the last one of the Fragment before, which the server counts as still wanted.
fn is_miscounted(session: &Session, exchange: &Exchange, start: u64) -> bool {
    let mut slips =
        course::ahead(session, exchange).filter(|other| offsets::names_last_byte(other));
    slips.next().and_then(look::range).and_then(ContentRange::behind) == Some(start)
}

#[cfg(test)]
mod tests {
    use crate::rules::Severity::{Error, Warning};
    use crate::rules::tests::{diagnosed, report, severity};

    #[test]
    fn a_client_that_goes_back_makes_it_a_warning() {
        let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/40\n< 200 received=10\n\
             > FRAGMENT 20-39/40\n< 416 received=10\n";
        assert_eq!(severity("fragment-gap", text), Some(Error));
        let mended = format!("{text}> FRAGMENT 10-39/40\n< 200 received=40\n");
        assert_eq!(severity("fragment-gap", &mended), Some(Warning));
        let hole = text.replace("416 received=10", "200") + "> CLOSE-SESSION\n< 200\n";
        assert_eq!(severity("fragment-gap", &hole), Some(Error));
    }

    #[test]
    fn a_server_that_takes_it_has_a_share() {
        let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/40\n< 200 received=10\n\
             > FRAGMENT 20-39/40\n< 200\n> CLOSE-SESSION\n< 200\n";
        let found = report(text).sessions.remove(0).findings;
        let gap = found.iter().find(|finding| finding.rule == "fragment-gap").unwrap();
        assert!(gap.answerable.as_deref().unwrap().contains("the server"));
        // So it has in what came of it.
        assert!(diagnosed(text).answerable.unwrap().contains("the server"));
        let short = text.replace("> FRAGMENT 20-39/40\n< 200\n", "");
        assert_eq!(diagnosed(&short).answerable.as_deref(), Some("the client"));
    }
}
