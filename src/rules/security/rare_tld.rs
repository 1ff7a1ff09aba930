//! The rule `rare-tld`.

use crate::model::Session;
use crate::rules::{Notes, address};

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
    Note, belief 0, needs Anything, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    let host = session.url.as_deref().and_then(address::host_and_port).map(|(host, _)| host);
    let end = host.and_then(|host| host.trim_end_matches('.').rsplit_once('.')).map(|(_, end)| end);
    let rare = end.filter(|end| is_rare(end));
    if let (Some(end), Some(first)) = (rare, session.exchanges.first()) {
        notes.add(first.span(), format!("the host is in .{end}"));
    }
}

/// Domains with a high share of abuse in public statistics, and the one of hidden services.
fn is_rare(end: &str) -> bool {
    let mut lower = [0; LONGEST];
    let Some(lower) = lower.get_mut(..end.len()) else { return false };
    lower.copy_from_slice(end.as_bytes());
    lower.make_ascii_lowercase();
    match &*lower {
        b"tk" | b"ml" | b"ga" | b"cf" | b"gq" | b"pw" | b"su" => true,
        b"top" | b"xyz" | b"icu" | b"cam" | b"sbs" | b"cfd" | b"lol" | b"mom" | b"zip" | b"mov"
        | b"gdn" => true,
        b"buzz" | b"cyou" | b"rest" | b"link" | b"work" | b"surf" | b"bond" | b"loan" => true,
        b"click" | b"quest" | b"onion" | b"stream" | b"monster" | b"download" => true,
        _ => false,
    }
}

/// The length of the longest of them.
const LONGEST: usize = 8;
