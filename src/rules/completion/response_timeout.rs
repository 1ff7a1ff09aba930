//! The rule `response-timeout`.

use crate::model::Session;
use crate::rules::{Around, Confidence, Notes, Severity, course, unanswered};

rule! {
    /// The server did not answer within five minutes.
    ///
    /// That is as long as a client waits. Whether the server hung or its answer was dropped shows in whether its host
    /// acknowledged the request.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// ... 300 s
    /// ! client closes
    /// ```
    /// The client still waits when the capture ends:
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// ... 310 s
    /// = client 10.0.0.6
    /// > GET /
    /// < 200 plain
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// ... 299 s
    /// ! client closes
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// ... 299.8 s
    /// ! client closes
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// ... 300 s
    /// ! client closes
    /// ! server resets
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1 lost
    /// > FRAGMENT 0-9/20
    /// ... 300 s
    /// ! client closes
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200 lost
    /// ... 300 s
    /// ! client closes
    /// ```
    ///
    /// Answerable: the server, where its host acknowledged the request; else the network
    /// Advice: See what the server did in these five minutes: a hung worker process, a slow disk, a waiting application.
    /// Client: 0x80072EE2
    /// Confirm: The server's log: whether it has the request, and its time-taken; a capture at the server.
    /// Reference: [MC-BUP] 3.1.2.2
    Error, belief 50, needs Anything, TroubledAround
}

fn check(session: &Session, around: &Around<'_>, notes: &mut Notes<'_>) {
    for (exchange, waited) in unanswered::whole(session) {
        if unanswered::is_timeout(waited) {
            let message = unanswered::message(session, exchange, waited);
            let severity = course::unless_overcome(session, exchange, notes.severity());
            let finding = notes.note(severity, Confidence::Likely, &[exchange.span()], message);
            unanswered::turn(finding, session, exchange);
        }
    }
    let still = unanswered::under_way(session, around.sight.end);
    if let Some((exchange, waited)) = still.filter(|(_, waited)| unanswered::is_timeout(*waited)) {
        let message = unanswered::message(session, exchange, waited);
        let message = format!("{message}, and the capture ends");
        let spans = [exchange.span()];
        let finding = notes.note(Severity::Warning, Confidence::Likely, &spans, message);
        unanswered::turn(finding, session, exchange);
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::Severity::Warning;
    use crate::rules::tests::severity;

    #[test]
    fn an_upload_that_went_on_leaves_a_warning() {
        let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n... 300 s\n! client closes\n\
             = connection\n> PING\n< 200\n> FRAGMENT 0-19/20\n< 200\n> CLOSE-SESSION\n< 200";
        assert_eq!(severity("response-timeout", text), Some(Warning));
    }
}
