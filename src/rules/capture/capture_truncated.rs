//! The rule `capture-truncated`.

use crate::model::{Report, Session};
use crate::rules::{Notes, Place, Seen, look, wording};
use crate::stream::{Connection, SideFacts};

rule! {
    /// Packets were cut by the snap length.
    ///
    /// Heads usually survive, bodies do not: no hash of such a file is possible. Of a head that is cut, nothing tells which
    /// fields it lacks; and where it ends before it says what it is, nor which upload it belongs to.
    ///
    /// Answerable: the capture
    /// Advice: Capture with a larger snap length, as with `-s 0` of `bitsleuth capture` and tcpdump.
    Warning, belief 1, needs Anything, Anywhere
}

fn check(place: Place<'_>, notes: &mut Notes<'_>) {
    match place {
        Place::Session(session, _) => unclear(session, notes),
        Place::Capture(report, seen) => cut(report, seen, notes),
    }
}

/// An error that may be the refusal of a Create-Session as well as that of anything else, or that does not tell why.
fn unclear(session: &Session, notes: &mut Notes<'_>) {
    let Some(last) = session.exchanges.last() else { return };
    let Some(answer) = look::refusal(last) else { return };
    // A hole leaves as much open, and is another matter.
    let is_cut = |side: fn(&Connection) -> &SideFacts| {
        session.connection(last.connection).is_some_and(|connection| side(connection).cut > 0)
    };
    let status = answer.http_status;
    if last.is_unclear() && is_cut(|connection| &connection.client_side) {
        let message = format!("what was answered {status} is cut off before it shows what it is");
        notes.add(last.span(), message);
    } else if answer.is_cut() && answer.error.is_none() && is_cut(|one| &one.server_side) {
        let message = format!("the answer {status} is cut off before it shows an error code");
        notes.add(answer.span, message);
    }
}

fn cut(report: &Report, seen: &Seen, notes: &mut Notes<'_>) {
    let inputs = report.captures.iter().enumerate();
    for (number, input) in inputs.filter(|(_, input)| input.cut_frames > 0) {
        let message = format!(
            "{}: {} of {} cut, to {} at most",
            input.name,
            input.cut_frames,
            wording::counted(input.frames, "frame"),
            wording::counted(input.longest, "byte")
        );
        notes.of_input(number, message);
    }
    if let Some((count, span)) = seen.beheaded {
        let requests = wording::counted(count, "request");
        let message = format!(
            "{requests} of BITS cut off within the first line: what became of such uploads is unseen"
        );
        notes.add(span, message);
    }
}
