//! The rule `fragment-size-collapse`.

use crate::at::Span;
use crate::model::Session;
use crate::rules::{Confidence, Notes, Severity, look};

rule! {
    /// The Fragments become much smaller and stay so.
    ///
    /// A Windows client in the background fits its Fragments to the bandwidth it finds: a policy, loss or throttling
    /// took it away.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-99999/700000
    /// < 200
    /// > FRAGMENT 100000-199999/700000
    /// < 200
    /// > FRAGMENT 200000-299999/700000
    /// < 200
    /// > FRAGMENT 300000-309999/700000
    /// < 200
    /// > FRAGMENT 310000-319999/700000
    /// < 200
    /// > FRAGMENT 320000-329999/700000
    /// < 200
    /// ```
    /// The last Fragment holds what is left:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-99999/300100
    /// < 200
    /// > FRAGMENT 100000-199999/300100
    /// < 200
    /// > FRAGMENT 200000-299999/300100
    /// < 200
    /// > FRAGMENT 300000-300099/300100
    /// < 200
    /// ```
    ///
    /// Answerable: the network, or who set the policy
    /// Advice: Look at loss and round trips in this capture, and at the BITS bandwidth policy of the client (gpresult /h).
    /// Confirm: HKLM\Software\Policies\Microsoft\Windows\BITS on the client.
    /// Reference: [MC-BUP] Appendix A <10>
    Warning, belief 6, needs WholeSession, Session
}

/// A fall by this factor is more than the usual adjustment.
const FACTOR: u64 = 4;

/// So many Fragments before and after make it a change, not an odd one.
const STEADY: usize = 3;

fn check(session: &Session, notes: &mut Notes<'_>) {
    let refused = |status: u16| {
        session
            .exchanges
            .iter()
            .any(|e| e.response.as_ref().is_some_and(|r| r.http_status == status))
    };
    // A limit or lost state explains smaller Fragments, and has a rule of its own.
    if refused(413) || refused(416) {
        return;
    }
    let sizes: Vec<(u64, Span)> = session
        .exchanges
        .iter()
        .filter(|exchange| exchange.succeeded() && !look::is_final(exchange))
        .filter_map(|exchange| Some((look::range(exchange)?.len()?, exchange.span())))
        .collect();
    if sizes.len() < 2 * STEADY {
        return;
    }
    let low = largest_from_each(&sizes);
    let fall = (STEADY..).zip(sizes.windows(STEADY)).find_map(|(place, before)| {
        let (low, (_, span)) = (*low.get(place)?, *sizes.get(place)?);
        let high = before.iter().map(|(size, _)| *size).min()?;
        let steady = sizes.len() - place >= STEADY;
        (steady && low.saturating_mul(FACTOR) <= high).then_some((high, low, span))
    });
    if let Some((high, low, span)) = fall {
        let windows = look::claims_windows(session);
        let severity = if windows { notes.severity() } else { Severity::Note };
        let message = format!("from {high} bytes and more to at most {low}, without a 413");
        notes.note(severity, Confidence::Likely, &[span], message);
    }
}

/// The largest size of those from each place on.
fn largest_from_each(sizes: &[(u64, Span)]) -> Vec<u64> {
    let mut largest: Vec<u64> = Vec::with_capacity(sizes.len());
    for (size, _) in sizes.iter().rev() {
        largest.push(largest.last().map_or(*size, |largest| *size.max(largest)));
    }
    largest.reverse();
    largest
}
