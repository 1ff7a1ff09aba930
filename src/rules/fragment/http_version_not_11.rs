//! The rule `http-version-not-11`.

use crate::model::{Exchange, Response, Session};
use crate::rules::{Confidence, Notes, Severity, course, front, look, slip};

rule! {
    /// A message that is not HTTP/1.1.
    ///
    /// The protocol needs HTTP/1.1 from end to end. A proxy that speaks HTTP/1.0 breaks it; home-made servers that
    /// write HTTP/1.0 and work all the same are only remarked on.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 505 plain
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200
    /// ```
    ///
    /// Answerable: the proxy, or whoever speaks HTTP/1.0
    /// Advice: Upgrade the hop that speaks HTTP/1.0, or lead the upload past it.
    /// Confirm: The Via header, or captures on both sides of the hop.
    /// Reference: [MC-BUP] 2.2.1
    Error, belief 95, needs Anything, Session
}

/// HTTP Version Not Supported (RFC 9110 15.6.6).
const NOT_SUPPORTED: u16 = 505;

fn check(session: &Session, notes: &mut Notes<'_>) {
    let refuses =
        |answer: &Response| answer.http_status == NOT_SUPPORTED && !answer.is_of_application();
    let refused = |exchange: &&Exchange| exchange.response.as_ref().is_some_and(refuses);
    if let Some(exchange) = session.exchanges.iter().rev().find(refused) {
        let who = front::answerer(session, exchange);
        let message = format!("{who} answered {} with 505", exchange.kind);
        let severity = course::unless_recovered(session, exchange, notes.severity());
        notes.note(severity, Confidence::Certain, &[exchange.span()], message);
        return;
    }
    let Some(exchange) = session.exchanges.iter().find(|exchange| is_old(exchange)) else { return };
    let request = exchange.request.as_ref().filter(|request| request.minor_version == 0);
    let hop = request.and_then(|request| request.via.as_deref());
    // A proxy that turned the request into HTTP/1.0, and an answer from before BITS.
    let foreign = exchange.response.as_ref().is_some_and(|response| !response.is_ack());
    let (severity, confidence, why) = match hop {
        Some(_) if look::refused(exchange) && foreign => {
            (Severity::Warning, Confidence::Certain, "")
        }
        _ if request.is_some() && slip::is_refused_for_nothing(session, exchange) => {
            let severity = course::unless_recovered(session, exchange, notes.severity());
            (severity, Confidence::Possible, ", and nothing else is wrong with it")
        }
        _ => (Severity::Note, Confidence::Certain, ""),
    };
    let which = if request.is_some() { "request of" } else { "answer to" };
    let via = hop.map(|via| format!(", Via \"{via}\"")).unwrap_or_default();
    let message = format!("the {which} {} is HTTP/1.0{via}{why}", exchange.kind);
    notes.note(severity, confidence, &[exchange.span()], message);
}

fn is_old(exchange: &Exchange) -> bool {
    look::whole_request(exchange).is_some_and(|request| request.minor_version == 0)
        || look::whole_answer(exchange).is_some_and(|answer| answer.minor_version == 0)
}

#[cfg(test)]
mod tests {
    use crate::rules::Severity::{Note, Warning};
    use crate::rules::tests::{diagnosed, severity};

    #[test]
    fn a_refusal_that_was_overcome_is_a_note() {
        let text = "> CREATE-SESSION\n< 505 plain\n> CREATE-SESSION\n< 200 session=1";
        assert_eq!(severity("http-version-not-11", text), Some(Note));
    }

    #[test]
    fn a_server_of_http_1_0_is_a_note() {
        let text = "> CREATE-SESSION\n< 200 session=1 http=1.0";
        assert_eq!(severity("http-version-not-11", text), Some(Note));
    }

    #[test]
    fn a_create_with_no_other_flaw_that_bits_refuses_may_be_refused_for_it() {
        let cause = |url: &str| {
            let url = format!("= url http://server/up/{url}\n");
            diagnosed(&format!(
                "{url}> CREATE-SESSION http=1.0\n< 400 error=0x80070057 context=0x5 http=1.0\n"
            ))
            .cause
        };
        assert_eq!(cause("file.bin"), "http-version-not-11");
        assert_eq!(cause("file"), "destination-is-directory");
    }

    #[test]
    fn a_proxy_that_makes_http_1_0_of_it_is_a_warning() {
        let text = "> CREATE-SESSION http=1.0\n  Via: 1.0 gate\n< 400 plain";
        assert_eq!(severity("http-version-not-11", text), Some(Warning));
    }
}
