//! The rule `server-error-unspecified`.

use crate::bits::hresult::{self, INVALID_ARGUMENT, MISPRINTED};
use crate::model::{Exchange, Response, Session};
use crate::rules::diagnosis::Explained;
use crate::rules::origin::Origin;
use crate::rules::{
    Confidence, Notes, Severity, course, cut, filtering, front, look, offsets, page, remedies,
    slip, wording,
};

rule! {
    /// A packet was answered with an error, and nothing else tells why.
    ///
    /// The error code is missing, zero, or means nothing, or it means something that no other rule knows a reason for.
    /// Where a new connection came before it, the server may have bound the session to the old one.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 500
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 500 error=0x80070020 context=0x5
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 500 plain
    ///   Server: Microsoft-IIS/10.0
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 404 plain
    ///   Server: Microsoft-IIS/10.0
    ///   | <html><title>IIS 10.0 Detailed Error - 404.10 - Not Found</title>
    /// ```
    /// The answer tells that it was refused, whatever the capture lacks before:
    /// ```fires
    /// > FRAGMENT 10-19/20 session=1
    /// < 500 error=0x80004005 context=0x5
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20 lost
    /// < 500 error=0x80004005 context=0x5
    /// ```
    /// Where it lacks what was asked, that may be at fault, too:
    /// ```fires
    /// > CREATE-SESSION lost
    /// < 501 error=0x80070020 context=0x5
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1 lost
    /// > FRAGMENT 0-9/30
    /// < 200
    /// > FRAGMENT 20-29/30
    /// < 400 error=0x80070057 context=0x5
    /// ```
    /// What is repeated is the reason, not that it is repeated:
    /// ```fires
    /// > CREATE-SESSION
    /// < 500 error=0x80004005 context=0x5
    /// > CREATE-SESSION
    /// < 500 error=0x80004005 context=0x5
    /// > CREATE-SESSION
    /// < 500 error=0x80004005 context=0x5
    /// ```
    /// To a packet of a session that is over, an error is the right answer:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200
    /// > CLOSE-SESSION
    /// < 200
    /// > CLOSE-SESSION
    /// < 500 error=0x1
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-99999/200000 sent=60000 pace=30
    /// < 408 plain
    ///   Server: nginx
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    ///   Server: Microsoft-IIS/10.0
    /// > FRAGMENT 0-9/20
    /// < 405 plain
    ///   Server: nginx/1.22.1
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 10-19/20
    /// < 416 received=0
    /// ```
    /// Something else is missing, the byte to go on from:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 416
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 500 error=0x80070070 context=0x5
    /// ```
    ///
    /// Answerable: the server
    /// Advice: Look into the server's log at this time for an exception or a failed request.
    /// Confirm: The server's log, or, in IIS, a trace of failed requests.
    /// Reference: [MC-BUP] 2.2.1.2
    Error, belief 42, needs Anything, Rest
}

fn check(session: &Session, explained: &Explained, notes: &mut Notes<'_>) {
    for exchange in &session.exchanges {
        let answer = exchange.response.as_ref();
        if let Some(response) = answer.filter(|answer| says_nothing(session, answer)) {
            tell_silent(session, exchange, response, explained, notes);
        } else if answer.is_some_and(|answer| answer.is_ack() && slip::is_invalid_argument(answer))
        {
            tell_taken_back(session, exchange, explained, notes);
        }
    }
    let unexplained =
        session.error.as_ref().filter(|_| !explained.end && session.outcome.is_failure());
    let decisive = unexplained.and_then(|error| {
        let mut answers =
            session.exchanges.iter().filter_map(|one| Some((one, one.response.as_ref()?)));
        answers.find(|(_, answer)| answer.span.first == error.frame.0)
    });
    if let Some((exchange, response)) = decisive
        && !response.is_challenge()
        && !says_nothing(session, response)
        && !may_say_more(response)
    {
        tell_last(session, exchange, response, notes);
    }
}

