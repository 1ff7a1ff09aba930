//! The rule `webdav-conflict`.

use crate::model::{Exchange, Session};
use crate::rules::origin::Origin;
use crate::rules::{Confidence, Notes, look};

rule! {
    /// WebDAV took the request that was for BITS.
    ///
    /// The 405 lists the verbs of WebDAV: its module stands before the BITS extension in this directory and knows no BITS_POST.
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
    let allow = response.allow.as_deref().unwrap_or_default();
    let verbs = allow.to_ascii_uppercase();
    let lists = VERBS.iter().any(|verb| verbs.contains(verb));
    if lists || response.dav.is_some() {
        let dav = response.dav.as_deref().map(|dav| format!("DAV \"{dav}\""));
        let told = dav.unwrap_or_else(|| format!("Allow \"{allow}\""));
        let who = Origin::describe(response);
        let severity = look::unless_made_good(session, exchange, notes.severity());
        let message = format!("{who} answered 405 with {told}");
        notes.note(severity, Confidence::Likely, &[exchange.span()], message);
    }
}

/// Verbs that only WebDAV has (RFC 4918 9).
const VERBS: [&str; 4] = ["PROPFIND", "PROPPATCH", "MKCOL", "UNLOCK"];
