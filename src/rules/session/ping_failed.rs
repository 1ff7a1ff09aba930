//! The rule `ping-failed`.

use crate::bits::{PacketType, hresult};
use crate::model::Session;
use crate::rules::{Confidence, Notes, Severity, course, front};

rule! {
    /// A Ping was refused.
    ///
    /// A host that answers a Ping with anything but success has a problem with this URL, and all that follows would have it
    /// too. Where the upload goes on after it, the server just does not know the packet.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200
    /// = connection
    /// > PING
    /// < 503 plain
    ///   Server: Microsoft-HTTPAPI/2.0
    /// ```
    /// ```silent
    /// > PING
    /// < 401 plain
    ///   WWW-Authenticate: Basic realm=x
    /// > PING
    ///   Authorization: Basic Ym9iOng=
    /// < 200
    /// > CREATE-SESSION
    /// < 200 session=1
    /// ```
    ///
    /// Answerable: whoever answered
    /// Advice: Look at the status and at who gave it: host, path and credentials of the node that was pinged.
    /// Reference: [MC-BUP] 3.2.5.2.5
    Warning, belief 20, needs Anything, TroubledSession
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    for exchange in session.exchanges.iter().filter(|exchange| exchange.kind == PacketType::Ping) {
        let refusal = exchange.response.as_ref().filter(|answer| answer.refuses());
        let Some(answer) = refusal else { continue };
        let severity =
            if course::goes_on(session, exchange) { Severity::Note } else { notes.severity() };
        let who = front::told(session, exchange).unwrap_or_default();
        let code = answer.error_value().map(hresult::in_words);
        let code = code.map_or_else(String::new, |code| format!(" and {code}"));
        let message = format!("{who} answered a Ping with {}{code}", answer.http_status);
        let finding = notes.note(severity, Confidence::Certain, &[exchange.span()], message);
        if let Some(finding) = finding {
            finding.turn_to(front::answerable(session, exchange));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::{diagnosed, report};

    #[test]
    fn who_refused_it_is_asked() {
        let asked = |server: &str| {
            let answer = format!("= connection\n> PING\n< 404 plain\n  Server: {server}\n");
            let text = format!("> CREATE-SESSION\n< 200 session=1\n{answer}");
            diagnosed(&text).answerable.unwrap()
        };
        assert_eq!(asked("Microsoft-IIS/10.0"), "the server");
        assert_eq!(asked("squid/5.7"), "the proxy");
    }

    #[test]
    fn it_explains_nothing_where_the_upload_is_completed() {
        let answers = [
            "403 plain\n  Server: Microsoft-IIS/10.0",
            "403 error=0x80070005 context=0x5",
            "500 error=0x8020001F context=0x5",
            "429 plain\n  Server: nginx/1.22.1",
            "302 plain\n  Location: http://login.test/",
        ];
        for answer in answers {
            let session = report(&format!(
                "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< 200\n= connection\n> PING\n< {answer}\n\
                 = connection\n> FRAGMENT 10-19/20\n< 200\n> CLOSE-SESSION\n< 200\n"
            ))
            .sessions
            .remove(0);
            assert_eq!(session.diagnosis, None, "{answer}");
        }
    }
}
