//! The rule `session-id-missing`.

use crate::bits::PacketType;
use crate::bits::hresult::{self, INVALID_ARGUMENT};
use crate::bits::protocol::canonical_id;
use crate::model::{Exchange, Outcome, Response, Session};
use crate::rules::{Confidence, Notes, Severity, course, look, lost};

rule! {
    /// A session id is missing.
    ///
    /// The Ack for Create-Session is the one answer that must carry BITS-Session-Id: all that follows refers to it. Later
    /// answers of Windows servers leave it out. Of the requests, every Fragment, Close-Session and Cancel-Session must name
    /// the session. Where the server did not mind, this is only a remark.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10 session=
    /// < 500 error=0x8020001F context=0x5
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200
    /// > CLOSE-SESSION session=
    /// < 200
    /// ```
    /// A Ping names none:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > PING session=
    /// < 200
    /// ```
    ///
    /// Answerable: the server
    /// Advice: Let the server send BITS-Session-Id; if it does, find the proxy that takes the header away.
    /// Client: 0x8020001B
    /// Confirm: A capture beside the server shows whether the header leaves it.
    /// Reference: [MC-BUP] 2.2.3.2
    Error, belief 82, needs WholeExchange, Exchange
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(ack) = exchange.response.as_ref().filter(|_| look::creates(exchange)) else {
        return of_request(session, exchange, notes);
    };
    if ack.session_id.as_deref().is_some_and(|id| !canonical_id(id).is_empty()) {
        return;
    }
    let harmless = session.outcome == Outcome::Completed;
    let severity = if harmless { Severity::Note } else { notes.severity() };
    let message =
        format!("Create-Session was answered {} without BITS-Session-Id", ack.http_status);
    notes.note(severity, Confidence::Certain, &[exchange.span()], message);
}

/// Notes a request that names no session and was refused for it, and the first one that was not.
fn of_request(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(answer) = exchange.response.as_ref().filter(|answer| answer.is_ack()) else { return };
    let taken = answer.is_success().then_some(Confidence::Certain);
    let refused = || look::refusal(exchange).and_then(|_| blames_id(session, exchange, answer));
    let Some(confidence) = taken.or_else(refused) else { return };
    if !lost::is_nameless(session, exchange) || course::is_over_before(session, exchange) {
        return;
    }
    let severity = match exchange.kind {
        _ if answer.is_success() => Severity::Note,
        // The client has done with it.
        PacketType::CancelSession => Severity::Warning,
        // A Close before it may have worked.
        _ if session.outcome == Outcome::Completed => Severity::Note,
        _ => course::unless_recovered(session, exchange, notes.severity()),
    };
    let status = answer.http_status;
    let message = format!("{} without BITS-Session-Id was answered {status}", exchange.kind);
    if let Some(finding) = notes.note(severity, confidence, &[exchange.span()], message) {
        finding
            .turn_to("the client, or a proxy that takes headers away")
            .advise(OF_REQUEST)
            .confirm_by("A capture beside the client shows whether the header leaves it.");
        finding.reference = Some("[MC-BUP] 2.2.1.2".into());
        let of_status = look::refused(exchange).then(|| hresult::of_status(status));
        finding.client_code = answer.error_value().or(of_status);
    }
}

/// What to do where a request does not name its session.
const OF_REQUEST: &str = "Let the client send BITS-Session-Id with every Fragment, Close-Session and Cancel-Session; if it does, find the proxy that takes the header away.";

/// How sure it is that an answer refuses a request for want of an id.
fn blames_id(session: &Session, exchange: &Exchange, answer: &Response) -> Option<Confidence> {
    let invalid = answer.error_value().is_none_or(|code| code == INVALID_ARGUMENT);
    match answer.http_status {
        _ if exchange.says_lost() => Some(Confidence::Certain),
        400 if invalid && is_in_order(session, exchange) => Some(Confidence::Likely),
        _ => None,
    }
}

/// Whether nothing else of a request is wrong.
fn is_in_order(session: &Session, exchange: &Exchange) -> bool {
    look::range_agrees(session, exchange).unwrap_or_else(|| {
        let length = exchange.content_length();
        exchange.kind != PacketType::Fragment && length == Some(0)
    })
}

#[cfg(test)]
mod tests {
    use crate::rules::Severity::{Note, Warning};
    use crate::rules::tests::{diagnosed, fired, severity};

    const OPENED: &str = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< 200\n";

    #[test]
    fn who_does_not_name_the_session_is_why_it_is_unknown() {
        let said = |rest: &str| diagnosed(&format!("{OPENED}{rest}"));
        let close = said("> CLOSE-SESSION session=\n< 500 error=0x8020001F context=0x5\n");
        assert_eq!(close.cause, "session-id-missing");
        assert_eq!(close.client_error.as_deref(), Some("0x8020001F"));
        assert!(close.answerable.unwrap().starts_with("the client"));
        assert!(!close.contributing.iter().any(|rule| rule.contains("same-connection")));
        let fragment = said("> FRAGMENT 10-19/20 session=\n< 400 error=0x80070057 context=0x5\n");
        assert_eq!(fragment.cause, "session-id-missing");
        let grown = said("> FRAGMENT 10-29/30 session=\n< 400 error=0x80070057 context=0x5\n");
        assert_eq!(grown.cause, "total-length-changed");
    }

    #[test]
    fn a_server_that_does_without_makes_it_one_note() {
        let first = "> FRAGMENT 10-19/30 session=\n< 200\n";
        let last = "> FRAGMENT 20-29/30 session=\n< 500 error=0x8020001F context=0x5\n";
        let text = format!("{OPENED}{first}{last}").replace("0-9/20", "0-9/30");
        let own: Vec<_> =
            fired(&text).into_iter().filter(|(rule, _)| rule == "session-id-missing").collect();
        assert_eq!(own, [("session-id-missing".to_owned(), Note)]);
        assert_eq!(diagnosed(&text).cause, "session-not-found-same-connection");
    }

    #[test]
    fn a_session_that_was_lost_before_is_not_lost_for_want_of_its_id() {
        let lost = "> FRAGMENT 10-19/20\n< 500 error=0x8020001F context=0x5\n";
        let close = "> CLOSE-SESSION session=\n< 500 error=0x8020001F context=0x5\n";
        let told = diagnosed(&format!("{OPENED}{lost}{close}"));
        assert!(told.cause.starts_with("session-not-found"), "{}", told.cause);
    }

    #[test]
    fn a_cancel_that_names_nothing_leaves_the_session_at_the_server() {
        let text = "> CANCEL-SESSION session=\n< 500 error=0x8020001F context=0x5\n";
        assert_eq!(severity("session-id-missing", &format!("{OPENED}{text}")), Some(Warning));
    }
}
