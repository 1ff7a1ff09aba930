//! The rule `credentials-in-url`.

use crate::bits::secrets;
use crate::model::{Exchange, Request, Session};
use crate::rules::{Confidence, Notes, Severity};

rule! {
    /// The URL holds credentials.
    ///
    /// URLs end up in the logs of every server and proxy on the way. A password before the host is deprecated; a token in
    /// the query is reported as a note. Neither is shown nor kept here, unless asked for.
    ///
    /// ```fires
    /// > POST http://bob:secret@server/upload/file.bin
    ///   BITS-Packet-Type: Create-Session
    ///   Content-Length: 0
    /// < 200 session=1
    /// ```
    /// ```fires
    /// = url http://server/upload/file.bin?access_token=abc
    /// > CREATE-SESSION
    /// < 200 session=1
    /// ```
    /// ```silent
    /// = url http://server/upload/bob@home.bin?token=
    /// > CREATE-SESSION
    /// < 200 session=1
    /// ```
    ///
    /// Answerable: the client
    /// Advice: Give the credentials to the job (SetCredentials), not to its URL; change this password or token.
    /// Reference: RFC 3986 3.2.1
    Warning, belief 0, needs Anything, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    let may_hold = |exchange: &Exchange| exchange.request.as_ref().is_some_and(has_place);
    if !session.exchanges.iter().any(may_hold) {
        return;
    }
    let first = |holds: fn(&Request) -> bool| {
        session.exchanges.iter().find_map(|exchange: &Exchange| {
            let request = exchange.request.as_ref().filter(|request| holds(request))?;
            Some((exchange, request))
        })
    };
    if let Some((exchange, request)) = first(has_password) {
        let message = format!("a password before the host: \"{}\"", shown(request));
        notes.add(exchange.span(), message);
    }
    if let Some((exchange, request)) = first(has_token) {
        let names: Vec<&str> = secrets::tokens(&request.target).collect();
        let message = format!("a credential in the query: \"{}\"", names.join(", "));
        notes.note(Severity::Note, Confidence::Certain, &[exchange.span()], message);
    }
}

/// Whether there is a place for a secret in it.
fn has_place(request: &Request) -> bool {
    let holds = |text: &str| memchr::memchr2(b'@', b'?', text.as_bytes()).is_some();
    holds(&request.target) || request.host.as_deref().is_some_and(holds)
}

fn has_password(request: &Request) -> bool {
    secrets::had_password(&request.target)
        || request.host.as_deref().is_some_and(secrets::had_password)
}

fn has_token(request: &Request) -> bool {
    secrets::tokens(&request.target).next().is_some()
}

/// Where the password stood, masked.
fn shown(request: &Request) -> &str {
    let host = request.host.as_deref().filter(|host| secrets::had_password(host));
    host.unwrap_or(&request.target)
}
