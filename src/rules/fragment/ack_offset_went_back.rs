//! The rule `ack-offset-went-back`.

use crate::bits::PacketType;
use crate::model::{Exchange, Session};
use crate::rules::{Notes, look};

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
    let mut most = 0;
    for exchange in &session.exchanges {
        if look::is_over_before(session, exchange) {
            return;
        }
        if look::may_be_anothers(exchange) {
            continue;
        }
        let Some(next) = confirmed_by(exchange) else { continue };
        let end = look::range(exchange).and_then(|range| range.end?.checked_add(1));
        let echo = look::succeeded(exchange) && end == Some(next);
        if next < most && !echo && is_known(exchange, end) {
            notes.add(
                exchange.span(),
                format!("the server wants byte {next} after it had confirmed {most} bytes"),
            );
        }
        most = most.max(next);
    }
}

/// Whether the capture shows what was answered: else it may be the end of that very Fragment, from a server that confirms
/// no more of any, or of another session. A refusal names what the server wants, whatever the range was.
fn is_known(exchange: &Exchange, end: Option<u64>) -> bool {
    exchange.request.is_some() && (end.is_some() || !look::succeeded(exchange))
}

fn confirmed_by(exchange: &Exchange) -> Option<u64> {
    let about = matches!(exchange.kind, PacketType::Fragment | PacketType::Unknown);
    let response = exchange.response.as_ref().filter(|_| about)?;
    response.next_offset.filter(|_| matches!(response.http_status, 200 | 201 | 416))
}