/// Notes an error without a meaning, unless something explains it.
fn tell_silent(
    session: &Session,
    exchange: &Exchange,
    response: &Response,
    explained: &Explained,
    notes: &mut Notes<'_>,
) {
    // A retry that worked is the way the protocol mends it.
    let severity = course::unless_recovered(session, exchange, notes.severity());
    // Rules about answers in front of BITS take more for a way to mend it.
    let least = course::unless_made_good(session, exchange, severity).min(Severity::Warning);
    // An error is the right answer to a packet of a session that is over, or to half a packet.
    let right =
        course::is_over_before(session, exchange) || cut::cut_off(session, exchange).is_some();
    if right || explained.covers(exchange, least) {
        return;
    }
    let mut message = message(session, exchange, response);
    let early = exchange.request.as_ref().filter(|request| request.lacks_body_in_time());
    if let Some(request) = early {
        let (sent, all) = (request.bytes_in_time(), request.content_length.unwrap_or_default());
        message.push_str(&format!("; {sent} of {} had come", wording::counted(all, "byte")));
    }
    let who = front::origin(session, exchange);
    let unseen = !look::is_whole(session, exchange);
    let sure = if unseen { Confidence::Possible } else { Confidence::Certain };
    let mut finding = notes.note(severity, sure, &[exchange.span()], message);
    if let Some(finding) = finding.as_deref_mut().filter(|_| unseen) {
        remedies::turn_to_both(finding, response);
    } else if let Some(finding) = finding.as_deref_mut().filter(|_| early.is_some()) {
        // What is refused by then is the head, or the size that it announces.
        match response.http_status {
            ..500 => finding.advise(OF_EARLY).confirm_by(SMALLER),
            _ => finding.advise(OF_HALF),
        };
    }
    front::turn(finding.as_deref_mut(), who);
    // A proxy that fails seldom says so with 500, but may put its page over that of the server.
    let either = who == Origin::Proxy && response.http_status == 500;
    if let Some(finding) = finding.filter(|_| either) {
        finding.turn_to("the proxy, or the server behind it");
    }
}

/// Notes a Fragment that was called malformed and then taken as it was: a client is to stop there ([MC-BUP] 3.1.5.2.1).
fn tell_taken_back(
    session: &Session,
    exchange: &Exchange,
    explained: &Explained,
    notes: &mut Notes<'_>,
) {
    let Some(range) = look::range(exchange).filter(|range| range.valid) else { return };
    let mut later = course::after(session, exchange).take(course::LOOKED_AT);
    let again = later.find(|one| look::succeeded_fragment(one) && look::range(one) == Some(range));
    let whole = look::is_whole(session, exchange);
    let Some(again) = again.filter(|_| whole && !explained.covers(exchange, Severity::Note)) else {
        return;
    };
    let message = format!(
        "a Fragment was called malformed (400 with {}); the client went on, and the same bytes were taken",
        hresult::hex(INVALID_ARGUMENT)
    );
    notes.note(Severity::Note, Confidence::Certain, &[exchange.span(), again.span()], message);
}

/// Notes the error that the session ended on, where it means something and no other rule knows a reason for it.
fn tell_last(session: &Session, exchange: &Exchange, response: &Response, notes: &mut Notes<'_>) {
    let (severity, message) = (notes.severity(), message(session, exchange, response));
    // What the capture lacks beside it may explain it.
    let whole = session.is_whole();
    let confidence = if whole { Confidence::Likely } else { Confidence::Possible };
    let mut finding = notes.note(severity, confidence, &[exchange.span()], message);
    let unseen = !tells_enough(session, exchange, response);
    if let Some(finding) = finding.as_deref_mut().filter(|_| unseen) {
        remedies::turn_to_both(finding, response);
    }
    remedies::turn(finding, session, exchange, response);
}

