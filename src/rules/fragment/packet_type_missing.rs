//! The rule `packet-type-missing`.

use crate::model::{Exchange, Outcome, Response, Session, replaced};
use crate::rules::stripped::Stripped;
use crate::rules::{
    Around, Confidence, Notes, Severity, course, cut, front, look, page, slip, wording,
};
use crate::stream::Side;

rule! {
    /// A packet of the protocol without the right BITS-Packet-Type.
    ///
    /// Either the request does not say what it is, or an answer in the middle of a session does not say that it is
    /// from BITS: something on the way takes headers away, or answers itself. Where an answer names another type than
    /// Ack, its server does.
    ///
    /// ```fires
    /// > CREATE-SESSION
    ///   BITS-Packet-Type:
    /// < 400 error=0x80070057 context=0x5
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200 plain
    ///   Server: portal
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    ///   BITS-Packet-Type:
    ///   Server: Microsoft-IIS/10.0
    /// ! client closes
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    ///   BITS-Packet-Type: Acknowledge
    /// ```
    /// A proxy took it away:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200 plain
    ///   Server: Microsoft-IIS/10.0
    ///   Via: 1.1 filter.corp.test
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 502 plain
    /// ```
    /// The client had left amid its request, and heard nothing of this:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/20000 sent=4000
    /// ! client closes
    /// < 200 plain
    /// ```
    ///
    /// Answerable: the client, or a proxy that takes headers away
    /// Advice: Let client and server send BITS-Packet-Type with every message; exempt the path from proxies that filter headers.
    /// Confirm: A capture on the other side of the proxy: whether the header is there.
    /// Reference: [MC-BUP] 2.2.1.2
    Error, belief 88, needs Anything, Around
}

fn check(session: &Session, around: &Around<'_>, notes: &mut Notes<'_>) {
    let whole = |exchange: &&Exchange| look::is_whole(session, exchange);
    let replaced = replaced::since(&session.exchanges);
    for exchange in session.exchanges.iter().filter(whole) {
        let (Some(request), Some(response)) = (&exchange.request, &exchange.response) else {
            continue;
        };
        if request.packet_type.is_none() {
            let severity = slip::if_refused(session, exchange, notes.severity(), |earlier| {
                earlier.request.as_ref().is_some_and(|request| request.packet_type.is_none())
            });
            let message = format!("a \"{}\" request without BITS-Packet-Type", request.method);
            notes.note(severity, Confidence::Certain, &[exchange.span()], message);
        } else if let Some((how, advice)) = in_place_of_ack(exchange, response, replaced) {
            let (severity, confidence) = weight(session, exchange, notes.severity());
            let (kind, status) = (&exchange.kind, response.http_status);
            let who = front::answerer(session, exchange);
            let message =
                format!("{kind} was answered {status} {how}, without BITS-Packet-Type, by {who}");
            if let Some(finding) = notes.note(severity, confidence, &[exchange.span()], message) {
                finding.turn_to("whoever answered, or the server behind it").advise(advice);
                finding.confirm_by(OF_FILE);
            }
        } else if is_unmarked(session, exchange, response)
            && Stripped::of(session, exchange, around).is_none()
            && cut::cut_off(session, exchange).is_none()
        {
            tell_unmarked(session, exchange, response, notes);
        }
    }
}

/// Notes an answer that names no type, or another than Ack.
fn tell_unmarked(
    session: &Session,
    exchange: &Exchange,
    response: &Response,
    notes: &mut Notes<'_>,
) {
    let (severity, confidence) = weight(session, exchange, notes.severity());
    let named = response.packet_type.as_deref();
    let how = named.map_or_else(
        || "without BITS-Packet-Type".to_owned(),
        |named| format!("with BITS-Packet-Type \"{named}\" instead of Ack"),
    );
    let message = format!(
        "{} was answered {} {how} by {}",
        exchange.kind,
        response.http_status,
        front::answerer(session, exchange)
    );
    let finding = notes.note(severity, confidence, &[exchange.span()], message);
    match (finding, named) {
        (Some(finding), None) => {
            finding.turn_to("the server, or a proxy that takes headers away");
        }
        (Some(finding), Some(_)) => {
            finding.turn_to("the server").advise(OF_ANSWER).confirm_by(BESIDE_SERVER);
        }
        (None, _) => {}
    }
}

