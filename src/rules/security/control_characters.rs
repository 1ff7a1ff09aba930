//! The rule `control-characters`.

use crate::model::{Exchange, Odd, Request, Response, Session};
use crate::rules::look::Fresh;
use crate::rules::{Confidence, Notes};
use crate::stream::Side;

rule! {
    /// Control characters where a name should be.
    ///
    /// Escape sequences, characters that turn the direction of writing, NUL: an attack on terminals and logs, or a
    /// broken client.
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
    let mut known = Known::default();
    let found =
        session.exchanges.iter().find_map(|exchange| Some((exchange, known.place(exchange)?)));
    let Some((exchange, (side, what))) = found else { return };
    let message = format!("{what} of the {} holds control characters", exchange.kind);
    let finding = notes.note(notes.severity(), Confidence::Certain, &[exchange.span()], message);
    if let Some(finding) = finding.filter(|_| side == Side::Server) {
        finding.turn_to("whoever answered");
    }
}

/// Texts that were looked at.
#[derive(Default)]
struct Known<'a> {
    targets: Fresh<'a>,
    files: Fresh<'a>,
    ids: Fresh<'a>,
    ids_answered: Fresh<'a>,
}

impl<'a> Known<'a> {
    /// Whose they are in an exchange, and where.
    fn place(&mut self, exchange: &'a Exchange) -> Option<(Side, &'static str)> {
        let asked = exchange.request.as_ref().and_then(|request| self.of_request(request));
        match asked {
            Some(what) => Some((Side::Client, what)),
            None => Some((Side::Server, self.of_response(exchange.response.as_ref()?)?)),
        }
    }

    fn of_request(&mut self, request: &'a Request) -> Option<&'static str> {
        let target = self.targets.text(Some(&request.target));
        if target.is_some_and(is_escaped) || holds(target) {
            return Some("the URL");
        }
        if holds(self.files.text(request.content_name.as_ref())) {
            return Some("Content-Name");
        }
        if holds(self.ids.text(request.session_id.as_ref())) {
            return Some("the session id");
        }
        in_head(&request.odd).then_some("the head")
    }

    fn of_response(&mut self, response: &'a Response) -> Option<&'static str> {
        if holds(self.ids_answered.text(response.session_id.as_ref())) {
            return Some("BITS-Session-Id in the answer");
        }
        if holds(response.reply_url.as_deref()) {
            return Some("BITS-Reply-URL in the answer");
        }
        if holds(response.host_id.as_deref()) {
            return Some("BITS-Host-Id in the answer");
        }
        in_head(&response.odd).then_some("the head in the answer")
    }
}

fn holds(text: Option<&str>) -> bool {
    text.is_some_and(|text| !is_plain(text) && text.chars().any(is_odd))
}

fn in_head(odd: &[Odd]) -> bool {
    odd.iter().any(|odd| matches!(odd, Odd::Nul | Odd::Control))
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
    memchr::memchr_iter(b'%', target.as_bytes()).any(|place| {
        let hex = target.get(place + 1..place + 3);
        let byte = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        byte.is_some_and(|byte| byte.is_ascii_control())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::tests::report;

    #[test]
    fn who_wrote_them_is_asked() {
        let told = |create: &str, answer: &str| {
            let text = format!("> CREATE-SESSION {create}\n< 200 {answer}\n");
            let mut session = report(&text).sessions.remove(0);
            session.findings.retain(|finding| finding.rule == "control-characters");
            let finding = session.findings.remove(0);
            let (what, _) = finding.message.split_once(" of the Create-Session").unwrap();
            (what.to_owned(), finding.answerable.unwrap().to_string())
        };
        let by = |what: &str, who: &str| (what.to_owned(), who.to_owned());
        assert_eq!(told("name=a\u{202e}b", "session=1"), by("Content-Name", "the client"));
        let fields = [
            ("session=1\u{202e}", "BITS-Session-Id"),
            ("session=1 reply=a\u{202e}b", "BITS-Reply-URL"),
            ("session=1 host=a\u{202e}b", "BITS-Host-Id"),
        ];
        for (answer, field) in fields {
            assert_eq!(told("", answer), by(&format!("{field} in the answer"), "whoever answered"));
        }
    }

    #[test]
    fn characters_that_turn_the_direction_of_writing_are_odd() {
        assert!("invoice\u{202e}fdp.exe".chars().any(is_odd));
        assert!("\u{9b}31m".chars().any(is_odd));
        assert!(!"\u{e9}t\u{e9} \u{5d0}.txt".chars().any(is_odd));
    }
}
