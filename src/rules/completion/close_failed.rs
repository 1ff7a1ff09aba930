//! The rule `close-failed`.

use crate::bits::PacketType;
use crate::bits::hresult;
use crate::model::{Exchange, Session};
use crate::rules::fragment::body_on_empty_packet;
use crate::rules::origin::Origin;
use crate::rules::{Confidence, Notes, Severity, course, front, look, lost};

rule! {
    /// Close-Session was refused.
    ///
    /// The bytes are at the server, but the file may not be in its place. 404 of BITS means that the server's copy is gone:
    /// cleaned up, taken by an antivirus, deleted. A client tries again on 5xx only.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200
    /// > CLOSE-SESSION
    /// < 404
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200
    /// > CLOSE-SESSION
    /// < 401 plain
    /// > CLOSE-SESSION
    /// < 200
    /// ```
    /// The packet is at fault:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200
    /// > CLOSE-SESSION
    ///   | hello
    /// < 400 error=0x80070057 context=0x5
    /// ```
    ///
    /// Answerable: the server
    /// Advice: Look at the upload directory, its BITS-Sessions folder, the clean-up task and the antivirus of the server.
    /// Confirm: The antivirus log and the folder BITS-Sessions of the virtual directory at this time.
    /// Reference: [MC-BUP] 3.2.5.2.7
    Error, belief 72, needs Anything, Trouble
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let Some(response) = look::refusal(exchange) else { return };
    // A Close that is malformed tells nothing of the file.
    if exchange.kind != PacketType::CloseSession || body_on_empty_packet::is_why(exchange) {
        return;
    }
    // A repeat of a Close that had worked, one that was made good, or one for a session that the server does not know.
    let harmless = course::recovered(session, exchange)
        || course::is_over_before(session, exchange)
        || lost::of(session, exchange).is_some();
    let severity = if harmless { Severity::Note } else { notes.severity() };
    let who_answered = front::origin(session, exchange);
    let unknown = response.http_status == 404;
    let gone = unknown && who_answered == Origin::BitsServer;
    let meaning = if gone { ": the server's copy is gone" } else { "" };
    let who = front::by(session, exchange);
    let code = response.error_value().map(hresult::in_words);
    let code = code.map_or_else(String::new, |code| format!(" with {code}"));
    let message =
        format!("Close-Session was answered {}{who}{code}{meaning}", response.http_status);
    let mut finding = notes.note(severity, Confidence::Certain, &[exchange.span()], message);
    if let Some(finding) = finding.as_deref_mut().filter(|_| unknown && who_answered == Origin::Iis)
    {
        finding
            .advise(NOT_ASKED)
            .confirm_by("The IIS log: BITS_POST with this status and its sub-status.");
    }
    front::turn(finding, who_answered);
}

/// What to do where IIS answered without asking BITS.
const NOT_ASKED: &str = "IIS did not ask BITS: see whether uploads are still enabled for the virtual directory, and its handler mappings; then whether the file is in its place.";

#[cfg(test)]
mod tests {
    use crate::rules::Severity::Note;
    use crate::rules::tests::{diagnosed, severity};

    #[test]
    fn what_a_proxy_answered_tells_nothing_of_the_server_s_copy() {
        let diagnosis = diagnosed(
            "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/10\n< 200\n> CLOSE-SESSION\n\
             < 404 plain\n  Server: squid/5.7",
        );
        assert_eq!(diagnosis.answerable.as_deref(), Some("the proxy"));
        assert!(!diagnosis.summary.contains("gone"), "{}", diagnosis.summary);
    }

    #[test]
    fn what_iis_answered_without_bits_tells_nothing_of_the_server_s_copy() {
        let close = |answer: &str| {
            diagnosed(&format!(
                "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/10\n< 200\n> CLOSE-SESSION\n< {answer}"
            ))
        };
        let bare = close("404 plain\n  Server: Microsoft-IIS/10.0");
        assert!(!bare.summary.contains("gone"), "{}", bare.summary);
        assert!(bare.advice.unwrap().contains("still enabled"));
        assert!(close("404").summary.contains("copy is gone"));
    }

    #[test]
    fn a_retry_that_works_makes_it_a_note() {
        let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/10\n< 200\n> CLOSE-SESSION\n\
             < 500\n... 600 s\n> CLOSE-SESSION\n< 200";
        assert_eq!(severity("close-failed", text), Some(Note));
    }

    #[test]
    fn a_repeat_after_success_makes_it_a_note() {
        let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/10\n< 200\n> CLOSE-SESSION\n\
             < 200\n> CLOSE-SESSION\n< 500 error=0x8020001F";
        assert_eq!(severity("close-failed", text), Some(Note));
    }
}
