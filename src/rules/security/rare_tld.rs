//! The rule `rare-tld`.

use crate::model::Session;
use crate::rules::{Around, Notes};

rule! {
    /// The host is in a top-level domain that is seldom used for work.
    ///
    /// Names there were or are free or nearly so, or resolve to no public server at all; hunters look at them first.
    ///
    /// ```fires
    /// = url http://update-service.tk/upload/a
    /// > CREATE-SESSION
    /// < 200 session=1
    /// ```
    /// ```silent
    /// = url http://files.contoso.com/upload/a
    /// > CREATE-SESSION
    /// < 200 session=1
    /// ```
    ///
    /// Advice: Look up since when the name exists and who else resolves it.
    Note, belief 0, needs Anything, Around
}

fn check(session: &Session, around: &Around<'_>, notes: &mut Notes<'_>) {
    let host = around.host.map(|(host, _)| host);
    let end = host.and_then(|host| host.trim_end_matches('.').rsplit_once('.')).map(|(_, end)| end);
    let is_rare = |end: &&str| RARE.iter().any(|rare| rare.eq_ignore_ascii_case(end));
    let rare = end.filter(is_rare);
    if let (Some(end), Some(first)) = (rare, session.exchanges.first()) {
        notes.add(first.span(), format!("the host is in .{end}"));
    }
}

/// Domains with a high share of abuse in public statistics, and the one of hidden services.
const RARE: [&str; 32] = [
    "tk", "ml", "ga", "cf", "gq", "top", "xyz", "buzz", "cyou", "icu", "rest", "click", "link",
    "work", "surf", "monster", "cam", "quest", "sbs", "bond", "cfd", "lol", "mom", "zip", "mov",
    "pw", "su", "onion", "download", "stream", "gdn", "loan",
];
