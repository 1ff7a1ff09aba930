//! The rule `message-after-close`.

use crate::bits::PacketType;
use crate::model::{Exchange, Session};
use crate::rules::{Confidence, Notes, course, look};
use crate::stream::Connection;

rule! {
    /// A packet for a session that was closed.
    ///
    /// An error is the right answer to it: a server forgets the id of a session that is closed, and knows it no more.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200
    /// > CLOSE-SESSION
    /// < 200
    /// > FRAGMENT 0-9/10
    /// < 500 error=0x8020001F context=0x5
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200
    /// > CLOSE-SESSION
    /// < 200
    /// > CLOSE-SESSION
    /// < 500 error=0x8020001F context=0x5
    /// ```
    /// Another upload may have the same id:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200
    /// > CLOSE-SESSION
    /// < 200
    /// = connection
    /// > CLOSE-SESSION
    /// < 200
    /// ```
    /// A Close-Session that is repeated because its answer did not arrive is a retry:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200
    /// > CLOSE-SESSION
    /// < 200 dropped
    /// ... 5 s
    /// = connection
    /// > CLOSE-SESSION
    /// < 500 error=0x8020001F context=0x5
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200
    /// > CLOSE-SESSION
    /// < 200
    /// > CANCEL-SESSION
    /// < 200
    /// ```
    /// The capture may lack a Create-Session that was answered with the same id:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200
    /// > CLOSE-SESSION
    /// < 200
    /// > CREATE-SESSION lost
    /// < 200 session=1 lost
    /// > FRAGMENT 0-9/10 session=1
    /// < 200
    /// ```
    ///
    /// Answerable: the client
    /// Advice: Mend the client, or look for what repeats its requests.
    /// Reference: [MC-BUP] 3.2.5.2.7
    Warning, belief 10, needs Anything, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    for exchange in &session.exchanges {
        let other = !matches!(
            exchange.kind,
            PacketType::Ping | PacketType::CloseSession | PacketType::CancelSession
        );
        let late = other && course::is_over_before(session, exchange)
            || closed(session, exchange).is_some_and(|done| repeats(exchange, done));
        if late && exchange.request.is_some() && !may_be_anothers(session, exchange) {
            let message = format!("{} after the session was over", exchange.kind);
            if exchange.succeeded() && look::is_by_bits(exchange) {
                let message = format!("{message}, and the server took it");
                let finding =
                    notes.note(notes.severity(), Confidence::Certain, &[exchange.span()], message);
                if let Some(finding) = finding {
                    finding.turn_to(BOTH).advise(REFUSE);
                }
            } else {
                notes.add(exchange.span(), message);
            }
        }
    }
}

/// Who can do something about a packet that the server took: it knows no such session any more ([MC-BUP] 3.2.5.2.3).
const BOTH: &str = "the client, and the server, which should refuse it";

const REFUSE: &str = "Mend the client, or look for what repeats its requests; let the server answer 500 with 0x8020001F to a session that is over.";

/// The Close that had ended the session of another one, or of a Cancel.
fn closed<'a>(session: &'a Session, exchange: &Exchange) -> Option<&'a Exchange> {
    let ends = matches!(exchange.kind, PacketType::CloseSession | PacketType::CancelSession);
    course::closed_before(session, exchange).filter(|_| ends)
}

/// Whether a packet that the server took may be of a session with the same id whose start the capture lacks, or any may
/// be older than the Close.
fn may_be_anothers(session: &Session, exchange: &Exchange) -> bool {
    let lossy = |connection: &Connection| connection.lost_by_capture() > 0;
    exchange.succeeded() && session.connections().any(lossy)
        || may_be_older(session, exchange)
        || is_stored_ahead(session, exchange)
}

/// Whether a packet is the first of a connection that was not seen to begin: what was sent there before may come again.
fn may_be_older(session: &Session, exchange: &Exchange) -> bool {
    let connection = session.connection(exchange.connection);
    let first = session.on(exchange.connection).next();
    connection.is_some_and(|one| one.midstream)
        && first.is_some_and(|first| first.span() == exchange.span())
}

