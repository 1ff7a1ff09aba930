//! The rule `control-characters`.

use crate::model::{Exchange, Session};
use crate::rules::Notes;

rule! {
    /// Control characters where a name should be.
    ///
    /// Escape sequences, characters that turn the direction of writing, NUL: an attack on terminals and logs, or a broken client.
    ///
    /// ```fires
    /// = url http://server/upload/a%1b[2Jb
    /// > CREATE-SESSION
    /// < 200 session=1
    /// ```
    /// ```silent
    /// = url http://server/upload/a%20b%C3%A9.txt
    /// > CREATE-SESSION name=été.txt
    /// < 200 session=1
    /// ```
    ///
    /// Answerable: the client
    /// Advice: Read logs of this request only with a tool that escapes them.
    /// Reference: RFC 9110 5.5
    Warning, belief 0, needs Anything, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    let found = session.exchanges.iter().find_map(|exchange| Some((exchange, place(exchange)?)));
    if let Some((exchange, what)) = found {
        notes.add(
            exchange.span(),
            format!("{what} of the {} holds control characters", exchange.kind),
        );
    }
}

/// Where in an exchange they are.
fn place(exchange: &Exchange) -> Option<&'static str> {
    let (request, response) = (exchange.request.as_ref(), exchange.response.as_ref());
    let text =
        |text: Option<&str>| text.is_some_and(|text| !is_plain(text) && text.chars().any(is_odd));
    let head = |odd: Option<&Vec<String>>| {
        odd.is_some_and(|odd| odd.iter().any(|odd| matches!(odd.as_str(), "nul" | "control")))
    };
    [
        ("the URL", request.is_some_and(|request| is_escaped(&request.target))),
        ("the URL", text(request.map(|request| &*request.target))),
        ("Content-Name", text(request.and_then(|request| request.content_name.as_deref()))),
        ("the session id", text(request.and_then(|request| request.session_id.as_deref()))),
        ("the head", head(request.map(|request| &request.odd))),
        (
            "BITS-Session-Id in the answer",
            text(response.and_then(|response| response.session_id.as_deref())),
        ),
        (
            "BITS-Reply-URL in the answer",
            text(response.and_then(|response| response.reply_url.as_deref())),
        ),
        (
            "BITS-Host-Id in the answer",
            text(response.and_then(|response| response.host_id.as_deref())),
        ),
        ("the head in the answer", head(response.map(|response| &response.odd))),
    ]
    .into_iter()
    .find(|(_, is)| *is)
    .map(|(what, _)| what)
}

/// Whether all of it is printable ASCII, as nearly always.
fn is_plain(text: &str) -> bool {
    // Without a way out of the loop it is done for many bytes at once.
    text.bytes().fold(true, |plain, byte| plain & matches!(byte, b' '..=b'~'))
}

/// Controls of ASCII, of Latin 1 and of the direction of writing.
fn is_odd(c: char) -> bool {
    c.is_control() && c != '\t'
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether a control of ASCII is written as an escape.
fn is_escaped(target: &str) -> bool {
    target.split('%').skip(1).any(|rest| {
        let byte = rest.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        byte.is_some_and(|byte| byte.is_ascii_control())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_turn_the_direction_of_writing_are_odd() {
        assert!("invoice\u{202e}fdp.exe".chars().any(is_odd));
        assert!("\u{9b}31m".chars().any(is_odd));
        assert!(!"\u{e9}t\u{e9} \u{5d0}.txt".chars().any(is_odd));
    }
}
