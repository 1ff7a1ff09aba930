//! The request filtering of IIS: what its pages find fault with, and what it denies by default.

use crate::model::Response;
use crate::rules::page;

/// What the request filtering of IIS found fault with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The name in the URL.
    Name,
    /// The verb.
    Verb,
    /// The length of the body.
    Length,
    /// Something else in the request.
    Other,
}

/// Sub-statuses of a 404 by the request filtering of IIS, with words for what each is about.
pub const FILTERED: [(u16, Fault, &str); 13] = [
    (5, Fault::Name, "a sequence that is denied"),
    (6, Fault::Verb, "a verb that is denied"),
    (7, Fault::Name, "an extension that is denied"),
    (8, Fault::Name, "a hidden segment"),
    (10, Fault::Other, "a header that is too long"),
    (11, Fault::Name, "an escape within an escape"),
    (12, Fault::Name, "characters beyond ASCII"),
    (13, Fault::Length, "a body that is too long"),
    (14, Fault::Name, "a URL that is too long"),
    (15, Fault::Name, "a query that is too long"),
    (18, Fault::Name, "a sequence in the query that is denied"),
    (19, Fault::Other, "what a filtering rule denies"),
    (20, Fault::Name, "too many segments"),
];

/// What the page of a 404 by IIS says that request filtering found fault with: also as `404.8, a hidden segment`.
pub fn fault(response: &Response) -> Option<(Fault, String)> {
    let told = page::sub_status(response).filter(|_| response.http_status == 404)?;
    let (number, fault, words) = FILTERED.iter().find(|(number, ..)| *number == told)?;
    Some((*fault, format!("404.{number}, {words}")))
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

/// Whether a name that is hidden by default stands for settings, code or data of the web site.
pub fn governs(target: &str) -> bool {
    let path = target.split('?').next().unwrap_or_default().to_ascii_lowercase();
    let own = |segment: &str| segment == "web.config" || segment.starts_with("app_");
    path.split('/').any(|segment| own(segment) && HIDDEN.contains(&segment))
}

/// What the default request filtering would not let through.
pub fn denied(target: &str) -> Option<String> {
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
