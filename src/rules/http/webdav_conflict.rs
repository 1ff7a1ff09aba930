//! The rule `webdav-conflict`.

use crate::model::{Exchange, Response, Session};
use crate::rules::origin::Origin;
use crate::rules::{Confidence, Notes, course, look, other_server};

rule! {
    /// WebDAV took the request that was for BITS.
    ///
    /// The 405 lists the verbs of WebDAV: its module stands before the BITS extension in this directory and knows no
    /// BITS_POST.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 405 plain
    ///   Server: Microsoft-IIS/10.0
    ///   DAV: 1,2,3
    ///   Allow: GET, HEAD, OPTIONS, TRACE, PROPFIND, MKCOL
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 405 plain
    ///   Server: Microsoft-IIS/10.0
    ///   Allow: GET, HEAD, OPTIONS, TRACE
    /// ```
    ///
    /// Answerable: the server
    /// Advice: Take the WebDAV module off this virtual directory (`<remove name="WebDAVModule"/>` and its handler), and map BITS_POST to the BITS extension.
    /// Confirm: Failed request tracing on the server names WebDAVModule as the one that set 405.
    /// Reference: RFC 4918 10.1
    Error, belief 94, needs Answered, Trouble
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(response) = look::foreign(exchange).filter(|response| response.http_status == 405)
    else {
        return;
    };
    if let Some(told) = sign(response) {
        let who = Origin::describe(response);
        let severity = course::unless_made_good(session, exchange, notes.severity());
        let message = format!("{who} answered 405 with {told}");
        let finding = notes.note(severity, Confidence::Likely, &[exchange.span()], message);
        if let Some(finding) = finding.filter(|_| other_server::is_named_otherwise(response)) {
            finding.advise(ELSEWHERE).confirm_by(SETTINGS);
        }
    }
}

/// What to do where the server is not IIS.
const ELSEWHERE: &str = "Switch WebDAV off for this path in the server's settings, and let its BITS extension take BITS_POST.";
const SETTINGS: &str = "The server's settings for this path: what takes PROPFIND there.";

/// What tells that WebDAV has the directory: its own field, or the verbs that are allowed.
pub(in crate::rules) fn sign(response: &Response) -> Option<String> {
    let allow = response.allow.as_deref().unwrap_or_default();
    let verbs = allow.to_ascii_uppercase();
    let lists = VERBS.iter().any(|verb| verbs.contains(verb));
    let dav = response.dav.as_ref().map(|dav| format!("DAV \"{dav}\""));
    dav.or_else(|| lists.then(|| format!("Allow \"{allow}\"")))
}

/// Verbs that only WebDAV has (RFC 4918 9).
const VERBS: [&str; 4] = ["PROPFIND", "PROPPATCH", "MKCOL", "UNLOCK"];

#[cfg(test)]
mod tests {
    use crate::rules::tests::report;

    #[test]
    fn only_iis_has_modules_to_remove() {
        let advice = |server: &str| {
            let report = report(&format!(
                "> CREATE-SESSION\n< 405 plain\n  Server: {server}\n  DAV: 1,2\n  Allow: GET, PROPFIND\n"
            ));
            report.sessions[0].diagnosis.clone().unwrap().advice.unwrap()
        };
        assert!(advice("Microsoft-IIS/10.0").contains("WebDAVModule"));
        assert!(!advice("Apache/2.4.57").contains("WebDAVModule"));
    }
}
