//! The rule `proxy-buffered`.

use std::collections::HashMap;

use crate::bits::protocol::canonical_id;
use crate::model::{Exchange, Report, Session};
use crate::rules::{Confidence, Notes, Severity, look};

rule! {
    /// A proxy takes each Fragment whole before it passes it on.
    ///
    /// Both legs of the upload were captured: the second one starts where the first has ended. Acks come late by that much, and
    /// time-outs come sooner.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-99999/100000 pace=1
    /// ... 1 s
    /// = client 10.0.9.1
    /// = server 10.0.9.80:80
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-99999/100000
    /// < 200
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-99999/100000 pace=1
    /// < 200
    /// ```
    ///
    /// Answerable: the proxy
    /// Advice: Switch request buffering off for this path (`proxy_request_buffering off`, `option http-buffer-request` removed), or allow for the delay in its time-outs.
    /// Confirm: The log of the server behind it shows the requests later by as much.
    Note, belief 0, needs Anything, Capture
}

fn check(report: &Report, notes: &mut Notes<'_>) {
    let mut legs: HashMap<String, Vec<&Session>> = HashMap::new();
    for session in &report.sessions {
        if let Some(id) = &session.id {
            legs.entry(canonical_id(id)).or_default().push(session);
        }
    }
    for near in &report.sessions {
        let others = near.id.as_deref().and_then(|id| legs.get(&canonical_id(id)));
        let far = others.into_iter().flatten().take(LEGS).find(|far| are_legs(near, far));
        if let Some(delay) = far.and_then(|far| buffered(near, far)) {
            let severity = if delay.secs > SLOW_SECS { Severity::Warning } else { Severity::Note };
            let message = format!(
                "{} Fragments of {} were passed on only when they were complete, up to {:.1} s after their start",
                delay.fragments,
                near.url.as_deref().unwrap_or("an upload"),
                delay.secs
            );
            notes.note(severity, Confidence::Likely, &[delay.first.span()], message);
        }
    }
}

/// Sessions with one id that are compared.
const LEGS: usize = 16;

/// Fragments shorter than this fit into any buffer, in bytes.
const LARGE: u64 = 65_536;

/// A delay that a time-out may meet, in seconds.
const SLOW_SECS: f64 = 30.0;

/// Whether two sessions can be one upload on both sides of a proxy.
fn are_legs(near: &Session, far: &Session) -> bool {
    (near.client != far.client || near.server != far.server)
        && far.started >= near.started
        && near.bytes_total == far.bytes_total
}

/// What a proxy held back.
struct Delay<'a> {
    first: &'a Exchange,
    fragments: usize,
    /// The longest time from the first byte of a Fragment to the first byte that was passed on.
    secs: f64,
}

/// What the proxy between two legs held back; `None` unless it did so with every large Fragment.
fn buffered<'a>(near: &'a Session, far: &Session) -> Option<Delay<'a>> {
    let mut delay: Option<Delay<'a>> = None;
    for exchange in &near.exchanges {
        let Some(range) = look::range(exchange).filter(|range| range.len() >= Some(LARGE)) else {
            continue;
        };
        let same = |other: &&Exchange| look::range(other).is_some_and(|other| other == range);
        let (Some(request), Some(passed)) = (
            &exchange.request,
            far.exchanges.iter().find(same).and_then(|far| far.request.as_ref()),
        ) else {
            continue;
        };
        if passed.span.first.time < request.span.last.time {
            return None;
        }
        let secs = passed.span.first.time.secs_since(request.span.first.time);
        let delay = delay.get_or_insert(Delay { first: exchange, fragments: 0, secs });
        delay.fragments += 1;
        delay.secs = delay.secs.max(secs);
    }
    delay
}
