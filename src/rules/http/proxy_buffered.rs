//! The rule `proxy-buffered`.

use crate::model::Session;
use crate::rules::history::{Brief, Passed};
use crate::rules::{Around, Confidence, Notes, Severity, wording};

rule! {
    /// A proxy takes each Fragment whole before it passes it on.
    ///
    /// Both legs of the upload were captured: the second one starts where the first has ended. Acks come late by that
    /// much, and time-outs come sooner.
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
    Note, belief 0, needs Anything, Around
}

fn check(session: &Session, around: &Around<'_>, notes: &mut Notes<'_>) {
    let own = Passed::all(session);
    if own.is_empty() {
        return;
    }
    let other_leg = |brief: &&Brief| is_other_leg(session, brief);
    let Some(other) = around.other_legs().find(other_leg) else { return };
    let (near, far) = match other.first.time <= session.started {
        true => (&other.passed, &own),
        false => (&own, &other.passed),
    };
    let Some((first, secs)) = buffered(near, far) else { return };
    let severity = if secs > SLOW_SECS { Severity::Warning } else { Severity::Note };
    let message = format!(
        "large Fragments were passed on only when they were complete, up to {} after their start",
        wording::lasting(secs)
    );
    notes.note(severity, Confidence::Likely, &[first.span], message);
}

/// A delay that a time-out may meet, in seconds.
const SLOW_SECS: f64 = 30.0;

/// Whether two sessions can be one upload on both sides of a proxy.
fn is_other_leg(session: &Session, brief: &Brief) -> bool {
    let server = session.server.socket();
    (brief.client != session.client.address || brief.server != server)
        && brief.total == session.bytes_total
        && !brief.passed.is_empty()
}

/// The first Fragment that was held back and the longest delay in seconds; `None` unless all of them were.
fn buffered(near: &[Passed], far: &[Passed]) -> Option<(Passed, f64)> {
    let mut most: Option<(Passed, f64)> = None;
    for fragment in near {
        let same = |other: &&Passed| (other.start, other.end) == (fragment.start, fragment.end);
        let Some(passed) = far.iter().find(same) else { continue };
        if passed.span.first.time < fragment.span.last.time {
            return None;
        }
        let secs = passed.span.first.time.secs_since(fragment.span.first.time);
        let (first, longest) = most.unwrap_or((*fragment, secs));
        most = Some((first, longest.max(secs)));
    }
    most
}
