//! The rule `iis-request-filtering-path`.

use crate::model::Session;
use crate::rules::page::{self, Fault};
use crate::rules::{Around, Confidence, Notes, look};

rule! {
    /// IIS refused the name in the URL, whatever the verb.
    ///
    /// Request filtering hides some folders (`bin`, `App_Data`), denies some extensions (`.config`, `.mdb`), escapes within escapes
    /// such as `+`, and long URLs; it answers a bare 404, and
    /// names the reason to clients it trusts.
    ///
    /// ```fires
    /// = url http://server/upload/bin/file.dat
    /// > CREATE-SESSION
    /// < 404 plain
    ///   Server: Microsoft-IIS/10.0
    /// ```
    /// ```fires
    /// = url http://server/upload/a.mdb
    /// > CREATE-SESSION
    /// < 404 plain
    ///   Server: Microsoft-IIS/10.0
    /// ```
    /// The page names the reason:
    /// ```fires
    /// > CREATE-SESSION
    /// < 404 plain
    ///   Server: Microsoft-IIS/10.0
    ///   | <html><title>IIS 10.0 Detailed Error - 404.5 - Not Found</title>
    /// ```
    /// ```silent
    /// = url http://server/upload/web.config
    /// > CREATE-SESSION
    /// < 404 plain
    ///   Server: Microsoft-IIS/10.0
    ///   | <html><title>IIS 10.0 Detailed Error - 404.13 - Not Found</title>
    /// ```
    /// ```silent
    /// = url http://server/upload/a.bin
    /// > CREATE-SESSION
    /// < 404 plain
    ///   Server: Microsoft-IIS/10.0
    /// ```
    /// ```silent
    /// = url http://server/upload/bin/file.dat
    /// > CREATE-SESSION
    /// < 404 plain
    ///   Server: nginx/1.22.1
    /// ```
    ///
    /// Answerable: the server
    /// Advice: Allow the name in the request filtering of this directory: hiddenSegments, fileExtensions, allowDoubleEscaping or requestLimits.
    /// Confirm: The IIS log shows sc-status 404 with sc-substatus 5, 7, 8, 11, 12, 14, 15, 18 or 20.
    /// Reference: RFC 9110 15.5.5
    Error, belief 94, needs Anything, TroubledAround
}

fn check(session: &Session, around: &Around<'_>, notes: &mut Notes<'_>) {
    for (exchange, request, response) in look::unknown_to_iis(session) {
        let others = || around.same_server(session).any(|brief| brief.acknowledged > 0);
        let (confidence, message) = match (page::fault(response), page::sub_status(response)) {
            (Some((Fault::Name, why)), _) => {
                (Confidence::Certain, format!("the page of IIS names {why}"))
            }
            (_, Some(_)) => continue,
            (_, None) => {
                let Some(why) = filtered(&request.target) else { continue };
                let message = format!("IIS answered 404 for a name with {why}");
                if others() {
                    (Confidence::Likely, format!("{message}; other names were accepted"))
                } else {
                    (Confidence::Possible, message)
                }
            }
        };
        let severity = look::unless_made_good(session, exchange, notes.severity());
        notes.note(severity, confidence, &[exchange.span()], message);
    }
}

/// Folders that are hidden by default.
const HIDDEN: [&str; 9] = [
    "web.config",
    "bin",
    "app_code",
    "app_globalresources",
    "app_localresources",
    "app_webreferences",
    "app_data",
    "app_browsers",
    "runtimes",
];

/// Extensions that are denied by default.
const DENIED: [&str; 24] = [
    "asa",
    "asax",
    "ascx",
    "master",
    "skin",
    "browser",
    "sitemap",
    "config",
    "cs",
    "csproj",
    "vb",
    "vbproj",
    "webinfo",
    "licx",
    "resx",
    "resources",
    "mdb",
    "vjsproj",
    "java",
    "jsl",
    "ldb",
    "mdf",
    "ldf",
    "lnk",
];

/// The longest URL and the longest query that are allowed by default, in bytes.
const LONGEST: [usize; 2] = [4096, 2048];

/// Whether a folder or file of this name is hidden by default.
pub fn is_hidden(name: &str) -> bool {
    HIDDEN.iter().any(|hidden| hidden.eq_ignore_ascii_case(name))
}

/// Whether this extension is denied by default.
pub fn is_denied(extension: &str) -> bool {
    DENIED.iter().any(|denied| denied.eq_ignore_ascii_case(extension))
}

/// What the default request filtering would not let through.
pub(in crate::rules) fn filtered(target: &str) -> Option<String> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let lower = path.to_ascii_lowercase();
    let hidden = lower.split('/').find(|segment| HIDDEN.contains(segment));
    let extension =
        lower.rsplit('/').next().and_then(|name| name.rsplit_once('.')).map(|(_, end)| end);
    let [longest_path, longest_query] = LONGEST;
    if let Some(segment) = hidden {
        return Some(format!("the hidden segment \"{segment}\""));
    }
    if let Some(extension) = extension.filter(|extension| DENIED.contains(extension)) {
        return Some(format!("the denied extension \".{extension}\""));
    }
    if lower.contains('+') || lower.contains("%25") {
        return Some("an escape within an escape (\"+\" or \"%25\")".to_owned());
    }
    (path.len() > longest_path || query.len() > longest_query)
        .then(|| format!("{} bytes", target.len()))
}