/// What to do where an answer names another type than Ack.
const OF_ANSWER: &str =
    "Mend the server: BITS-Packet-Type is Ack in all that it answers ([MC-BUP] 2.2.1.2).";
const BESIDE_SERVER: &str = "A capture beside the server: what the field holds there.";

/// Whether an answer with fields of the protocol, or inside a session, does not say that it is an Ack; other answers to
/// a first packet have rules of their own.
fn is_unmarked(session: &Session, exchange: &Exchange, response: &Response) -> bool {
    let known = || front::acknowledged(session, exchange).is_some() && !page::is_page(response);
    let within = session.id.is_some() && (!exchange.kind.precedes_session() || known());
    let bears = response.accepts() || look::bears_bits(response);
    response.is_success() && !response.is_ack() && (within || bears)
}

/// What it is worth. A server that never says so is home-made, unless its client had enough of that; one that usually does
/// was not asked. A session that comes to nothing upon it was not opened for the client.
fn weight(session: &Session, exchange: &Exchange, own: Severity) -> (Severity, Confidence) {
    let usual = session.acked().is_some();
    let done = session.outcome.is_done();
    if usual && session.outcome != Outcome::Completed && !course::is_let_pass(session, exchange) {
        (own, Confidence::Certain)
    } else if session.outcome == Outcome::Rejected {
        (own, Confidence::Likely)
    } else if !usual && !done && is_last_straw(session, exchange) {
        (Severity::Warning, Confidence::Possible)
    } else {
        (Severity::Note, Confidence::Certain)
    }
}

/// What shows that an answer stands for none of the server that has the session, and what to do about it; `replaced` is
/// the first frame of the first such page.
fn in_place_of_ack(
    exchange: &Exchange,
    response: &Response,
    replaced: Option<u64>,
) -> Option<(String, &'static str)> {
    if response.is_success() && exchange.is_answered_short() {
        let come = exchange.request.as_ref().map_or(0, |request| request.bytes_in_time());
        let come = wording::counted(come, "byte");
        return Some((format!("when {come} of it had come, and no more was taken"), OF_HASTE));
    }
    let behind = replaced.is_some_and(|since| exchange.span().first.frame >= since);
    let is_page = behind && replaced::is_page(response);
    is_page.then(|| ("with a page in place of an Ack".to_owned(), OF_PAGE))
}

const OF_HASTE: &str = "Raise the time that the web server gives a request to come (in Go, ReadTimeout), and see why its bytes came slowly: a Fragment of which it read a part is not stored, whatever the status.";
const OF_PAGE: &str = "Look for the error behind it in the log of what answered, and let that pass errors on with their status (in nginx, error_page without =200): the client takes a success for stored bytes.";
const OF_FILE: &str = "The server's log and the file there: whether it has these Fragments.";

/// Whether the client closed the connection upon an answer, with more of the file to come, and did not come back.
fn is_last_straw(session: &Session, exchange: &Exchange) -> bool {
    let closed = session.connection(exchange.connection).and_then(look::first_fin);
    closed.is_some_and(|(side, _)| side == Side::Client)
        && !look::is_final(exchange)
        && course::after(session, exchange).next().is_none()
}

#[cfg(test)]
mod tests {
    use crate::model::Outcome;
    use crate::model::negotiation::Verdict;
    use crate::rules::Severity::{self, Note, Warning};
    use crate::rules::tests::{diagnosed, fired, report};

    /// What the rule makes of a server that never sets the field, with `rest` behind its first answers.
    fn severity(rest: &str) -> Severity {
        let unmarked = "< 200 session=1\n  BITS-Packet-Type:\n> FRAGMENT 0-9/20\n\
                        < 200 received=10\n  BITS-Packet-Type:\n";
        let findings = fired(&format!("> CREATE-SESSION\n{unmarked}{rest}"));
        let found = findings.iter().find(|(rule, _)| rule == "packet-type-missing");
        found.map(|(_, severity)| *severity).unwrap()
    }