/// What to do where a request was refused before its body was there.
const OF_EARLY: &str = "The answer came before the body was there: look for a limit for the size of requests at what answered, then at what it may mind in the header.";
const OF_HALF: &str = "The answer came before the body was there: look into the server's log at this time for a time-out (for a body that comes slowly, or of a worker), a limit, or an exception.";
const SMALLER: &str = "Whether a smaller Fragment passes; the log of what answered names the limit. A client that still sends may log that the connection was reset instead.";

/// Whether no reason for a refusal is among what the capture lacks, as far as can be told: 500 is the server's own fault,
/// whatever was asked (RFC 9110 15.6.1).
fn tells_enough(session: &Session, exchange: &Exchange, response: &Response) -> bool {
    let own = response.http_status == 500 && !response.is_cut();
    session.is_whole()
        || (own || look::is_whole(session, exchange)) && !may_be_at_fault(session, exchange)
}

/// Whether a packet is less than it announces, or a Fragment of another file or from another byte than the ones before it.
fn may_be_at_fault(session: &Session, exchange: &Exchange) -> bool {
    let cut = exchange.request.as_ref().is_some_and(|request| !request.body.complete);
    let wanted = offsets::expected(session, exchange);
    let astray = look::range(exchange).is_some_and(|range| {
        range.total != session.bytes_total || wanted.is_some() && range.start != wanted
    });
    cut || astray
}

/// Whether an answer of the server is an error without a code that means something, or a status that does.
fn says_nothing(session: &Session, response: &Response) -> bool {
    let told =
        matches!(response.http_status, 401 | 403 | 404 | 407 | 409 | 411 | 413 | 416 | 501..=505);
    let silent = response.error_value().is_none_or(|code| !means_something(code));
    let from_bits = response.is_ack() || session.id.is_some();
    response.http_status >= 400 && !told && silent && from_bits && !response.is_cut()
}

/// Whether the capture lacks the end of the head, and an error code may be in it.
fn may_say_more(response: &Response) -> bool {
    response.is_cut() && response.error.is_none()
}

fn means_something(code: u32) -> bool {
    hresult::symbol(code).is_some() || code == MISPRINTED
}

fn message(session: &Session, exchange: &Exchange, response: &Response) -> String {
    let told = |code: &u32| means_something(*code) || hresult::says_something(*code);
    let code = match (&response.error, response.error_value().filter(told)) {
        (_, Some(code)) => hresult::in_words(code),
        (Some(code), None) => format!("{} \"{}\", which says nothing", code.header, code.raw),
        (None, None) => "no error code".to_owned(),
    };
    let who = front::by(session, exchange);
    let named = || filtering::fault(response).map(|(_, words)| format!("; its page names {words}"));
    let says = |(_, words)| format!("; its page says \"{words}\"");
    let page = page::reason(response).map(says).or_else(named).unwrap_or_default();
    let what = wording::asked(exchange);
    format!("{what} was answered {}{who} with {code}{page}", response.http_status)
}

#[cfg(test)]
mod tests {
    use crate::rules::Severity::{Error, Note};
    use crate::rules::tests::{diagnosed, report, severity};

    #[test]
    fn a_code_without_a_name_is_told_by_its_facility() {
        let message = |code: &str| {
            let text =
                format!("> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< 500 error={code}");
            let finding = |rule: &str| rule == "server-error-unspecified";
            let found =
                report(&text).sessions[0].findings.iter().find(|one| finding(&one.rule)).cloned();
            found.unwrap().message
        };
        assert!(message("0x80070999").ends_with("with 0x80070999, Win32 error 2457"));
        assert!(message("0x80131501").ends_with("with 0x80131501, error 5377 of facility URT"));
        assert!(message("0x1").ends_with("which says nothing"));
    }

