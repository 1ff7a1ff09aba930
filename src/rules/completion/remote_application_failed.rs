//! The rule `remote-application-failed`.

use crate::bits::hresult;
use crate::model::notification::Notification;
use crate::model::{Exchange, Session};
use crate::rules::{Confidence, Notes, Severity, course, look, wording};

rule! {
    /// The application behind the server failed.
    ///
    /// The error has context 0x7: the upload itself is in order, but the application that was notified of it was not
    /// reached, or failed.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 500 error=0x80190194 context=0x7
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 500 error=0x80070070 context=0x5
    /// ```
    ///
    /// Answerable: the application behind the server
    /// Advice: Look at the application behind BITSServerNotificationURL, and whether the server reaches it.
    /// Confirm: The log of that application at this time, and the server's own request to it (User-Agent BITSExts).
    /// Reference: [MC-BUP] 2.2.1.2
    Error, belief 88, needs Anything, Trouble
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(response) = look::refusal(exchange) else { return };
    if !response.is_of_application() || response.http_status == 408 {
        return;
    }
    let code = response.error_value().map(hresult::hex);
    let code = code.map(|code| format!(", {code},")).unwrap_or_default();
    let (what, after) = match exchange.request {
        Some(_) => {
            let waited = wording::lasting(look::wait_secs(exchange));
            (exchange.kind.to_string(), format!(" after {waited}"))
        }
        None => (wording::NOT_CAPTURED.to_owned(), String::new()),
    };
    let mut message =
        format!("{what} was answered {}{code} for the application{after}", response.http_status);
    let recovered = course::recovered(session, exchange);
    let severity = if recovered { Severity::Warning } else { notes.severity() };
    let notification = session.notifications.iter().rev().find(|one| one.is_within(exchange));
    message.push_str(&notification.map(Notification::in_words).unwrap_or_default());
    let mut spans = vec![exchange.span()];
    spans.extend(notification.map(|one| one.request));
    spans.extend(notification.and_then(|one| one.response));
    let finding = notes.note(severity, Confidence::Certain, &spans, message);
    if let Some(finding) = finding.filter(|_| notification.is_some()) {
        finding.confirm_by("The log of that application at this time.");
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::Severity;
    use crate::rules::tests::{diagnosed, fired};

    #[test]
    fn the_request_to_the_application_is_part_of_the_proof() {
        let told = |url: &str, answer: &str| {
            let text = format!(
                "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/10\n... 9 s\n\
                 < 500 error=0x801901F4 context=0x7\n... -8 s\n= client 192.0.2.80\n\
                 = server 192.0.2.90:80\n> POST /app/notify.aspx\n  User-Agent: BITSExts 1.5\n\
                 \x20 BITS-Original-Request-URL: {url}\n{answer}"
            );
            diagnosed(&text)
        };
        let failed = told("http://server/upload/file.bin", "... 2 s\n< 500 plain\n");
        let words =
            "the server's POST to the application at 192.0.2.90:80 was answered 500 after 2.0 s";
        assert!(failed.summary.contains(words), "{}", failed.summary);
        assert_eq!(failed.frames.len(), 4, "{}", failed.summary);
        let silent = told("http://server/upload/file.bin", "");
        assert!(silent.summary.contains("was not answered"), "{}", silent.summary);
        let other = told("http://server/upload/other.bin", "< 500 plain\n");
        assert!(!other.summary.contains("192.0.2.90"), "{}", other.summary);
    }

    #[test]
    fn that_it_took_the_file_in_the_end_shows_though_the_capture_lacks_the_request() {
        let findings = fired(
            "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/10\n< 500 error=0x801901F4 context=0x7\n\
             > PING\n< 200\n> FRAGMENT 0-9/10 lost\n< 200 received=10\n> CLOSE-SESSION\n< 200",
        );
        let found = ("remote-application-failed".to_owned(), Severity::Warning);
        assert!(findings.contains(&found), "{findings:?}");
    }

    #[test]
    fn an_error_of_the_application_is_its_own_whatever_it_says() {
        for answer in [
            "302 error=0x8019012E",
            "401 error=0x80190191",
            "505 error=0x801901F9",
            "500 error=0x80070070",
            "500 error=0x80200020",
        ] {
            let text = format!(
                "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/10\n< {answer} context=0x7\n"
            );
            let told = diagnosed(&text);
            assert_eq!(told.cause, "remote-application-failed", "{answer}");
            assert!(told.contributing.is_empty(), "{answer} {:?}", told.contributing);
        }
    }
}
