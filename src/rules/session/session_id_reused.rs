//! The rule `session-id-reused`.

use crate::at::Span;
use crate::model::Session;
use crate::rules::history::Brief;
use crate::rules::{Around, Confidence, Notes, Severity, course};

rule! {
    /// A server handed out one session id for two uploads.
    ///
    /// Ids must differ within a server, or bytes of one upload end in another. Servers that make the id from the client's
    /// address and the path give the same one for the same file again, and this is a note.
    ///
    /// ```fires
    /// = url http://server/upload/a.bin
    /// > CREATE-SESSION
    /// < 200 session=77
    /// > FRAGMENT 0-9/10
    /// < 200
    /// > CLOSE-SESSION
    /// < 200
    /// = url http://server/upload/b.bin
    /// > CREATE-SESSION
    /// < 200 session=77
    /// > FRAGMENT 0-9/10
    /// < 200
    /// > CLOSE-SESSION
    /// < 200
    /// ```
    /// ```silent
    /// = url http://server/upload/a.bin
    /// > CREATE-SESSION
    /// < 200 session=77
    /// > CLOSE-SESSION
    /// < 200
    /// = url http://server/upload/b.bin
    /// > CREATE-SESSION
    /// < 200 session=78
    /// > CLOSE-SESSION
    /// < 200
    /// ```
    ///
    /// Answerable: the server
    /// Advice: Mend the server: it must give every upload an id that it never gave before.
    /// Reference: [MC-BUP] 2.2.1.2
    Warning, belief 25, needs Anything, Around
}

fn check(session: &Session, around: &Around<'_>, notes: &mut Notes<'_>) {
    let Some(created) = course::created(session) else { return };
    let alike = |brief: &&Brief| brief.created && brief.first.frame != created.span().first.frame;
    let Some(earlier) = around.same_id(session).rfind(alike) else { return };
    let same_file = earlier.url == session.url;
    // One upload captured on both sides of an address translator.
    let twice = same_file && earlier.last.time > session.started;
    if twice {
        return;
    }
    // Two taps may have clocks that differ by more than an upload takes.
    let port = session.exchanges.first().map(|exchange| exchange.client.port());
    let same_upload = earlier.client == session.client.address
        && (earlier.port, earlier.sent) == (port, session.bytes_sent);
    let copy = match same_file && same_upload {
        true => ", from the same port and with as many bytes: it may be one upload, captured twice",
        false => "",
    };
    let severity = if same_file { Severity::Note } else { notes.severity() };
    let message = format!(
        "id \"{}\" was given to {} for {} too, in frame {}{copy}",
        session.id.as_deref().unwrap_or_default(),
        earlier.client,
        earlier.url.as_deref().map_or("another URL".to_owned(), |url| format!("\"{url}\"")),
        earlier.first.name(),
    );
    notes.note(severity, Confidence::Certain, &[created.span(), Span::at(earlier.first)], message);
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::report;

    #[test]
    fn one_upload_captured_twice_by_clocks_that_differ_is_told() {
        let upload = |last: u64| {
            format!(
                "> CREATE-SESSION\n< 200 session=77\n> FRAGMENT 0-{last}/{}\n< 200\n\
                 > CLOSE-SESSION\n< 200\n",
                last + 1
            )
        };
        let told = |text: &str| {
            let sessions = report(text).sessions;
            let mut findings = sessions.iter().flat_map(|session| &session.findings);
            let reused = findings.find(|finding| finding.rule == "session-id-reused").unwrap();
            reused.message.ends_with("captured twice")
        };
        assert!(told(&(upload(9) + &upload(9))));
        assert!(!told(&(upload(9) + &upload(8))));
    }
}
