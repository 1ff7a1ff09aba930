//! The rule `cancelled`.

use crate::bits::PacketType;
use crate::model::{Exchange, Session};
use crate::rules::{Confidence, Notes, Severity, wording};

rule! {
    /// The client cancelled the upload.
    ///
    /// A user, an application or a policy did. Whatever the server had is dropped; after the last Fragment it may have no
    /// effect on the file, which stays on the server then. Where most of the file was there already, that was costly.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > CANCEL-SESSION
    /// < 200
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > CLOSE-SESSION
    /// < 200
    /// ```
    ///
    /// Answerable: the client
    /// Confirm: Event 60 in the client's BITS-Client log, and who cancelled the job.
    /// Reference: [MC-BUP] 2.2.10
    Note, belief 0, needs Anything, Exchange
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    if exchange.kind != PacketType::CancelSession {
        return;
    }
    let had = session.bytes_acknowledged;
    let total = session.bytes_total.filter(|total| *total > 0);
    let message = match total {
        Some(total) => {
            let all = wording::counted(total, "byte");
            let stays = if had >= total { ": the file may have stayed" } else { "" };
            format!("Cancel-Session with {had} of {all} at the server{stays}")
        }
        None if may_have_sent(session) => "Cancel-Session".to_owned(),
        None => "Cancel-Session before any byte was sent".to_owned(),
    };
    let most = total.is_some_and(|total| had < total && had > total / 2);
    let severity = if most { Severity::Warning } else { notes.severity() };
    notes.note(severity, Confidence::Certain, &[exchange.span()], message);
}

/// Whether bytes were sent, or the capture lacks what would tell.
fn may_have_sent(session: &Session) -> bool {
    session.joined || session.exchanges.iter().any(|exchange| exchange.kind.may_be_fragment())
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::report;

    #[test]
    fn a_file_that_was_whole_may_have_stayed() {
        let told = |end: u32| {
            let file = format!("> FRAGMENT 0-{end}/10\n< 200\n> CANCEL-SESSION\n< 200\n");
            let findings = report(&format!("> CREATE-SESSION\n< 200 session=1\n{file}"))
                .sessions
                .remove(0)
                .findings;
            findings.into_iter().find(|finding| finding.rule == "cancelled").unwrap().message
        };
        assert!(told(9).ends_with("10 of 10 bytes at the server: the file may have stayed"));
        assert!(told(7).ends_with("8 of 10 bytes at the server"));
    }
}
