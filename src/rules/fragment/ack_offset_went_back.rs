//! The rule `ack-offset-went-back`.

use crate::bits::fields::ContentRange;
use crate::model::{Exchange, Session};
use crate::rules::{Confidence, Notes, look};

rule! {
    /// The server acknowledges less than it did before.
    ///
    /// Bytes that it had confirmed are gone: another node answers, a disk was restored, a process restarted. The
    /// client sends them again.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/30
    /// < 200 received=10
    /// > FRAGMENT 10-19/30
    /// < 416 received=0
    /// ```
    /// The capture lacks a request, but the client goes back, too:
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/30
    /// < 200 received=10
    /// > FRAGMENT 10-19/30
    /// < 200 received=20
    /// > FRAGMENT 20-29/30 lost
    /// < 200 received=10
    /// > FRAGMENT 10-19/30
    /// < 200 received=20
    /// ```
    /// A home-made server that repeats the end of what was repeated:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/30
    /// < 200 received=10
    /// > FRAGMENT 0-4/30
    /// < 200 received=5
    /// ```
    /// One that takes Fragments in any order, where the capture lacks one of them:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 20-29/30
    /// < 200 received=30
    /// > FRAGMENT 10-19/30 lost
    /// < 200 received=20
    /// > FRAGMENT 0-9/30
    /// < 200 received=10
    /// ```
    /// The capture has only what the server sent:
    /// ```silent
    /// = sees server
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/30
    /// < 200 received=10
    /// > FRAGMENT 20-29/30
    /// < 200 received=30
    /// > FRAGMENT 10-19/30
    /// < 200 received=20
    /// ```
    ///
    /// Answerable: the server, or the balancer in front of it
    /// Advice: Give the balancer affinity by client address or set BITSHostId on the virtual directory; check restarts.
    /// Confirm: The IIS logs of all nodes: BITS_POST requests of one session on more than one of them.
    /// Reference: [MC-BUP] 2.2.6
    Error, belief 58, needs Anything, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    for Step { exchange, most, next, confidence } in steps_back(session) {
        let most = look::counted(most, "byte");
        let message = format!("the server wants byte {next} after it had confirmed {most}");
        notes.note(notes.severity(), confidence, &[exchange.span()], message);
    }
}

/// A step back of the server.
pub(in crate::rules) struct Step<'a> {
    exchange: &'a Exchange,
    /// What it had confirmed.
    most: u64,
    /// What it wants.
    next: u64,
    confidence: Confidence,
}

/// Where the server takes back what it had confirmed.
pub(in crate::rules) fn steps_back(session: &Session) -> impl Iterator<Item = Step<'_>> {
    let mut most = 0;
    let open = |exchange: &&Exchange| !look::is_over_before(session, exchange);
    session.exchanges.iter().take_while(open).filter_map(move |exchange| {
        let next = confirmed_by(exchange).filter(|_| !look::may_be_anothers(exchange))?;
        let before = most;
        most = most.max(next);
        let end = look::range(exchange).and_then(ContentRange::behind);
        let echo = exchange.succeeded() && end == Some(next);
        let confidence = (next < before && !echo).then(|| known(session, exchange, next))??;
        Some(Step { exchange, most: before, next, confidence })
    })
}

/// How sure it is that the server wants `next`. Where the capture does not show what was answered, it may be the end of that
/// very Fragment, from a server that confirms no more of any, or of another session. A refusal names what the server wants,
/// whatever the range was.
fn known(session: &Session, exchange: &Exchange, next: u64) -> Option<Confidence> {
    let ranged = look::range(exchange).is_some_and(|range| range.end.is_some());
    let shown = exchange.request.is_some() && (ranged || !exchange.succeeded());
    let certain = shown.then_some(Confidence::Certain);
    certain.or_else(|| is_obeyed(session, exchange, next).then_some(Confidence::Likely))
}

/// Whether the client goes on at `next`, though the server had taken that byte.
fn is_obeyed(session: &Session, exchange: &Exchange, next: u64) -> bool {
    let mut later = look::after(session, exchange).filter(|later| later.request.is_some());
    let there = |later: &Exchange| {
        let named = look::whole_request(later).is_some_and(|request| request.session_id.is_some());
        named && look::range(later).is_some_and(|range| range.start == Some(next))
    };
    let had = |earlier: &Exchange| {
        let range = earlier.bounds().filter(|_| look::succeeded_fragment(earlier));
        range.is_some_and(|(start, end)| (start..end).contains(&next))
    };
    later.next().is_some_and(there) && look::before(session, exchange).iter().any(had)
}

fn confirmed_by(exchange: &Exchange) -> Option<u64> {
    let response = exchange.response.as_ref().filter(|_| exchange.kind.may_be_fragment())?;
    response.next_offset.filter(|_| response.tells_offset())
}
