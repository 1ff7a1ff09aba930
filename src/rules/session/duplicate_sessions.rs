//! The rule `duplicate-sessions`.

use crate::at::Span;
use crate::model::{Outcome, Session};
use crate::rules::history::Brief;
use crate::rules::{Around, Confidence, Notes, Severity, course, wording};

rule! {
    /// The client opened another session for an upload that it had open already.
    ///
    /// The earlier one was neither closed nor cancelled, so the server keeps its part of the file until the session times
    /// out, and its bytes are sent again. After an error of the server, or where its answer did not arrive, the client has
    /// no choice, and this is a note.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 200
    /// ... 10 s
    /// = connection
    /// > CREATE-SESSION
    /// < 200 session=2
    /// > FRAGMENT 0-19/20
    /// < 200
    /// > CLOSE-SESSION
    /// < 200
    /// ```
    /// Two jobs side by side, or two clients behind one address, one of which takes the place of what the other brought:
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// = connection
    /// > CREATE-SESSION
    /// < 200 session=2
    /// > FRAGMENT 0-9/10
    /// < 200
    /// > CLOSE-SESSION
    /// < 200
    /// = connection
    /// > FRAGMENT 0-9/10 session=1
    /// < 200
    /// > CLOSE-SESSION session=1
    /// < 200
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/10
    /// < 200
    /// > CLOSE-SESSION
    /// < 200
    /// = connection
    /// > CREATE-SESSION
    /// < 200 session=2
    /// > FRAGMENT 0-9/10
    /// < 200
    /// > CLOSE-SESSION
    /// < 200
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 500 error=0x8020001F context=0x5
    /// > CREATE-SESSION
    /// < 200 session=2
    /// > FRAGMENT 0-19/20
    /// < 200
    /// > CLOSE-SESSION
    /// < 200
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > CANCEL-SESSION
    /// < 200
    /// > CREATE-SESSION
    /// < 200 session=2
    /// ```
    ///
    /// Answerable: the client
    /// Advice: Find out why the first session was given up: the last frames of it, and the client's BITS log; look for two jobs with one remote URL.
    /// Confirm: Get-BitsTransfer -AllUsers on the client lists the jobs with their URLs.
    /// Reference: [MC-BUP] 3.1.5.1.2
    Warning, belief 15, needs Anything, Around
}

fn check(session: &Session, around: &Around<'_>, notes: &mut Notes<'_>) {
    let Some(created) = course::created(session) else { return };
    let other = |brief: &&Brief| {
        // Both legs through a proxy on the client's own machine look alike, but carry one id.
        brief.created && brief.whole && brief.id.is_some() && brief.id != session.id
    };
    let others = || around.same_upload().filter(other);
    let Some(earlier) = others().rfind(|brief| brief.is_open()) else {
        // Two machines behind one address may have one agent, too.
        let at = created.span().first.time;
        let same = |brief: &&Brief| brief.agent == session.user_agent && brief.last.time > at;
        if let Some(beside) = others().rfind(|brief| same(brief) && is_done(brief)) {
            notes.note(
                Severity::Note,
                Confidence::Possible,
                &[created.span(), Span { first: beside.first, last: beside.last }],
                side_by_side(beside),
            );
        }
        return;
    };
    // A client that never closes its sessions loses nothing by another one.
    let finished = earlier.total == Some(earlier.acknowledged);
    let forced = earlier.outcome == Outcome::Failed || around.fails_elsewhere(earlier);
    // One that went on was not given up.
    let went_on = earlier.last.time > created.span().last.time;
    let note = forced || finished || went_on || earlier.unheard;
    let severity = if note { Severity::Note } else { notes.severity() };
    let message = format!(
        "session \"{}\" of frame {} is still open, with {} of the file acknowledged{}",
        earlier.id.as_deref().unwrap_or_default(),
        earlier.first.name(),
        wording::counted(earlier.acknowledged, "byte"),
        if earlier.unheard { "; the client never learned of it" } else { "" }
    );
    // The error may be among what the capture lacks.
    let seen = session.is_whole() && !session.may_be_beside(0);
    let sure = if seen { Confidence::Certain } else { Confidence::Likely };
    let spans = [created.span(), Span::at(earlier.first)];
    let finding = notes.note(severity, sure, &spans, message);
    if let Some(finding) = finding.filter(|_| earlier.unheard) {
        finding.turn_to("the network").advise(OF_PATH);
    }
}

