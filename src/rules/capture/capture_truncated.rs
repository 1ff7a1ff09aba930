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
    let shortened: Vec<_> = inputs.filter(|(_, input)| input.cut_frames > 0).collect();
    if let Some((number, first)) = shortened.first() {
        let inputs = || shortened.iter().map(|(_, input)| input);
        let (count, all) = (shortened.len(), report.captures.len());
        // The files of a ring have one snap length, and one remedy.
        let others = if count > 1 {
            format!(" and others, {count} of {all} captures")
        } else {
            String::new()
        };
        let message = format!(
            "{}{others}: {} of {} cut, to {} at most",
            first.name,
            inputs().map(|input| input.cut_frames).sum::<u64>(),
            wording::counted(inputs().map(|input| input.frames).sum::<u64>(), "frame"),
            wording::counted(inputs().map(|input| input.longest).max().unwrap_or(0), "byte")
        );
        let finding = notes.of_input(*number, message);
        if let Some(finding) =
            finding.filter(|_| count < all && report.quality.duplicate_frames > 0)
        {
            finding.advise(OF_COPIES);
        }
    }
    if let Some((count, span)) = seen.beheaded {
        let requests = wording::counted(count, "request");
        let message = format!(
            "{requests} of BITS cut off within the first line: what became of such uploads is unseen"
        );
        notes.add(span, message);
    }
}

/// What to do where the same frames were captured twice: of two copies, the first one counts.
const OF_COPIES: &str = "Some frames are in more than one capture: read the capture that is whole without the other one, or capture with a larger snap length.";

#[cfg(test)]
mod tests {
    use super::{OF_COPIES, RULE};
    use crate::capture::Input;
    use crate::limits::Limits;
    use crate::rules::Judge;
    use crate::transcript;

    #[test]
    fn captures_that_are_cut_for_one_cause_are_told_at_once() {
        let mut report = transcript::analyse(&[], &mut ());
        report.findings.clear();
        let input = |name: &str, cut_frames, longest| {
            let name = name.to_owned();
            Input { name, frames: 9, cut_frames, longest, ..Input::default() }
        };
        let told = |inputs: Vec<Input>| {
            let mut report = report.clone();
            report.captures = inputs;
            Judge::new(vec![&RULE], &Limits::default()).capture(&mut report);
            report
                .findings
                .into_iter()
                .map(|found| (found.message.to_string(), found.input))
                .collect::<Vec<_>>()
        };
        let ring = vec![input("a", 0, 60), input("b", 2, 96), input("c", 1, 95)];
        let message = "b and others, 2 of 3 captures: 3 of 18 frames cut, to 96 bytes at most";
        assert_eq!(told(ring), [(message.to_owned(), Some(1))]);
        let message = "a: 1 of 9 frames cut, to 96 bytes at most";
        assert_eq!(told(vec![input("a", 1, 96)]), [(message.to_owned(), Some(0))]);
    }

    #[test]
    fn where_another_capture_has_the_same_frames_that_one_may_do() {
        let mut report = transcript::analyse(&[], &mut ());
        report.quality.duplicate_frames = 3;
        let cut = Input { frames: 9, cut_frames: 3, ..Input::default() };
        let mut told = |captures: Vec<Input>| {
            (report.captures, report.findings) = (captures, Vec::new());
            Judge::new(vec![&RULE], &Limits::default()).capture(&mut report);
            report.findings.remove(0).advice.as_deref() == Some(OF_COPIES)
        };
        assert!(told(vec![cut.clone(), Input::default()]));
        assert!(!told(vec![cut]));
    }
}
