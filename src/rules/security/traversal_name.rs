//! The rule `traversal-name`.

use crate::model::Session;
use crate::rules::Notes;
use crate::rules::look::Fresh;

rule! {
    /// A name tries to leave its folder.
    ///
    /// `..` between separators, plain or escaped once or twice, or a NUL that cuts the name short: what an attack on
    /// the server's file system looks like.
    ///
    /// ```fires
    /// = url http://server/upload/%2e%2e%5Cwindows%5Cx.dll
    /// > CREATE-SESSION
    /// < 403 error=0x80070005 context=0x5
    /// ```
    /// ```fires
    /// > CREATE-SESSION name=..\..\x.dll
    /// < 200 session=1
    /// ```
    /// ```silent
    /// = url http://server/upload/report..v2.txt
    /// > CREATE-SESSION name=a..b.txt
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200 reply=BITS-Sessions\Replies\{1}\response.bin
    /// ```
    ///
    /// Answerable: the client
    /// Advice: See what the server made of it: whether a file outside the upload folder was written at this time.
    /// Reference: RFC 3986 5.2.4
    Warning, belief 0, needs Anything, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    let (mut targets, mut files) = (Fresh::default(), Fresh::default());
    let found = session.exchanges.iter().find_map(|exchange| {
        let request = exchange.request.as_ref();
        let response = exchange.response.as_ref();
        let names = [
            ("the URL", targets.text(request.map(|request| &request.target))),
            ("Content-Name", files.text(request.and_then(|request| request.content_name.as_ref()))),
            ("BITS-Reply-URL", response.and_then(|response| response.reply_url.as_deref())),
        ];
        let climbs = names
            .into_iter()
            .find_map(|(what, name)| Some((what, name.filter(|name| leaves(name))?)))?;
        Some((exchange, climbs))
    });
    if let Some((exchange, (what, name))) = found {
        let name: String = name.chars().take(TOLD).collect();
        notes.add(exchange.span(), format!("{what} is \"{name}\""));
    }
}

/// Characters of a name that are told.
const TOLD: usize = 200;

fn leaves(name: &str) -> bool {
    let bytes = name.as_bytes();
    let dots = memchr::memchr_iter(b'.', bytes).any(|at| bytes.get(at + 1) == Some(&b'.'));
    if !dots && memchr::memchr2(b'%', 0, bytes).is_none() {
        return false;
    }
    // Twice, since some servers decode twice.
    let plain = decoded(&decoded(name));
    let path = plain.split(['?', '#']).next().unwrap_or(&plain);
    path.split(['/', '\\']).any(|part| part == "..") || path.contains('\0')
}

fn decoded(name: &str) -> String {
    [("%2e", "."), ("%2f", "/"), ("%5c", "\\"), ("%00", "\0"), ("%25", "%")]
        .iter()
        .fold(name.to_ascii_lowercase(), |name, (escape, plain)| name.replace(escape, plain))
}
