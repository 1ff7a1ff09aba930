//! The rule `host-id-fallback`.

use crate::at::{At, Span};
use crate::model::{Exchange, Response, Session, host, url};
use crate::rules::hosts::Named;
use crate::rules::{Around, Confidence, Notes, look, wording};

rule! {
    /// The client went back to the first host.
    ///
    /// The host that BITS-Host-Id named did not answer any more, usually for as long as the fallback time-out says. Another
    /// node may take over, but where it does not have the session's bytes the upload starts again from nothing.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1 host=192.0.2.81 fallback=60
    /// = server 192.0.2.81:80
    /// = url http://192.0.2.81/upload/file.bin
    /// > FRAGMENT 0-9/20
    /// < 200
    /// > FRAGMENT 10-19/20
    /// ... 61 s
    /// = server 192.0.2.80:80
    /// = url http://server/upload/file.bin
    /// > PING
    /// < 200
    /// ```
    /// ```fires
    /// > CREATE-SESSION lost
    /// < 200 session=1 host=192.0.2.81 fallback=60
    /// = server 192.0.2.81:80
    /// = url http://192.0.2.81/upload/file.bin
    /// > FRAGMENT 0-19/20
    /// ... 61 s
    /// = server 192.0.2.80:80
    /// = url http://server/upload/file.bin
    /// > PING
    /// < 200
    /// ```
    /// The first host has several addresses:
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1 host=192.0.2.85 fallback=60
    /// = server 192.0.2.85:80
    /// = url http://192.0.2.85/upload/file.bin
    /// > FRAGMENT 0-9/20
    /// < 200
    /// > FRAGMENT 10-19/20
    /// ... 61 s
    /// ! client closes
    /// = server 192.0.2.81:80
    /// = url http://server/upload/file.bin
    /// > PING
    /// < 200
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1 host=192.0.2.81 fallback=60
    /// = server 192.0.2.81:80
    /// = url http://192.0.2.81/upload/file.bin
    /// > FRAGMENT 0-19/20
    /// < 200
    /// > CLOSE-SESSION
    /// < 200
    /// ```
    ///
    /// Answerable: the server
    /// Advice: Look at the node that was named, and at the names and ports that lead to it; expect a restart from byte 0 if the nodes share no folder.
    /// Confirm: The log of the named node at the time of its last answer.
    /// Reference: [MC-BUP] 3.1.6.3
    Warning, belief 48, needs Anything, Around
}

fn check(session: &Session, around: &Around<'_>, notes: &mut Notes<'_>) {
    let Some(named) = Named::of(session) else { return };
    let mut left = fails_from(&named, None, around);
    for exchange in named.later() {
        let first = exchange.span().first;
        if named.takes(exchange) {
            left = fails_from(&named, Some(exchange), around);
        } else if let Some(left) = left.filter(|left| left.frame < first.frame) {
            let answer = named.opened.response.as_ref();
            let limit = match answer.and_then(Response::fallback_in_words) {
                Some(words) => format!("the fallback time-out is {words}"),
                None if look::whole_answer(named.opened).is_none() => {
                    "its head is cut off".to_owned()
                }
                None => "no fallback time-out was given".to_owned(),
            };
            let message = format!(
                "back from \"{}\" to {} after {}; {limit}",
                named.value,
                place(exchange),
                wording::lasting(first.time.secs_since(left.time))
            );
            let spans = [Span::at(left), exchange.span()];
            notes.note(notes.severity(), Confidence::Certain, &spans, message);
            return;
        }
    }
}

/// Where a request went: the host that it is for, and the address.
fn place(exchange: &Exchange) -> String {
    let server = exchange.server;
    let url = exchange.request.as_ref().and_then(|request| url::of(exchange, request));
    match url.filter(|url| host::bare(url.host) != server.ip().to_string()) {
        Some(url) => format!("\"{}\" at {server}", url.host),
        None => server.to_string(),
    }
}

/// From when on the named host could not be reached, where that shows: from the first SYN to it that was in vain, behind
/// `taken`, its last exchange. One that it did not answer failed by itself.
fn fails_from(named: &Named<'_>, taken: Option<&Exchange>, around: &Around<'_>) -> Option<At> {
    let last = taken.map(|exchange| exchange.span().last);
    let answered = taken.is_none_or(|exchange| exchange.response.is_some());
    let behind = last.unwrap_or(named.opened.span().last);
    let tried = named
        .attempts(around.sight.attempts)
        .filter(|attempt| attempt.span.last.frame > behind.frame);
    // Of tries in several sessions, the one that was the first in this is not known.
    let begun = tried
        .map(|attempt| attempt.span.first)
        .map(|first| if first.frame > behind.frame { first } else { behind });
    begun.filter(|_| answered).min_by_key(|at| at.frame).or(last)
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::report;

    /// What the rule says of a transcript.
    fn said(text: &str) -> Vec<String> {
        let findings = report(text).sessions.remove(0).findings;
        let own = findings.into_iter().filter(|finding| finding.rule == "host-id-fallback");
        own.map(|finding| finding.message).collect()
    }

    const OPENED: &str = "> CREATE-SESSION\n< 200 session=1 host=192.0.2.81 fallback=60\n\
        = server 192.0.2.81:80\n= url http://192.0.2.81/upload/file.bin\n";
    const BACK: &str =
        "= server 192.0.2.80:80\n= url http://server/upload/file.bin\n> PING\n< 200\n";

    #[test]
    fn the_time_runs_from_the_first_connection_that_failed() {
        let tries = "! unanswered\n... 25 s\n! unanswered\n... 50 s\n";
        let told = said(&format!("{OPENED}{tries}{BACK}"));
        assert!(told[0].contains("to \"server\" at 192.0.2.80:80 after 117 s"), "{told:?}");
        let idle = "> FRAGMENT 0-9/20\n< 200\n! server closes\n! client closes\n... 600 s\n";
        let later = said(&format!("{OPENED}{idle}{tries}{BACK}"));
        assert_eq!(later, told);
    }

    #[test]
    fn a_request_without_an_answer_fails_when_it_was_sent() {
        let hung = "> FRAGMENT 0-9/20\n... 61 s\n! client closes\n";
        let told = said(&format!("{OPENED}{hung}! unanswered\n{BACK}"));
        assert!(!told.is_empty() && !told[0].contains("after 0"), "{told:?}");
    }
}