    #[test]
    fn a_client_that_closes_upon_such_an_answer_may_mind() {
        assert_eq!(severity("! client closes"), Warning);
        assert_eq!(severity(""), Note);
        assert_eq!(severity("> FRAGMENT 10-19/20\n< 200\n> CLOSE-SESSION\n< 200"), Note);
    }

    #[test]
    fn what_answers_in_place_of_the_server_is_asked_for_its_error() {
        let advice = |rest: &str| {
            let first = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9999/30000\n< 200\n";
            let diagnosis = diagnosed(&format!("{first}> FRAGMENT 10000-19999/30000{rest}"));
            assert_eq!(diagnosis.cause, "packet-type-missing");
            diagnosis.advice.unwrap()
        };
        let closed = "! server closes\n! client sends 2000\n! server resets\n";
        let short = advice(&format!(" sent=4000\n... 1 s\n< 200 plain\n{closed}"));
        assert!(short.contains("ReadTimeout"), "{short}");
        let page = advice("\n< 200 plain\n  | maintenance\n");
        assert!(page.contains("error_page"), "{page}");
        assert!(advice("\n< 200 plain\n").contains("exempt the path"));
    }

    #[test]
    fn a_server_that_did_not_mind_refuses_for_another_reason() {
        let nameless = |range: &str| {
            format!("> FRAGMENT {range}/20\n  BITS-Packet-Type:\n  BITS-Session-Id: 1\n")
        };
        let (first, last) = (nameless("0-9"), nameless("10-19"));
        let lost = "< 500 error=0x8020001F context=0x5\n";
        let opened = format!("> CREATE-SESSION\n< 200 session=1\n{first}< 200 received=10\n");
        let diagnosis = diagnosed(&format!("{opened}{last}{lost}"));
        assert_eq!(diagnosis.cause, "session-not-found-same-connection");
    }

    #[test]
    fn a_server_that_names_another_type_than_ack_is_bits_all_the_same() {
        let named = "< 200 session=1\n  BITS-Packet-Type: Acknowledge\n> FRAGMENT 0-9/10\n\
                     < 200\n  BITS-Packet-Type: Fragment\n> CLOSE-SESSION\n< 200\n";
        let ping = "> PING\n< 200\n  BITS-Packet-Type: Acknowledge\n";
        let session = report(&format!("{ping}> CREATE-SESSION\n{named}")).sessions.remove(0);
        assert_eq!((session.outcome, &session.diagnosis), (Outcome::Completed, &None));
        let verdict = session.negotiation.map(|negotiation| negotiation.verdict);
        assert_eq!(verdict, Some(Verdict::Agreed));
        let told: Vec<_> =
            session.findings.iter().filter(|one| one.rule == "packet-type-missing").collect();
        assert_eq!(told.len(), 3);
        assert!(told.iter().all(|one| one.message.contains("instead of Ack")), "{told:?}");
        assert!(told.iter().all(|one| one.answerable.as_deref() == Some("the server")));
    }

    #[test]
    fn a_create_without_its_type_is_rejected() {
        let text = "> CREATE-SESSION\n  BITS-Packet-Type:\n< 400 error=0x80070057 context=0x5\n";
        let session = report(text).sessions.remove(0);
        let offers = session.negotiation.map(|negotiation| negotiation.offered.len());
        assert_eq!((session.outcome, session.joined, offers), (Outcome::Rejected, false, Some(1)));
    }

    #[test]
    fn a_request_without_any_field_of_the_protocol_had_no_session() {
        let session = report("> PING\n  BITS-Packet-Type:\n< 400\n").sessions.remove(0);
        assert_eq!((session.outcome, session.joined), (Outcome::Rejected, false));
        let other = report("> FRAGMENT 0-9/20 session=1\n  BITS-Packet-Type:\n< 400\n");
        assert_eq!((other.sessions[0].outcome, other.sessions[0].joined), (Outcome::Failed, true));
    }
}
