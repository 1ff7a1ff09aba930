//! The rule `cancelled`.

use crate::bits::PacketType;
use crate::model::{Exchange, Session, fold};
use crate::rules::{Confidence, Notes, Severity, course, wording};

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
    /// What was closed cannot be cancelled:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200
    /// > CLOSE-SESSION
    /// < 200
    /// > CANCEL-SESSION
    /// < 200
    /// ```
    ///
    /// Answerable: the client
    /// Confirm: Event 60 in the client's BITS-Client log, and who cancelled the job.
    /// Reference: [MC-BUP] 2.2.10
    Note, belief 0, needs Anything, Exchange
}

fn check(session: &Session, exchange: &Exchange, notes: &mut Notes<'_>) {
    let late = || course::closed_before(session, exchange).is_some();
    if exchange.kind != PacketType::CancelSession || late() {
        return;
    }
    let had = had(session, exchange);
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

/// How many bytes the server had confirmed by then.
fn had(session: &Session, cancel: &Exchange) -> u64 {
    let goes_on = course::after(session, cancel).any(|later| later.kind.may_be_fragment());
    if goes_on {
        fold::confirmed(course::before(session, cancel))
    } else {
        session.bytes_acknowledged
    }
}

/// Whether bytes were sent, or the capture lacks what would tell.
fn may_have_sent(session: &Session) -> bool {
    session.joined || session.exchanges.iter().any(|exchange| exchange.kind.may_be_fragment())
}

#[cfg(test)]
mod tests {
    use crate::model::Outcome;
    use crate::rules::tests::report;

    #[test]
    fn what_comes_behind_a_cancel_was_not_there_when_it_came() {
        let rest = "> CANCEL-SESSION\n< 200\n> FRAGMENT 5-9/10\n< 200\n";
        let text = format!("> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-4/10\n< 200\n{rest}");
        let session = report(&text).sessions.remove(0);
        assert_eq!(session.outcome, Outcome::Cancelled);
        assert!(session.outcome_qualifiers.is_empty(), "{:?}", session.outcome_qualifiers);
        let told = session.findings.iter().find(|finding| finding.rule == "cancelled").unwrap();
        assert_eq!(told.message, "Cancel-Session with 5 of 10 bytes at the server");
    }

    #[test]
    fn a_cancel_behind_a_close_undoes_nothing() {
        let end = "> CLOSE-SESSION\n< 200\n> CANCEL-SESSION\n< 200\n";
        let text = format!("> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/10\n< 200\n{end}");
        assert_eq!(report(&text).sessions[0].outcome, Outcome::Completed);
    }

    #[test]
    fn a_page_in_place_of_the_ack_closes_nothing_that_bits_cancels() {
        let opened = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/10\n< 200\n";
        let text = format!("{opened}> CLOSE-SESSION\n< 200 plain\n> CANCEL-SESSION\n< 200\n");
        assert_eq!(report(&text).sessions[0].outcome, Outcome::Cancelled);
        let bare = text.replace("CANCEL-SESSION\n< 200\n", "CANCEL-SESSION\n< 200 plain\n");
        assert_eq!(report(&bare).sessions[0].outcome, Outcome::Completed);
    }

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
