//! The rule `retry-schedule`.

use crate::at::Span;
use crate::model::Session;
use crate::model::session::RETRY_SECS;
use crate::rules::retry::{self, Try};
use crate::rules::{Around, Confidence, Notes, wording};

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
    /// The wait for an answer is no pause:
    /// ```fires
    /// > CREATE-SESSION
    /// ... 300 s
    /// ! client closes
    /// ... 600 s
    /// = connection
    /// > CREATE-SESSION
    /// < 200 session=1
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20
    /// ... 300 s
    /// ! client closes
    /// ... 600 s
    /// = connection
    /// > CREATE-SESSION
    /// < 200 session=2
    /// > FRAGMENT 0-19/20
    /// < 200
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20 dropped
    /// ! again
    /// ... 6 s
    /// = connection
    /// > FRAGMENT 0-9/20 dropped
    /// ! again
    /// ... 6 s
    /// = connection
    /// > FRAGMENT 0-9/20
    /// < 200
    /// ```
    ///
    /// Answerable: the client
    /// Confirm: bitsadmin /info JOB /verbose: RETRY DELAY and NO PROGRESS TIMEOUT.
    /// Reference: [MC-BUP] 3.1.5.1.7
    Note, belief 0, needs Anything, Around
}

/// The shortest retry delay that can be set, in seconds.
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
        let attempt = |span| Try { what: ("".into(), None), span, end: None, guessed: false };
        packets.extend(after.map(attempt));
    }
    for tries in [packets, retry::sessions(session, around)] {
        let pauses = retry::pauses(&tries);
        let Some(pause) = pauses.iter().copied().reduce(f64::min) else { continue };
        let alike = pauses.iter().all(|other| (other - pause).abs() <= LATE_SECS);
        let name = schedule(pause, pauses.len(), is_of_manager(session));
        let Some(name) = name.filter(|_| alike) else { continue };
        let message = match pauses.len() {
            1 => format!("{} between two tries: {name}", wording::lasting(pause)),
            count => {
                format!("{count} pauses of about {} between tries: {name}", wording::lasting(pause))
            }
        };
        let spans: Vec<Span> = tries.iter().map(|one| Span::at(one.span.first)).collect();
        notes.note(notes.severity(), Confidence::Likely, &spans, message);
    }
}

/// What a pause is called, where so many of them are enough to recognise it.
fn schedule(pause: f64, count: usize, by_manager: bool) -> Option<String> {
    let is = |secs: f64| (0.0..=LATE_SECS).contains(&(pause - secs));
    if is(RETRY_SECS) {
        return Some("the default retry delay of BITS".to_owned());
    }
    if count < 2 || pause < LEAST_SECS {
        return None;
    }
    if is(LEAST_SECS) {
        return Some("the shortest retry delay that BITS takes".to_owned());
    }
    let minutes = (pause / 60.0).floor();
    if minutes < 1.0 || !is(minutes * 60.0) {
        return Some("a retry delay set for this job".to_owned());
    }
    let delay = delay(minutes);
    Some(if by_manager {
        format!("a retry delay of {delay}, as Configuration Manager sets it")
    } else {
        format!("a retry delay of {delay}, set for this job")
    })
}

/// A delay in the largest unit of which it is whole.
fn delay(minutes: f64) -> String {
    let units = [(1_440.0, "day"), (60.0, "hour"), (1.0, "minute")];
    let whole = units.into_iter().find(|(unit, _)| minutes % unit == 0.0);
    whole.map_or_else(String::new, |(unit, name)| wording::counted(minutes / unit, name))
}

/// Whether the upload goes to a management point of Configuration Manager.
fn is_of_manager(session: &Session) -> bool {
    session.url.as_deref().is_some_and(|url| url.to_ascii_lowercase().contains("/ccm_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_minutes_are_told_as_those_of_configuration_manager_at_its_own_paths_only() {
        let told = |secs, by_manager| schedule(secs, 2, by_manager).unwrap();
        assert_eq!(told(172_800.0, false), "a retry delay of 2 days, set for this job");
        assert_eq!(
            told(1_800.0, true),
            "a retry delay of 30 minutes, as Configuration Manager sets it"
        );
        assert_eq!(told(77.0, true), "a retry delay set for this job");
        let text = "= url http://server/CCM_Incoming/{1}\n> CREATE-SESSION\n< 503 plain\n";
        let session = crate::rules::tests::report(text).sessions.remove(0);
        assert!(is_of_manager(&session));
    }
}
