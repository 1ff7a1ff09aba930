//! The rule `close-without-final-fragment`.

use crate::bits::PacketType;
use crate::model::ranges::Ranges;
use crate::model::{Exchange, Qualifier, Response, Session};
use crate::rules::{Confidence, Notes, course, look, offsets, wording};

rule! {
    /// The session was closed before every byte was there.
    ///
    /// The server deletes what it has.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200
    /// > CLOSE-SESSION
    /// < 200
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1 lost
    /// > FRAGMENT 0-9/20
    /// < 200
    /// > CLOSE-SESSION
    /// < 200
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200
    /// > FRAGMENT 10-19/20 lost
    /// < 200 lost
    /// > CLOSE-SESSION
    /// < 200
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-19/20
    /// < 200
    /// > CLOSE-SESSION
    /// < 200
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-99/300
    /// < 200
    /// > FRAGMENT 200-299/300
    /// < 200
    /// > CLOSE-SESSION
    /// < 200
    /// ```
    ///
    /// Answerable: the client
    /// Advice: Let the client send the rest before it closes; find out who completed the job early.
    /// Confirm: The length of the file on the server, if there is one.
    /// Reference: [MC-BUP] 2.2.8
    Error, belief 73, needs Anything, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    let Some(total) = session.bytes_total else { return };
    let close = session.exchanges.iter().rev().find(|e| e.kind == PacketType::CloseSession);
    // The last byte was sent, and the server counts it as still wanted.
    let miscounted = session.bytes_acknowledged.checked_add(1) == Some(total)
        && session.exchanges.iter().any(|one| look::is_final(one) && offsets::names_last_byte(one));
    if session.is(Qualifier::ClosedShort)
        && !miscounted
        && let Some(close) = close
    {
        let hole = unconfirmed(session, total).filter(|_| session.bytes_acknowledged == total);
        let message = match hole {
            Some((from, to)) => {
                format!("closed though no answer confirmed the bytes {from} to {}", to - 1)
            }
            None => {
                let total = wording::counted(total, "byte");
                format!("closed with {} of {total} acknowledged", session.bytes_acknowledged)
            }
        };
        // A Fragment may be among what the capture lacks, though nothing is missing where it would have come, or may have
        // gone to another node of a farm; one surely is where the server has more than was seen to be sent.
        let seen = session.is_whole()
            && is_on_same_connection(session, close)
            && session.bytes_unique >= session.bytes_acknowledged;
        let sure = if seen { Confidence::Certain } else { Confidence::Likely };
        let finding = notes.note(notes.severity(), sure, &[close.span()], message);
        if let Some(finding) = finding.filter(|_| hole.is_some() && session.is_whole()) {
            finding.turn_to(offsets::BOTH);
        }
    }
}

/// Whether the last Fragment before it came on the same connection.
fn is_on_same_connection(session: &Session, close: &Exchange) -> bool {
    let last = course::ahead(session, close).find(|one| one.kind == PacketType::Fragment);
    last.is_none_or(|last| last.connection == close.connection)
}

/// The first bytes that no Fragment brought which was taken.
fn unconfirmed(session: &Session, total: u64) -> Option<(u64, u64)> {
    let taken = session.exchanges.iter().filter(|one| one.kind == PacketType::Fragment);
    let taken = taken.filter(|one| one.response.as_ref().is_some_and(Response::is_success));
    let mut ranges = Ranges::default();
    taken.filter_map(Exchange::bounds).for_each(|(start, end)| ranges.add(start, end));
    ranges.missing(total).iter().next()
}

#[cfg(test)]
mod tests {
    use crate::model::Outcome;
    use crate::rules::Confidence;
    use crate::rules::tests::{diagnosed, report};

    #[test]
    fn what_the_other_side_of_a_proxy_saw_confirmed_the_server_has() {
        let id = "session={11111111-2222-3333-4444-555555555555}";
        let leg = |last: &str| {
            format!(
                "> CREATE-SESSION\n< 200 {id}\n> FRAGMENT 0-9/20\n< 200\n{last}> CLOSE-SESSION\n< 200\n"
            )
        };
        let (whole, short) = (leg("> FRAGMENT 10-19/20\n< 200\n... 3 s\n"), leg("... 1 s\n"));
        let outcomes = |front: &str| {
            let behind = "... -2 s\n= client 10.0.9.1\n= server 10.0.9.80:80\n";
            let sessions = report(&format!("{front}{behind}{short}")).sessions;
            sessions.iter().map(|session| session.outcome).collect::<Vec<_>>()
        };
        assert_eq!(outcomes(&whole), [Outcome::Completed; 2]);
        assert_eq!(outcomes(&short), [Outcome::Failed; 2]);
    }

    #[test]
    fn where_the_server_has_what_was_not_seen_to_be_sent_more_can_be_missing() {
        let sure = |first: &str| {
            let text = format!(
                "> CREATE-SESSION\n< 200 session=1\n{first}> FRAGMENT 10-19/30\n< 200 received=20\n> CLOSE-SESSION\n< 200\n"
            );
            diagnosed(&text).confidence
        };
        assert_eq!(sure("> FRAGMENT 0-9/30\n< 200\n"), Confidence::Certain);
        assert_eq!(sure(""), Confidence::Likely);
    }
}
