//! The rule `redirected`.

use crate::model::{Exchange, Response, Session, url};
use crate::rules::{Around, Confidence, Notes, course, look};

rule! {
    /// A BITS packet was redirected.
    ///
    /// The upload does not go where its URL says; most often a site sends everybody to https, or a balancer to one of
    /// its nodes.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 301 plain
    ///   Server: nginx/1.22.1
    ///   Location: https://server/upload/file.bin
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 404 plain
    ///   Server: nginx/1.22.1
    /// ```
    ///
    /// Answerable: whoever configured the site, or the job
    /// Advice: Give the job the final URL; a body that was sent to the old one is lost.
    /// Reference: RFC 9110 15.4
    Warning, belief 88, needs Answered, TroubleAround
}

fn check(session: &Session, exchange: &Exchange, around: &Around<'_>, notes: &mut Notes<'_>) {
    let Some(response) = look::stranger(exchange) else { return };
    let status = response.http_status;
    if matches!(status, 300..=303 | 305..=399) {
        let to = response.location.as_deref();
        let to = to.map_or_else(|| "without saying where".into(), |to| format!("to \"{to}\""));
        let who = around.told(session, exchange).unwrap_or_default();
        let message = format!("{who} answered the {} with {status} {to}", exchange.kind);
        let certain = Confidence::Certain;
        let severity = course::unless_made_good(session, exchange, notes.severity());
        let finding = notes.note(severity, certain, &[exchange.span()], message);
        if let Some(finding) = finding.filter(|_| asks_to_log_in(exchange, response)) {
            finding.turn_to("whoever runs the page to log in").advise(OF_PORTAL);
        }
    }
}

/// What to do where a page to log in is no place for an upload.
const OF_PORTAL: &str =
    "Exempt the client or this URL from the portal or the single sign-on that sends it to log in.";

/// What addresses of such pages hold, in lower case.
const LOG_INS: [&str; 8] =
    ["login", "logon", "signin", "sso", "saml", "oauth", "portal", "captive"];

/// Whether a request was sent to a page to log in, and not to another place for the same file.
fn asks_to_log_in(exchange: &Exchange, response: &Response) -> bool {
    let Some(to) = response.location.as_deref().map(str::to_ascii_lowercase) else { return false };
    let place = to.split(['?', '#']).next().unwrap_or_default();
    let request = exchange.request.as_ref();
    let own = request.and_then(|request| url::of(exchange, request));
    let same = own.is_some_and(|own| place.ends_with(&own.path.to_ascii_lowercase()));
    !same
        && place.split(|letter: char| !letter.is_alphanumeric()).any(|word| LOG_INS.contains(&word))
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::diagnosed;

    #[test]
    fn a_page_to_log_in_is_no_url_to_upload_to() {
        let advice = |to: &str| {
            let text = format!("> CREATE-SESSION\n< 302 plain\n  Location: {to}\n");
            diagnosed(&text).advice.unwrap()
        };
        assert!(advice("https://sso.corp.test/?back=/upload/file.bin").starts_with("Exempt"));
        assert!(advice("http://wifi.test/login").starts_with("Exempt"));
        assert!(advice("https://portal.corp.test/upload/file.bin").starts_with("Give the job"));
        assert!(advice("https://server/lessons/file.bin").starts_with("Give the job"));
    }

    #[test]
    fn what_answers_between_client_and_server_is_a_proxy() {
        let text = "> CREATE-SESSION\n< 200 session=1\n  Server: Microsoft-IIS/10.0\n> FRAGMENT 0-9/20\n\
                    < 307 plain\n  Server: nginx\n  Location: https://server/upload/file.bin\n";
        let summary = diagnosed(text).summary;
        assert!(summary.contains("the proxy nginx answered"), "{summary}");
    }
}
