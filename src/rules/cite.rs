//! The frames that a finding must not lack.

use super::{Finding, Severity};
use crate::model::{Exchange, Session};

/// Exchanges that may go on at once.
const AT_ONCE: usize = 16;

/// Adds the frame that has the status of an answer, where a finding names the last frame of that: its body says less.
pub(super) fn answer(session: &Session, finding: &mut Finding) {
    let Some(last) = finding.proof.last().filter(|_| finding.severity > Severity::Note) else {
        return;
    };
    let before = |exchange: &Exchange| exchange.begins() <= last.frame;
    let place = session.exchanges.partition_point(before);
    let begun = session.exchanges.get(..place).unwrap_or_default().iter().rev().take(AT_ONCE);
    let mut answers = begun.filter_map(|exchange| exchange.response.as_ref());
    let Some(answer) = answers.find(|answer| answer.span.last.frame == last.frame) else { return };
    let first = answer.span.first;
    if !finding.frames.contains(&first.frame) {
        finding.proof.push(first);
        finding.proof.sort_unstable_by_key(|at| at.frame);
        finding.frames = finding.proof.iter().map(|at| at.frame).collect();
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::report;

    #[test]
    fn of_an_answer_in_several_frames_the_one_with_the_status_is_named() {
        let frames = |page: &str| {
            let text = format!("> CREATE-SESSION\n< 403 plain\n  Server: nginx\n  | {page}\n");
            let session = report(&text).sessions.remove(0);
            let answer = session.exchanges[0].response.as_ref().unwrap().span;
            let of_error = |finding: &&crate::rules::Finding| finding.message.contains("403");
            let finding = session.findings.iter().find(of_error).unwrap();
            (finding.frames.clone(), answer.frames())
        };
        let (named, answer) = frames(&"x".repeat(4_000));
        assert!(answer[0] < answer[1] && named.contains(&answer[0]), "{named:?} {answer:?}");
        let (named, answer) = frames("no");
        assert_eq!((named.len(), answer[0]), (2, answer[1]));
    }
}
