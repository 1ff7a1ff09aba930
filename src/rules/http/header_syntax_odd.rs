//! The rule `header-syntax-odd`.

use crate::model::{Exchange, Session};
use crate::rules::{Notes, wording};

rule! {
    /// Heads are written in forms that the grammar does not allow.
    ///
    /// They were understood all the same; other software may read them differently.
    ///
    /// ```fires
    /// > CREATE-SESSION
    ///   + BITS-Session-Id: a
    ///   + BITS-Session-Id: b
    /// < 200 session=1
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    ///   + X-Custom: a
    ///   + X-Custom: b
    /// < 200 session=1
    /// ```
    ///
    /// Answerable: whoever wrote them
    /// Advice: Write each field once, on one line that ends in CR LF.
    /// Reference: RFC 9112 5
    Note, belief 0, needs Anything, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    let plain = session.exchanges.iter().all(|exchange| {
        exchange.request.as_ref().is_none_or(|request| request.odd.is_empty())
            && exchange.response.as_ref().is_none_or(|response| response.odd.is_empty())
    });
    if plain {
        return;
    }
    for (name, words) in FORMS {
        let odd = |odd: &Vec<String>| odd.iter().any(|odd| odd == name);
        let request = |exchange: &&Exchange| {
            exchange.request.as_ref().is_some_and(|request| odd(&request.odd))
        };
        let response = |exchange: &&Exchange| {
            exchange.response.as_ref().is_some_and(|response| odd(&response.odd))
        };
        let requests = session.exchanges.iter().filter(request).count();
        let responses = session.exchanges.iter().filter(response).count();
        let first =
            session.exchanges.iter().find(|exchange| request(exchange) || response(exchange));
        if let Some(first) = first {
            let message = format!(
                "{words} in {} and {}",
                wording::counted(requests, "request"),
                wording::counted(responses, "response")
            );
            notes.add(first.span(), message);
        }
    }
}

/// The oddities of a head, in words.
const FORMS: [(&str, &str); 5] = [
    ("bare-lf", "lines that end in LF alone"),
    ("folded", "folded lines"),
    ("nul", "NUL bytes"),
    ("bad-lines", "lines that are no field"),
    ("repeated", "a field twice that may stand but once"),
];
