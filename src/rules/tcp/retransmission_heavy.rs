//! The rule `retransmission-heavy`.

use crate::at::Span;
use crate::rules::{Confidence, Notes, wording};
use crate::stream::{Connection, SideFacts};

rule! {
    /// More than 2 % of the data was sent again, or some of it only after more than 3 s.
    ///
    /// Loss on the path, or segments that overtook others, so that the sender took these for lost; the copies that a
    /// mirror port makes do not count, nor does waiting for a closed window.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-999/1000
    /// ! again
    /// ! again
    /// ! again
    /// < 200
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/20000 dropped
    /// ... 9 s
    /// ! again
    /// < 200
    /// > FRAGMENT 10000-19999/20000
    /// < 200
    /// > CLOSE-SESSION
    /// < 200
    /// ```
    /// One segment that was repeated to the end:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20 dropped
    /// ! again
    /// ! again
    /// ! again
    /// ! again
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/20000 dropped
    /// ... 1 s
    /// ! again
    /// < 200
    /// ```
    /// Smaller segments, as a router asks for them, tell of no loss:
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/10000 whole dropped
    /// ! too big 1300
    /// ! again 1248
    /// < 200
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/10000 whole dropped
    /// ! too big 1300
    /// ! again
    /// ! again
    /// ! again
    /// < 200
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-999/1000
    /// ! mirrored
    /// ! mirrored
    /// < 200
    /// ```
    ///
    /// Answerable: the network
    /// Advice: Look at the path: duplex mismatch, wireless, an overloaded link, a policer.
    /// Confirm: The error and drop counters of the interfaces on the way.
    /// Reference: RFC 9293 3.8.1
    Warning, belief 5, needs Anything, Connection
}

fn check(connection: &Connection, notes: &mut Notes<'_>) {
    let (client, server) = (&connection.client_side, &connection.server_side);
    for (who, side, other) in [("client", client, server), ("server", server, client)] {
        let heavy = side.retransmitted_bytes.saturating_mul(100 / PERCENT) > side.payload_bytes;
        // What was repeated in vain to the end shows that the other side was gone, not how good the path was.
        let gone = !connection.is_one_sided() && side.unacked() > 0 && side.repeats > 1;
        let in_vain = if gone { side.repeats } else { 0 };
        if heavy && side.retransmitted.saturating_sub(in_vain) >= FEW {
            let span = [connection.span()];
            let finding =
                notes.note(notes.severity(), Confidence::Certain, &span, repeated(who, side));
            if let Some(finding) = finding.filter(|_| may_be_late(side)) {
                finding.advise(OF_ORDER);
            }
        } else if let Some((span, secs)) = stall(side, other).filter(|_| !connection.is_one_sided())
        {
            let message = format!(
                "data of the {who} was not acknowledged for {} and sent again",
                wording::lasting(secs)
            );
            notes.add(span, message);
        }
    }
}

/// What was repeated, and what came out of order beside it.
fn repeated(who: &str, side: &SideFacts) -> String {
    let bytes = wording::counted(side.payload_bytes, "byte");
    let message = format!(
        "the {who} repeated {} segments with {} of its {bytes}",
        side.retransmitted, side.retransmitted_bytes
    );
    let ahead = wording::counted(side.out_of_order, "segment");
    match may_be_late(side) {
        true => format!("{message}; {ahead} overtook others, which may have come late"),
        false => message,
    }
}

/// Whether what was repeated may have been late, not lost: as much came out of order.
const fn may_be_late(side: &SideFacts) -> bool {
    side.out_of_order >= side.retransmitted
}

/// What to do where segments came out of order, too.
const OF_ORDER: &str = "Look for what changes the order of packets: several links or queues in use at once, wireless, a load \
     balancer per packet. Beside the receiver, copies that both arrived show that nothing was lost.";

/// The longest time after which data was sent again, where that is long and the `other` side had room for it.
fn stall(side: &SideFacts, other: &SideFacts) -> Option<(Span, f64)> {
    let (first, last) = side.stall?;
    let secs = last.time.secs_since(first.time);
    let closed = other.zero_windows.iter().any(|period| {
        period.started <= last.time && period.ended.is_none_or(|ended| ended >= first.time)
    });
    let in_vain = side.unacked() > 0
        && side.repeats > 1
        && side.last_data.is_some_and(|at| at.frame == last.frame);
    (secs > STALL_SECS && secs <= LONGEST_SECS && !closed && !in_vain)
        .then_some((Span { first, last }, secs))
}

/// A healthy path loses far less; throughput suffers visibly from here on.
const PERCENT: u64 = 2;

/// One or two retransmissions prove nothing about a path.
const FEW: u32 = 3;

/// A healthy connection repeats within a second or two (RFC 6298 2).
const STALL_SECS: f64 = 3.0;

/// No sender waits longer before it repeats (RFC 6298 2.5): then the clock jumped, or the machine slept.
const LONGEST_SECS: f64 = 130.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_out_of_order_may_have_been_late() {
        let said = |out_of_order: u32| {
            let mut side = SideFacts::default();
            (side.retransmitted, side.out_of_order) = (4, out_of_order);
            repeated("client", &side)
        };
        assert!(said(7).ends_with("; 7 segments overtook others, which may have come late"));
        assert_eq!(said(0), "the client repeated 4 segments with 0 of its 0 bytes");
    }
}
