//! How far a server has the file, as its answers tell.

use crate::bits::fields::ContentRange;
use crate::model::{Exchange, Session};
use crate::rules::{Confidence, course, look};

/// Who can do something about a hole in the file that the server did not object to ([MC-BUP] 3.2.5.2.6).
pub const BOTH: &str =
    "the client, and the server, which should answer 416 to a Fragment behind a gap";

/// Requests without an answer that one client may have under way.
const UNDER_WAY: usize = 256;

/// The byte that the server wanted next when a Fragment was sent; `None` too where that was too long ago.
pub fn expected(session: &Session, exchange: &Exchange) -> Option<u64> {
    exchange.request.as_ref()?;
    // Ends of what was sent whole since the server's last word.
    let (mut sent, mut under_way) = (None, 0);
    for other in course::ahead(session, exchange) {
        let end = look::range(other).and_then(ContentRange::behind);
        let answer = other.response.as_ref().filter(|_| other.is_answered_before(exchange));
        match (answer, &other.request) {
            (Some(response), _) if response.tells_offset() => {
                let implied = end.filter(|_| response.http_status != 416);
                if let Some(wanted) = response.next_offset.or(implied) {
                    return sent.max(Some(wanted));
                }
            }
            // How much of it the server took is unknown.
            (None, Some(request)) if request.body.complete && under_way < UNDER_WAY => {
                (sent, under_way) = (end.max(sent), under_way + 1);
            }
            (None, Some(_)) => return None,
            _ => {}
        }
    }
    sent
}

/// How many bytes the server had confirmed when a Fragment was sent, and on which connection: its last word then.
pub fn confirmed(session: &Session, exchange: &Exchange) -> Option<(u64, u64)> {
    exchange.request.as_ref()?;
    course::ahead(session, exchange).find_map(|other| {
        let earlier = other.is_answered_before(exchange);
        Some((confirmed_by(other).filter(|_| earlier)?, other.connection))
    })
}

/// Whether an Ack names the last byte of its Fragment instead of the one after it.
pub fn names_last_byte(exchange: &Exchange) -> bool {
    let next =
        exchange.response.as_ref().filter(|ack| ack.is_success()).and_then(|ack| ack.next_offset);
    let end = look::range(exchange).filter(|range| range.valid).and_then(|range| range.end);
    next.is_some() && next == end
}

/// The offset that an answer names behind the end of the file, and the length of that.
pub fn beyond_end(session: &Session, exchange: &Exchange) -> Option<(u64, u64)> {
    let next = exchange.response.as_ref()?.next_offset?;
    let own = look::range(exchange).and_then(|range| range.total);
    let total = own.max(session.bytes_total)?;
    (next > total).then_some((next, total))
}

/// A step back of the server.
pub struct Step<'a> {
    /// The answer, with its request.
    pub exchange: &'a Exchange,
    /// What it had confirmed.
    pub most: u64,
    /// What it wants.
    pub next: u64,
    /// How sure that is.
    pub confidence: Confidence,
}

/// Where the server takes back what it had confirmed.
pub fn steps_back(session: &Session) -> impl Iterator<Item = Step<'_>> {
    let mut most = 0;
    let open = |exchange: &&Exchange| !course::is_over_before(session, exchange);
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

/// How sure it is that the server wants `next`. Where the capture does not show what was answered, it may be the end of
/// that very Fragment, from a server that confirms no more of any, or of another session. A refusal names what the
/// server wants, whatever the range was.
fn known(session: &Session, exchange: &Exchange, next: u64) -> Option<Confidence> {
    let ranged = look::range(exchange).is_some_and(|range| range.end.is_some());
    let shown = exchange.request.is_some() && (ranged || !exchange.succeeded());
    let certain = shown.then_some(Confidence::Certain);
    certain.or_else(|| is_obeyed(session, exchange, next).then_some(Confidence::Likely))
}

/// Whether the client goes on at `next`, though the server had taken that byte.
fn is_obeyed(session: &Session, exchange: &Exchange, next: u64) -> bool {
    let mut later = course::after(session, exchange).filter(|later| later.request.is_some());
    let there = |later: &Exchange| {
        let named = look::whole_request(later).is_some_and(|request| request.session_id.is_some());
        named && look::range(later).is_some_and(|range| range.start == Some(next))
    };
    let had = |earlier: &Exchange| {
        let range = earlier.bounds().filter(|_| look::succeeded_fragment(earlier));
        range.is_some_and(|(start, end)| (start..end).contains(&next))
    };
    later.next().is_some_and(there) && course::before(session, exchange).iter().any(had)
}

/// How many bytes an answer confirms, where it tells.
fn confirmed_by(exchange: &Exchange) -> Option<u64> {
    let response = exchange.response.as_ref().filter(|_| exchange.kind.may_be_fragment())?;
    response.next_offset.filter(|_| response.tells_offset())
}
