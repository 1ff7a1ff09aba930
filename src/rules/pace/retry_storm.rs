//! The rule `retry-storm`.

use crate::at::Span;
use crate::model::Session;
use crate::rules::retry::{self, Try};
use crate::rules::{Around, Confidence, Notes, Severity, wording};

rule! {
    /// The client tries the same thing again and again without a pause.
    ///
    /// Windows waits ten minutes after a failure unless the job's retry delay was lowered; several clients or a
    /// program of its own are the other explanations. Authentication rounds, smaller Fragments after a 413 and
    /// corrections after a 416 are no retries.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 503 plain
    /// ... 5 s
    /// > CREATE-SESSION
    /// < 503 plain
    /// ... 5 s
    /// > CREATE-SESSION
    /// < 503 plain
    /// ```
    /// Rounds of NTLM:
    /// ```silent
    /// > PING
    /// < 401 plain lost
    /// > PING
    /// < 401 plain lost
    /// > PING
    /// < 200
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 401 plain
    /// > CREATE-SESSION
    /// < 401 plain
    /// > CREATE-SESSION
    /// < 200 session=1
    /// ```
    /// The last try may yet be answered:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// < 504 plain
    /// > FRAGMENT 0-9/20
    /// < 504 plain
    /// > FRAGMENT 0-9/20
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 503 plain
    /// ... 600 s
    /// > CREATE-SESSION
    /// < 503 plain
    /// ... 600 s
    /// > CREATE-SESSION
    /// < 503 plain
    /// ```
    ///
    /// Answerable: the client
    /// Advice: Set the job's minimum retry delay back to 600 s (bitsadmin /setminretrydelay); mend what makes it fail.
    /// Confirm: bitsadmin /info JOB /verbose: RETRY DELAY.
    /// Reference: [MC-BUP] 3.1.5.1.7
    Warning, belief 7, needs Anything, Around
}

/// Tries that make a storm.
const MANY: usize = 3;

/// Pauses shorter than this, in seconds, are no patience.
const CLOSE_SECS: f64 = 60.0;

fn check(session: &Session, around: &Around<'_>, notes: &mut Notes<'_>) {
    let mut sessions = retry::sessions(session, around);
    // One that went well is no failed try.
    if !session.outcome.is_failure() {
        sessions.pop();
    }
    let own = |last: &Try| last.span.first.time >= session.started;
    for tries in [retry::packets(session), sessions] {
        let run = longest_run(&tries);
        // Told once, by the session that the last of them belongs to.
        if let [first, .., last] = run
            && own(last)
        {
            let secs = last.span.first.time.secs_since(first.span.first.time);
            let mut message = format!(
                "{} failed {} times within {}",
                first.what.0,
                run.len(),
                wording::lasting(secs)
            );
            let spans: Vec<Span> = run.iter().map(|one| Span::at(one.span.first)).collect();
            let (severity, confidence) = match run.iter().any(|one| one.guessed) {
                true => (Severity::Note, Confidence::Possible),
                false => (notes.severity(), Confidence::Certain),
            };
            if severity == Severity::Note {
                message.push_str("; what is cut off may differ each time");
            }
            notes.note(severity, confidence, &spans, message);
        }
    }
}

/// The longest run of the same try without pauses; empty where none is a storm.
fn longest_run(tries: &[Try]) -> &[Try] {
    let close = |one: &Try, next: &Try| {
        one.what == next.what && next.span.first.time.secs_since(one.span.last.time) < CLOSE_SECS
    };
    let longest = tries.chunk_by(close).max_by_key(|run| run.len()).unwrap_or_default();
    if longest.len() >= MANY { longest } else { &[] }
}
