//! The rule `reply-fetch-failed`.

use crate::bits::PacketType;
use crate::model::Session;
use crate::rules::origin::Origin;
use crate::rules::{Confidence, Notes, front};

rule! {
    /// The reply could not be fetched.
    ///
    /// The upload is at the server, but the job waits for its reply: the session timed out, or the account has no
    /// right to read.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200 reply=/replies/1
    /// > GET /replies/1
    /// < 404 plain
    /// ```
    /// HEAD fetches nothing, and a range is not the whole:
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200 reply=/replies/1
    /// > HEAD /replies/1
    /// < 200 plain
    /// > GET /replies/1
    /// < 206 plain
    /// > GET /replies/1
    /// < 404 plain
    /// ```
    /// An authentication round on the way:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200 reply=/replies/1
    /// > GET /replies/1
    /// < 401 plain
    /// > GET /replies/1
    /// < 200 plain
    /// > CLOSE-SESSION
    /// < 200
    /// ```
    ///
    /// Answerable: the server
    /// Advice: Give the account read rights on the folder BITS-Sessions, raise BITSSessionTimeout, allow GET of the reply's extension.
    /// Confirm: The server's log: status and substatus of the GET.
    /// Reference: [MC-BUP] 1.3.3
    Error, belief 68, needs Anything, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    let Some(reply) = &session.reply else { return };
    let Some(status) = reply.http_status.filter(|status| *status >= 400) else { return };
    let closed = session.exchanges.iter().any(|e| e.kind == PacketType::CloseSession);
    // A round of authentication may go on behind the end of the capture.
    if matches!(status, 401 | 407) && !closed {
        return;
    }
    let response = reply.response.as_deref();
    let origin = response.map(Origin::of_response);
    let between = origin.filter(|origin| matches!(origin, Origin::Proxy | Origin::Waf));
    let by = between.map_or_else(String::new, |origin| format!(" by {}", origin.name()));
    let mut spans = vec![reply.request];
    spans.extend(response.map(|response| response.span));
    let message = format!("the GET of the reply was answered {status}{by}");
    let finding = notes.note(notes.severity(), Confidence::Certain, &spans, message);
    if status < 500 {
        front::turn(finding, origin.unwrap_or(Origin::Nobody));
    } else if let Some(finding) = finding {
        if origin == Some(Origin::Proxy) {
            finding.turn_to("the gateway, or the server behind it");
        }
        finding.advise(OF_SERVER);
    }
}

/// What to do where it failed at the server, or on the way there: the client will ask again.
const OF_SERVER: &str = "Look into the log of who answered, and of the server behind it, for the error at this time: the client asks again later.";

#[cfg(test)]
mod tests {
    use crate::rules::origin::Origin;
    use crate::rules::tests::diagnosed;

    #[test]
    fn a_gateway_that_answered_is_told() {
        let asked = |answer: &str| {
            let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/10\n\
                        < 200 reply=/replies/1\n> GET /replies/1\n";
            diagnosed(&format!("{text}< {answer}\n"))
        };
        let gateway = asked("502 plain\n  Server: nginx/1.22.1");
        assert_eq!((gateway.answered_by, gateway.frames.len()), (Origin::Proxy, 2));
        assert!(gateway.summary.contains("502 by a proxy"), "{}", gateway.summary);
        assert!(!gateway.advice.unwrap().contains("rights"));
        assert_eq!(gateway.client_error.as_deref(), Some("0x801901F6"));
        let iis = asked("403 plain\n  Server: Microsoft-IIS/10.0");
        assert_eq!(iis.answered_by, Origin::Iis);
        assert!(iis.advice.unwrap().contains("read rights"));
    }
}
