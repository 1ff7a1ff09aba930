//! The rule `verb-rejected-by-server`.

use crate::model::{Exchange, Session};
use crate::rules::front::{self, Stands};
use crate::rules::origin::Origin;
use crate::rules::{Around, Confidence, Notes, course, look, page};

rule! {
    /// The web server does not know the verb BITS_POST.
    ///
    /// No proxy speaks here but the web server itself: there is no BITS behind this URL.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 405 plain
    ///   Server: nginx/1.22.1
    ///   Allow: GET, HEAD
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 501 plain
    /// ```
    /// It may be the URL alone that it does not know:
    /// ```fires
    /// > CREATE-SESSION
    /// < 404 plain
    ///   Server: nginx/1.22.1
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 404
    /// ```
    /// The page names another reason:
    /// ```silent
    /// > CREATE-SESSION
    /// < 400 plain
    ///   Server: nginx/1.22.1
    ///   | <html><title>400 The plain HTTP request was sent to HTTPS port</title>
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 400 plain
    ///   Server: Apache/2.4.57
    ///   | <title>400 Bad Request</title><p>Size of a request header field exceeds server limit.</p>
    /// ```
    /// Only what speaks the protocol knows its words:
    /// ```silent
    /// > CREATE-SESSION
    /// < 400 plain
    ///   | unknown BITS-Packet-Type
    /// ```
    /// ```silent
    /// > CREATE-SESSION proxied
    /// < 405 plain
    /// ```
    /// ```silent
    /// > GET /
    /// < 200 plain
    ///   Server: Microsoft-IIS/10.0
    ///   Via: 1.1 gateway
    /// > CREATE-SESSION
    /// < 400 plain
    /// ```
    /// A balancer that sends a later connection to a server without BITS:
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    ///   Server: Microsoft-IIS/10.0
    /// ! server closes
    /// = connection
    /// > FRAGMENT 0-9/20
    /// < 405 plain
    ///   Server: nginx/1.22.1
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    ///   Server: Microsoft-IIS/10.0
    /// > FRAGMENT 0-9/20
    /// < 405 plain
    ///   Server: nginx/1.22.1
    /// ```
    /// It may know the verb, and not the URL:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    ///   Server: Microsoft-IIS/10.0
    /// ! server closes
    /// = connection
    /// > FRAGMENT 0-9/20
    /// < 404 plain
    ///   Server: nginx/1.22.1
    /// ```
    /// It did it before, under the same name:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    ///   Server: nginx/1.22.1
    /// ! server closes
    /// = connection
    /// > PING
    /// < 405 plain
    ///   Server: nginx/1.22.1
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    ///   Server: nginx/1.22.1
    /// > CANCEL-SESSION
    /// < 200
    /// = url http://server/elsewhere/file.bin
    /// > CREATE-SESSION
    /// < 405 plain
    ///   Server: nginx/1.22.1
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 403 plain
    ///   Server: squid/5.7
    /// ```
    ///
    /// Answerable: the server, or whoever configured the job
    /// Advice: Check the URL; enable BITS uploads on the server, or the module that speaks BITS there.
    /// Confirm: The server's access log shows BITS_POST with this status.
    /// Reference: RFC 9110 15.5.6
    Error, belief 91, needs Answered, TroubleAround
}

fn check(session: &Session, exchange: &Exchange, around: &Around<'_>, notes: &mut Notes<'_>) {
    let Some((request, response)) = exchange.request.as_ref().zip(look::stranger(exchange)) else {
        return;
    };
    let (who, status) = (around.origin(session, exchange), response.http_status);
    // What takes part in a session knows the verb; of one that is open, 400 and 404 are about more than that.
    let opens = look::foreign(exchange).is_some();
    let elsewhere = || front::stands(session, exchange) == Some(Stands::Elsewhere);
    let refuses = match status {
        400 | 404 => opens,
        405 | 501 => opens || elsewhere(),
        _ => false,
    };
    let served = || {
        front::acknowledged(session, exchange).is_some()
            || around.opened_by_same(session, response).is_some()
    };
    if page::is_about_more_than_verb(request, response) {
        return;
    }
    if refuses && who == Origin::WebServer && !served() {
        let allow = response.allow.as_ref().map(|allow| format!(", and allows \"{allow}\""));
        let (who, method) = (Origin::describe(response), &request.method);
        // Who has no such path says so of any verb (RFC 9110 15.5.5).
        let of_url = status == 404 && allow.is_none();
        let why =
            if of_url { ", which may be about the URL alone".to_owned() } else { String::new() };
        let message = format!("{who} answered {method} with {status}{}", allow.unwrap_or(why));
        let severity = course::unless_made_good(session, exchange, notes.severity());
        let sure = if of_url { Confidence::Possible } else { Confidence::Likely };
        let finding = notes.note(severity, sure, &[exchange.span()], message);
        if let Some(finding) = finding.filter(|_| of_url) {
            finding.turn_to("whoever configured the job, or the server").advise(OF_URL);
        }
    }
}

/// What to do where the URL may be unknown.
const OF_URL: &str = "Check host, port and path of the job's URL, its case included. If the server has that path, enable BITS uploads for it, or the module that speaks BITS there.";

#[cfg(test)]
mod tests {
    use crate::rules::Confidence::{Likely, Possible};
    use crate::rules::tests::diagnosed;

    #[test]
    fn a_404_may_be_about_the_url_alone() {
        let told = |answer: &str| {
            let text = format!("> CREATE-SESSION\n< {answer}\n  Server: nginx/1.22.1\n");
            let diagnosis = diagnosed(&text);
            (
                diagnosis.confidence,
                diagnosis.advice.unwrap().starts_with("Check host, port and path"),
            )
        };
        assert_eq!(told("404 plain"), (Possible, true));
        assert_eq!(told("404 plain\n  Allow: GET"), (Likely, false));
        assert_eq!(told("405 plain"), (Likely, false));
    }
}