/// Whether a packet without an answer is stored ahead of the Close: the order of the answers alone puts it behind.
fn is_stored_ahead(session: &Session, exchange: &Exchange) -> bool {
    let asked = |one: &Exchange| one.request.as_ref().map(|request| request.span.first.frame);
    let close = session.first_success(&PacketType::CloseSession).and_then(asked);
    exchange.response.is_none() && close.is_some_and(|close| asked(exchange) < Some(close))
}

/// Whether a Close or Cancel is for the session that was closed before: on another connection, a success may be for
/// another upload with the same id.
fn repeats(exchange: &Exchange, done: &Exchange) -> bool {
    exchange.connection == done.connection || !exchange.succeeded()
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::{diagnosed, severity};
    use crate::transcript;

    #[test]
    fn a_server_that_takes_it_has_a_share() {
        let told = |answer: &str| {
            diagnosed(&format!(
                "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/10\n< 200\n> CLOSE-SESSION\n< 200\n\
                 > FRAGMENT 0-9/10\n< {answer}\n"
            ))
        };
        let refused = told("500 error=0x8020001F context=0x5");
        assert_eq!(refused.answerable.as_deref(), Some("the client"));
        let taken = told("200");
        assert!(taken.answerable.unwrap().contains("the server"), "{}", taken.summary);
        assert!(taken.summary.contains("the server took it"), "{}", taken.summary);
    }

    #[test]
    fn a_page_in_place_of_the_ack_closes_nothing() {
        let again = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/10\n< 200\n> CLOSE-SESSION\n< 200 plain\n\
                     > CLOSE-SESSION\n< 200\n";
        assert_eq!(severity("message-after-close", again), None);
    }

    #[test]
    fn what_a_connection_from_before_brings_first_may_be_a_repeat() {
        let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/10\n< 200\n> CLOSE-SESSION\n< 200\n\
                    = connection\n> FRAGMENT 0-9/10\n";
        let late = |records: &[transcript::Record]| {
            let session = transcript::analyse(records, &mut ()).sessions.remove(0);
            session.findings.iter().any(|finding| finding.rule == "message-after-close")
        };
        let mut records = transcript::play(text).unwrap();
        assert!(late(&records));
        let starts = |record: &transcript::Record| record.data.get(47).is_some_and(|it| it & 2 > 0);
        records.retain(|record| !starts(record) || record.at.frame < 5);
        assert!(!late(&records));
    }

    #[test]
    fn a_close_is_over_no_sooner_than_it_was_sent_whatever_clock_its_answer_has() {
        let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/10\n! client resets\n= connection\n\
                    > FRAGMENT 0-9/10\n< 200\n> CLOSE-SESSION\n< 200\n";
        let by_server = |frame: &[u8]| frame.get(26..30) == Some(&[192, 0, 2, 80]);
        let records = transcript::delayed(text, -3_000_000_000, by_server);
        let session = transcript::analyse(&records, &mut ()).sessions.remove(0);
        assert_eq!(session.exchanges.len(), 4);
        let late = |rule: &str| session.findings.iter().any(|finding| finding.rule == rule);
        assert!(!late("message-after-close"), "{:?}", session.findings);
    }

    #[test]
    fn a_packet_that_stands_ahead_of_the_close_did_not_come_behind_it() {
        let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/10\n< 200\n> CLOSE-SESSION\n< 200\n\
                    > FRAGMENT 0-9/10\n";
        let records = transcript::play(text).unwrap();
        let mut session = transcript::analyse(&records, &mut ()).sessions.remove(0);
        assert!(!super::is_stored_ahead(&session, &session.exchanges[3]));
        session.exchanges[3].request.as_mut().unwrap().span.first.frame = 1;
        assert!(super::is_stored_ahead(&session, &session.exchanges[3]));
    }
}
