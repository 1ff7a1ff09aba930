//! The rule `duplicate-sessions`.

use crate::model::{Outcome, Session};
use crate::rules::around::Brief;
use crate::rules::{Around, Confidence, Notes, Severity, look};

rule! {
    /// The client opened another session for an upload that it had open already.
    ///
    /// The earlier one was neither closed nor cancelled, so the server keeps its part of the file until the session times
    /// out, and its bytes are sent again. After an error of the server the client has no choice, which is a note.
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
    let Some(created) = session.exchanges.iter().find(|exchange| look::creates(exchange)) else {
        return;
    };
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
                &[created.span()],
                side_by_side(beside),
            );
        }
        return;
    };
    // A client that never closes its sessions loses nothing by another one.
    let finished = earlier.total == Some(earlier.acknowledged);
    let forced = earlier.outcome == Outcome::Failed;
    let severity = if forced || finished { Severity::Note } else { notes.severity() };
    let message = format!(
        "session \"{}\" of frame {} is still open, with {} bytes of the file acknowledged",
        earlier.id.as_deref().unwrap_or_default(),
        earlier.first.frame,
        earlier.acknowledged
    );
    notes.note(severity, Confidence::Certain, &[created.span()], message);
}

fn is_done(brief: &Brief) -> bool {
    brief.outcome == Outcome::Completed
}

fn side_by_side(beside: &Brief) -> String {
    format!(
        "session \"{}\" of frame {} for the same URL was under way, too, until frame {}",
        beside.id.as_deref().unwrap_or_default(),
        beside.first.frame,
        beside.last.frame
    )
}