    #[test]
    fn what_a_proxy_answered_is_asked_of_the_proxy() {
        let asked = |answer: &str| {
            let text = format!("> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< {answer}");
            diagnosed(&text)
        };
        let squid = asked("422 plain\n  Server: squid/5.7\n  X-Squid-Error: ERR_TOO_BIG 0");
        assert_eq!(squid.cause, "server-error-unspecified");
        assert_eq!(squid.answerable.as_deref(), Some("the proxy"));
        assert!(squid.advice.unwrap().contains("the proxy"));
        assert!(squid.summary.contains("422 by the proxy squid/5.7 (ERR_TOO_BIG 0) with no"));
        let own_page = asked("500 plain\n  Server: squid/5.7").answerable;
        assert_eq!(own_page.as_deref(), Some("the proxy, or the server behind it"));
        assert_eq!(asked("500 error=0x1").answerable.as_deref(), Some("the server"));
    }

    #[test]
    fn a_proxy_that_refuses_the_url_does_not_refuse_the_verb() {
        let text = "> CREATE-SESSION\n< 400 plain\n  Server: squid/5.7\n  X-Squid-Error: ERR_INVALID_URL 0\n";
        let diagnosis = diagnosed(text);
        assert_eq!(diagnosis.cause, "server-error-unspecified");
        assert!(diagnosis.advice.unwrap().contains("whole URLs"));
        assert!(!diagnosis.contributing.contains(&"verb-rejected-by-proxy".to_owned()));
    }

    #[test]
    fn a_port_that_speaks_tls_asks_for_another_url() {
        let text = "> CREATE-SESSION\n< 400 plain\n  Server: nginx/1.22.1\n\
                    \x20 | <center>The plain HTTP request was sent to HTTPS port</center>\n";
        let diagnosis = diagnosed(text);
        assert!(diagnosis.advice.unwrap().contains("begins with https"));
    }

    #[test]
    fn a_refusal_of_half_a_body_may_be_about_its_size() {
        let told = |sent: &str, status: u16| {
            diagnosed(&format!(
                "> CREATE-SESSION\n< 200 session=1\n  Server: gobits/1\n> FRAGMENT 0-9999/20000{sent}\n\
                 < {status} plain\n! server resets\n"
            ))
        };
        let early = told(" sent=4000", 400);
        assert!(early.summary.contains("no error code; 4000 of 10000 bytes had come"));
        assert!(early.advice.unwrap().contains("the size of requests"));
        assert!(told(" sent=4000", 500).advice.unwrap().contains("a time-out"));
        assert!(!told("", 400).advice.unwrap().contains("before the body was there"));
    }

    #[test]
    fn a_retry_that_works_makes_it_a_note() {
        let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< 500\n... 600 s\n\
             > FRAGMENT 0-9/20\n< 200";
        assert_eq!(severity("server-error-unspecified", text), Some(Note));
    }

    #[test]
    fn what_is_called_malformed_and_then_taken_is_a_note() {
        let text = |first: &str, second: &str| {
            format!(
                "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT {first}\n< 400 error=0x80070057 context=0x5\n\
                 > FRAGMENT {second}\n< 200\n> CLOSE-SESSION\n< 200"
            )
        };
        let severity = |text: &str| severity("server-error-unspecified", text);
        assert_eq!(severity(&text("0-9/10", "0-9/10")), Some(Note));
        // Its own form explains it.
        assert_eq!(severity(&text("0-9/10\n  Content-Range: bytes=0-9/10", "0-9/10")), None);
    }

    #[test]
    fn a_refusal_alone_is_a_note_where_the_upload_went_on_behind_it() {
        let severity = |text: &str| severity("server-error-unspecified", text);
        let (create, lost) =
            ("> CREATE-SESSION\n< 200 session=1\n", "> FRAGMENT 0-9/10 lost\n< 500\n");
        let fragment = "> FRAGMENT 0-9/10\n< 200\n";
        let over = format!("{create}{lost}{fragment}> CLOSE-SESSION\n< 200");
        assert_eq!(severity(&over), Some(Note));
        let close = format!("{create}{fragment}> CLOSE-SESSION lost\n< 500");
        assert_eq!(severity(&close), Some(Error));
    }
}