/// What to do where the client could not know of the first session.
const OF_PATH: &str = "Look at the way from the server to the client: the server repeated the Ack that opened the first session, and nobody acknowledged it.";

fn is_done(brief: &Brief) -> bool {
    brief.outcome == Outcome::Completed
}

fn side_by_side(beside: &Brief) -> String {
    format!(
        "session \"{}\" of frame {} for the same URL was under way, too, until frame {}",
        beside.id.as_deref().unwrap_or_default(),
        beside.first.name(),
        beside.last.name()
    )
}

#[cfg(test)]
mod tests {
    use crate::rules::Confidence::{Certain, Likely};
    use crate::rules::Severity::{Note, Warning};
    use crate::rules::tests::{fired, report, severity};

    /// What is said of a second session for an upload, with `rest` behind its Fragment.
    fn second(rest: &str) -> Vec<crate::rules::Severity> {
        let open =
            |id: u8| format!("> CREATE-SESSION\n< 200 session={id}\n> FRAGMENT 0-9/30\n< 200\n");
        let text = format!("{}= connection\n{}= connection\n{rest}", open(1), open(2));
        let found = fired(&text).into_iter().filter(|(rule, _)| rule == "duplicate-sessions");
        found.map(|(_, severity)| severity).collect()
    }

    #[test]
    fn two_that_go_on_side_by_side_are_worth_a_note() {
        let on = "> FRAGMENT 10-19/30 session=1\n< 200\n= connection\n> FRAGMENT 10-19/30 session=2\n< 200\n";
        assert_eq!((second(on), second("")), (vec![Note], vec![Warning]));
    }

    #[test]
    fn an_answer_that_did_not_arrive_leaves_the_client_no_choice() {
        let own = |first: &str| {
            let text = format!(
                "> CREATE-SESSION\n< 200 session=1{first}\n... 5 s\n= connection\n> CREATE-SESSION\n\
                 < 200 session=2\n> FRAGMENT 0-19/20\n< 200\n> CLOSE-SESSION\n< 200\n"
            );
            severity("duplicate-sessions", &text)
        };
        assert_eq!((own(""), own(" dropped\n! again\n! again")), (Some(Warning), Some(Note)));
    }

    #[test]
    fn an_error_on_the_other_leg_leaves_the_client_no_choice() {
        let front = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< 500 error=0x8020001F\n... -1 ms\n";
        let behind = "= client 192.0.2.80\n= server 10.0.9.80:80\n> CREATE-SESSION\n< 200 session=1\n= connection\n\
                      > CREATE-SESSION\n< 200 session=2\n> FRAGMENT 0-19/20\n< 200\n> CLOSE-SESSION\n< 200\n";
        let own = |text: &str| severity("duplicate-sessions", text);
        assert_eq!(own(behind), Some(Warning));
        assert_eq!(own(&format!("{front}{behind}")), Some(Note));
    }

    #[test]
    fn an_error_that_the_capture_lacks_leaves_it_likely() {
        let sure = |lost: &str| {
            let text = format!(
                "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n< 200\n= connection\n{lost}> CREATE-SESSION\n\
                 < 200 session=2\n> FRAGMENT 0-19/20\n< 200\n> CLOSE-SESSION\n< 200\n"
            );
            let found = report(&text).sessions.into_iter().flat_map(|session| session.findings);
            let own = found.filter(|finding| finding.rule == "duplicate-sessions");
            own.map(|finding| finding.confidence).collect::<Vec<_>>()
        };
        assert_eq!(sure(""), [Certain]);
        assert_eq!(sure("> FRAGMENT 10-19/20 lost\n< 500 lost\n"), [Likely]);
    }

    #[test]
    fn the_frames_that_are_named_are_shown() {
        let open =
            |id: u8| format!("> CREATE-SESSION\n< 200 session={id}\n> FRAGMENT 0-9/30\n< 200\n");
        let report = report(&format!("{}= connection\n{}", open(1), open(2)));
        let first = report.sessions[0].exchanges[0].span().first.frame;
        let mut found = report.sessions.iter().flat_map(|session| &session.findings);
        let own = found.find(|finding| finding.rule == "duplicate-sessions").unwrap();
        assert!(own.message.contains(&format!("of frame {first} ")) && own.frames.contains(&first));
    }
}
