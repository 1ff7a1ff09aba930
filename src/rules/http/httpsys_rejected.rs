//! The rule `httpsys-rejected`.

use crate::model::{Exchange, Session};
use crate::rules::origin::Origin;
use crate::rules::{Confidence, Notes, look};

rule! {
    /// http.sys answered before IIS was asked.
    ///
    /// The kernel's HTTP driver refuses what it cannot parse, what exceeds its limits, and what no site is bound to. Nothing of it
    /// is in the log of IIS.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 400 plain
    ///   Server: Microsoft-HTTPAPI/2.0
    ///   | <h2>Bad Request - Invalid Verb</h2><hr><p>HTTP Error 400. The request verb is invalid.</p>
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 503 plain
    ///   Server: Microsoft-HTTPAPI/2.0
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 404 plain
    ///   Server: Microsoft-IIS/10.0
    /// ```
    ///
    /// Answerable: the server
    /// Advice: Read %windir%\System32\LogFiles\HTTPERR at this time: its reason phrase (Verb, BadRequest, Hostname, LengthRequired, FieldLength) names the limit.
    /// Confirm: The HTTPERR log holds the request, the IIS log does not.
    Error, belief 93, needs Answered, Trouble
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(response) = look::stranger(exchange) else { return };
    let (who, status) = (Origin::of_response(response), response.http_status);
    if who != Origin::HttpSys || status < 400 || status == 503 {
        return;
    }
    let words = response.body_start.split("HTTP Error ").nth(1);
    let words = words.and_then(|words| words.split('<').next()).unwrap_or_default().trim();
    let words = if words.is_empty() { String::new() } else { format!(": \"{words}\"") };
    let severity = look::unless_made_good(session, exchange, notes.severity());
    let message = format!("http.sys answered the {} with {status}{words}", exchange.kind);
    notes.note(severity, Confidence::Likely, &[exchange.span()], message);
}
