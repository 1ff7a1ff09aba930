//! The rule `session-id-on-two-urls`.

use crate::bits::protocol::canonical_id;
use crate::model::{Exchange, Session, url};
use crate::rules::Notes;

rule! {
    /// One session id is used with two paths.
    ///
    /// A session is for one file. A client that mixes its sessions up sends bytes of one file into another; a server that
    /// hands out an id twice makes it look the same.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200
    /// = url http://server/upload/other.bin
    /// > FRAGMENT 10-19/20
    /// < 200
    /// ```
    /// ```silent
    /// = url http://server/upload/my%20file.bin
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200
    /// = url http://server/UPLOAD/my%20file.bin?part=2
    /// > FRAGMENT 10-19/20
    /// < 200
    /// ```
    ///
    /// Answerable: the client
    /// Advice: Let the client use the URL of Create-Session for the whole session; see whether the server hands out ids twice.
    /// Reference: [MC-BUP] 2.2.1.2
    Warning, belief 30, needs Anything, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    let mut requests = session.exchanges.iter().filter_map(|exchange| exchange.request.as_ref());
    let Some(first) = requests.next() else { return };
    if requests.all(|request| request.target == first.target) {
        return;
    }
    let mut paths =
        session.exchanges.iter().filter_map(|exchange| Some((exchange, path(exchange)?)));
    let Some((_, usual)) = paths.next() else { return };
    if paths.all(|(_, path)| path == usual) {
        return;
    }
    let Some(id) = session.id.as_deref().map(canonical_id) else { return };
    let of_session = |exchange: &&Exchange| {
        let request = exchange.request.as_ref();
        let own = request.and_then(|request| request.session_id.as_deref()).map(canonical_id);
        own.is_some_and(|own| own == id)
    };
    let mut first: Option<(&Exchange, String)> = None;
    for exchange in session.exchanges.iter().filter(of_session) {
        let Some(path) = path(exchange).map(folded) else { continue };
        match &first {
            None => first = Some((exchange, path)),
            Some((known, other)) if known.server == exchange.server && *other != path => {
                notes.add(
                    exchange.span(),
                    format!("\"{path}\" where the session is for \"{other}\""),
                );
                return;
            }
            Some(_) => {}
        }
    }
}

/// The path that a request names.
fn path(exchange: &Exchange) -> Option<&str> {
    exchange.request.as_ref().map(url::path_of)
}

/// A path as a server that knows no case compares it.
fn folded(path: &str) -> String {
    url::percent_decoded(path).to_lowercase()
}
