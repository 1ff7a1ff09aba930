//! The rule `too-many-requests`.

use crate::model::{Exchange, Session};
use crate::rules::{Confidence, Notes, course, front, look, wording};

rule! {
    /// A limit on the rate of requests refused one.
    ///
    /// It counts the requests of a client, of a path or of a whole site in a time; every Fragment is one.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 429 plain
    ///   Server: nginx/1.22.1
    /// ```
    /// The capture lacks the request:
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20 lost
    /// < 429 plain
    /// ! client closes
    /// ```
    /// The application behind the server says so:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-19/20
    /// < 429 error=0x80070005 context=0x7
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 503 plain
    ///   Server: nginx/1.22.1
    /// ```
    ///
    /// Answerable: whoever answered
    /// Advice: Raise the limit for this path (in nginx, limit_req and limit_conn; in HAProxy, what is compared with http_req_rate), or let fewer jobs upload at once; larger Fragments are fewer requests.
    /// Confirm: The error log of what answered names the limit at this time.
    /// Reference: RFC 6585 4
    Error, belief 92, needs Anything, Trouble
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let limits = |status: u16| status == 429;
    let Some(response) = exchange.response.as_ref().filter(|one| limits(one.http_status)) else {
        return;
    };
    let of_bits = response.is_ack() && response.error_value().is_some();
    if of_bits || look::may_be_of_application(response) {
        return;
    }
    let who = front::told(session, exchange).unwrap_or_default();
    let error = front::error(response);
    let what = match exchange.request {
        Some(_) => format!("the {}", exchange.kind),
        None => wording::NOT_CAPTURED.to_owned(),
    };
    let again = response.retry_after.as_deref();
    let again = again.map(|after| format!(", with Retry-After \"{}\"", wording::short(after)));
    let message = format!("{who}{error} answered {what} with 429{}", again.unwrap_or_default());
    let severity = course::unless_recovered(session, exchange, notes.severity());
    let sure =
        if look::is_answered(session, exchange) { Confidence::Certain } else { Confidence::Likely };
    let finding = notes.note(severity, sure, &[exchange.span()], message);
    if let Some(finding) = finding {
        finding.turn_to(front::answerable(session, exchange));
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::diagnosed;

    #[test]
    fn who_limits_and_until_when_is_told() {
        let diagnosis = diagnosed(
            "> CREATE-SESSION\n< 200 session=1\n  Server: Microsoft-IIS/10.0\n> FRAGMENT 0-9/20\n\
             < 429 plain\n  Server: nginx/1.22.1\n  Retry-After: 5\n",
        );
        let told = "the proxy nginx/1.22.1 answered the Fragment with 429, with Retry-After \"5\"";
        assert!(diagnosis.summary.contains(told), "{}", diagnosis.summary);
        assert_eq!(diagnosis.answerable.as_deref(), Some("the proxy"));
    }
}
