//! The rule `retry-schedule`.

use crate::at::Span;
use crate::model::Session;
use crate::rules::retry::{self, Try};
use crate::rules::{Around, Confidence, Notes, look};

rule! {
    /// The pauses between the tries follow a schedule.
    ///
    /// It explains the silence: the job waits for its retry delay, which is ten minutes by default and at least five
    /// seconds. Configuration Manager sets it in whole minutes.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 503 plain
    /// ... 600 s
    /// > CREATE-SESSION
    /// < 503 plain
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 503 plain
    /// ... 77 s
    /// > CREATE-SESSION
    /// < 503 plain
    /// ```
    ///
    /// Answerable: the client
    /// Confirm: bitsadmin /info JOB /verbose: RETRY DELAY and NO PROGRESS TIMEOUT.
    /// Reference: [MC-BUP] 3.1.5.1.7
    Note, belief 0, needs Anything, Around
}

/// The default retry delay, in seconds.
const DEFAULT_SECS: f64 = 600.0;

/// The shortest that can be set.
const LEAST_SECS: f64 = 5.0;

/// A client is so many seconds late at most.
const LATE_SECS: f64 = 3.0;

fn check(session: &Session, around: &Around<'_>, notes: &mut Notes<'_>) {
    let mut packets = retry::packets(session);
    if let Some(last) = packets.last() {
        // The try that worked ends the last pause.
        let end = last.span.last.frame;
        let after = session.exchanges.iter().map(|exchange| exchange.span());
        let after = after.filter(|span| span.first.frame > end).min_by_key(|span| span.first.frame);
        packets.extend(after.map(|span| Try { what: ("".into(), None), span, guessed: false }));
    }
    for tries in [packets, retry::sessions(session, around)] {
        let pauses = retry::pauses(&tries);
        let Some(pause) = pauses.iter().copied().reduce(f64::min) else { continue };
        let alike = pauses.iter().all(|other| (other - pause).abs() <= LATE_SECS);
        let Some(name) = schedule(pause, pauses.len()).filter(|_| alike) else { continue };
        let message = match pauses.len() {
            1 => format!("{} between two tries: {name}", look::lasting(pause)),
            count => {
                format!("{count} pauses of about {} between tries: {name}", look::lasting(pause))
            }
        };
        let spans: Vec<Span> = tries.iter().map(|one| Span::at(one.span.first)).collect();
        notes.note(notes.severity(), Confidence::Likely, &spans, message);
    }
}

/// What a pause is called, where so many of them are enough to recognise it.
fn schedule(pause: f64, count: usize) -> Option<String> {
    let is = |secs: f64| (0.0..=LATE_SECS).contains(&(pause - secs));
    if is(DEFAULT_SECS) {
        return Some("the default retry delay of BITS".to_owned());
    }
    if count < 2 || pause < LEAST_SECS {
        return None;
    }
    if is(LEAST_SECS) {
        return Some("the shortest retry delay that BITS takes".to_owned());
    }
    let minutes = (pause / 60.0).floor();
    Some(if minutes >= 1.0 && is(minutes * 60.0) {
        format!("a retry delay of {minutes:.0} min, as Configuration Manager sets it")
    } else {
        "a retry delay set for this job".to_owned()
    })
}
