//! The rule `app-pool-down`.

use crate::model::{Exchange, Session};
use crate::rules::origin::Origin;
use crate::rules::{Confidence, Notes, course, front, look};

rule! {
    /// The application pool behind the URL is stopped, or its queue is full.
    ///
    /// http.sys answers 503 itself where it cannot hand a request to a worker process.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 503 plain
    ///   Server: Microsoft-HTTPAPI/2.0
    ///   | <h2>Service Unavailable</h2><hr><p>HTTP Error 503. The service is unavailable.</p>
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 503 plain
    ///   Server: Microsoft-IIS/10.0
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 400 plain
    ///   Server: Microsoft-HTTPAPI/2.0
    /// ```
    /// A service without IIS answers under that name:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    ///   Server: Microsoft-HTTPAPI/2.0
    /// > FRAGMENT 0-9/20
    /// < 503 plain
    ///   Server: Microsoft-HTTPAPI/2.0
    /// ```
    ///
    /// Answerable: the server
    /// Advice: Start the application pool (`Start-WebAppPool`) and look in the System log for WAS events 5002, 5021 or 5059, which tell why it was stopped.
    /// Confirm: HTTPERR on the server says AppOffline, Disabled, N/A or QueueFull at this time.
    /// Reference: RFC 9110 15.6.4
    Error, belief 95, needs Answered, Trouble
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(response) = look::stranger(exchange) else { return };
    if front::origin(session, exchange) == Origin::HttpSys && response.http_status == 503 {
        let severity = course::unless_made_good(session, exchange, notes.severity());
        let message = format!("http.sys answered the {} with 503", exchange.kind);
        notes.note(severity, Confidence::Likely, &[exchange.span()], message);
    }
}
