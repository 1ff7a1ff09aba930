//! The rule `httpsys-rejected`.

use crate::model::{Exchange, Session};
use crate::rules::origin::Origin;
use crate::rules::{Confidence, Notes, course, front, look};

rule! {
    /// http.sys answered before IIS was asked.
    ///
    /// The kernel's HTTP driver refuses what it cannot parse, what exceeds its limits, and what no site is bound to.
    /// Nothing of it is in the log of IIS.
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
    /// A service without IIS answers under that name:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    ///   Server: Microsoft-HTTPAPI/2.0
    /// > FRAGMENT 0-9/20
    /// < 400 plain
    ///   Server: Microsoft-HTTPAPI/2.0
    /// ```
    ///
    /// Answerable: the server
    /// Advice: Read %windir%\System32\LogFiles\HTTPERR at this time: its reason phrase (Verb, BadRequest, Hostname, LengthRequired, FieldLength) names the limit.
    /// Confirm: The HTTPERR log holds the request, the IIS log does not.
    Error, belief 93, needs Answered, Trouble
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(response) = look::stranger(exchange) else { return };
    let (who, status) = (front::origin(session, exchange), response.http_status);
    if who != Origin::HttpSys || status < 400 || status == 503 {
        return;
    }
    let page = response.body_start.split("HTTP Error ").nth(1);
    let page = page.and_then(|words| words.split('<').next()).unwrap_or_default().trim();
    let number = format!("{status}. ");
    let words = page.strip_prefix(&number).unwrap_or(page);
    let words = if words.is_empty() { String::new() } else { format!(": \"{words}\"") };
    let severity = course::unless_made_good(session, exchange, notes.severity());
    let message = format!("http.sys answered the {} with {status}{words}", exchange.kind);
    let finding = notes.note(severity, Confidence::Likely, &[exchange.span()], message);
    let page = page.to_ascii_lowercase();
    let reason = REASONS.iter().find(|(words, _)| page.contains(words));
    if let Some((finding, (_, reason))) = finding.zip(reason) {
        let advice = format!(
            "Look for it in %windir%\\System32\\LogFiles\\HTTPERR at this time: by its page, the reason phrase is {reason}."
        );
        finding.advise(advice);
    }
}

/// What pages of http.sys say, in lower case, and the reason phrase that stands in its error log then.
const REASONS: [(&str, &str); 4] = [
    ("verb is invalid", "Verb"),
    ("hostname is invalid", "Hostname"),
    ("url is invalid", "URL"),
    ("chunked or have a content length", "LengthRequired"),
];

#[cfg(test)]
mod tests {
    use crate::rules::tests::diagnosed;

    #[test]
    fn the_page_names_the_reason() {
        let diagnosis = diagnosed(
            "> CREATE-SESSION\n< 400 plain\n  Server: Microsoft-HTTPAPI/2.0\n\
             \x20 | <hr><p>HTTP Error 400. The request verb is invalid.</p>\n",
        );
        assert!(diagnosis.summary.contains("400: \"The request verb is invalid.\""));
        assert!(diagnosis.advice.unwrap().ends_with("the reason phrase is Verb."));
    }
}
