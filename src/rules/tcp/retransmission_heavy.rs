//! The rule `retransmission-heavy`.

use crate::at::Span;
use crate::rules::{Confidence, Notes, Severity, wording};
use crate::stream::{Connection, SideFacts, Stall, vain};

rule! {
    /// More than 2 % of the data was sent again, or some of it only after more than 3 s.
    ///
    /// Loss on the path, or segments that overtook others, so that the sender took these for lost; the copies that a
    /// mirror port makes do not count, nor does waiting for a closed window.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-999/1000 dropped
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
    /// What had arrived tells of the way back:
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-999/2000
    /// ! again
    /// ! again
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
    let stall = |side, other| stall(side, other).filter(|_| !connection.is_one_sided());
    for (who, side, other) in [("client", client, server), ("server", server, client)] {
        let outage = stall(side, other);
        // What was repeated in vain to the end shows that the other side was gone, not how good the path was.
        let gone = !connection.is_one_sided() && side.unacked() > 0 && side.repeats > 1;
        let in_vain = if gone { side.repeats } else { 0 };
        let repeats = side.retransmitted.saturating_sub(in_vain);
        let is_heavy = |segments: u32, bytes: u64| {
            segments >= FEW && bytes.saturating_mul(100 / PERCENT) > side.payload_bytes
        };
        let (segments, bytes) = outage.map_or((0, 0), |stall| (stall.segments, stall.bytes));
        let segments = repeats.saturating_sub(segments);
        let heavy = is_heavy(segments, side.retransmitted_bytes.saturating_sub(bytes));
        let telling = is_heavy(repeats, side.retransmitted_bytes);
        let had = side.resent.needless > segments / 2 && !may_be_late(side);
        // Where nothing at all reached the sender for long, that says more than single acknowledgements.
        let cut_off = [outage, stall(other, side)].iter().flatten().any(is_long);
        let again: Vec<Span> = side.resent.again.into_iter().collect();
        if heavy && !had {
            tell(&again, who, side, other, notes);
        } else if heavy && !cut_off && !vain::is_one_way(connection) {
            let message = format!(
                "{}, though {} of them had been acknowledged",
                repeated(who, side),
                side.resent.needless
            );
            let finding = notes.note(notes.severity(), Confidence::Certain, &again, message);
            finding.into_iter().for_each(|finding| _ = finding.advise(OF_WAY_BACK));
        } else if let Some(stall) = outage.filter(|stall| telling || is_long(stall)) {
            let message = format!(
                "data of the {who} was not acknowledged for {} and sent again; {}",
                wording::lasting(stall.secs()),
                repeated(who, side)
            );
            let finding = notes.note(notes.severity(), Confidence::Certain, &[stall.span], message);
            finding.into_iter().for_each(|finding| _ = finding.advise(OF_OUTAGE));
        }
    }
}

/// Notes loss on the path, or what looks like it.
fn tell(again: &[Span], who: &str, side: &SideFacts, other: &SideFacts, notes: &mut Notes<'_>) {
    let message = repeated(who, side);
    if may_be_resized(side, other) {
        let message = format!("{message}; none is as long as both sides allow");
        let finding = notes.note(Severity::Note, Confidence::Possible, again, message);
        finding.into_iter().for_each(|finding| _ = finding.advise(OF_SIZE));
        return;
    }
    let finding = notes.note(notes.severity(), Confidence::Certain, again, message);
    if let Some(finding) = finding.filter(|_| may_be_late(side)) {
        finding.advise(OF_ORDER);
    }
}

/// What to do where what was sent again was sent again at one time only.
const OF_OUTAGE: &str = "Apart from this time little or nothing was lost: look for an outage of seconds, such as a wireless client that changes its access point, a link or a device that fails over, a route or a VPN that changes.";

/// What to do where what was sent again had arrived.
const OF_WAY_BACK: &str = "The data had arrived: acknowledgements were lost, or came late, between the place of the capture and who repeats. Look at the path in that direction.";

/// What to do where segments may have been too long.
const OF_SIZE: &str = "A router before the place of the capture may have asked for smaller segments, as it should; else several in a row were lost. A capture at the sender shows which.";

/// Whether what was sent again may be what a router before the tap asked for in smaller segments (RFC 1191 6.4): it
/// filled one hole in order, nothing is as long as both sides allow, and nothing ahead of the hole is as long as what
/// came from there on: what had got through at full length, as behind a VPN, is not made smaller.
fn may_be_resized(side: &SideFacts, other: &SideFacts) -> bool {
    let allowed = side.mss.zip(other.mss).map(|(own, theirs)| own.min(theirs));
    side.resent.filled == side.retransmitted
        && side.longest_at >= side.resent.filled_from
        && allowed.is_some_and(|allowed| side.longest + TIMESTAMPS < u32::from(allowed))
}

/// Bytes of a segment that the timestamps option takes (RFC 7323 3.2, padded).
const TIMESTAMPS: u32 = 12;

/// What was repeated, and what came out of order beside it.
fn repeated(who: &str, side: &SideFacts) -> String {
    let bytes = wording::counted(side.payload_bytes, "byte");
    let message = format!(
        "the {who} repeated {} with {} of its {bytes}",
        wording::counted(side.retransmitted, "segment"),
        side.retransmitted_bytes
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

/// The longest time in which data was sent again, where more than one loss is behind it and the `other` side had room.
fn stall(side: &SideFacts, other: &SideFacts) -> Option<Stall> {
    let stall = side.resent.stall?;
    let (first, last) = (stall.span.first, stall.span.last);
    let closed = other.zero_windows.iter().any(|period| {
        period.started <= last.time && period.ended.is_none_or(|ended| ended >= first.time)
    });
    let in_vain = side.unacked() > 0
        && side.repeats > 1
        && side.last_data.is_some_and(|at| at.frame == last.frame);
    let lasts = (OUTAGE_SECS..=LONGEST_SECS).contains(&stall.secs());
    let most = stall.segments >= SEVERAL && stall.segments > side.retransmitted / 2;
    let lasts = lasts && (most || is_long(&stall));
    (lasts && !closed && !in_vain).then_some(stall)
}

fn is_long(stall: &Stall) -> bool {
    stall.secs() > STALL_SECS
}

/// A healthy path loses far less; throughput suffers visibly from here on.
const PERCENT: u64 = 2;

/// One or two retransmissions prove nothing about a path.
const FEW: u32 = 3;

/// What is repeated for as long may find no way through. The last segment of a flight, lost once, may cost as much
/// (RFC 6298 2.4): up to [`STALL_SECS`], only most of what was repeated tells, and more than one segment.
const OUTAGE_SECS: f64 = 1.0;

/// Segments that tell more than a single loss.
const SEVERAL: u32 = 2;

/// A healthy connection repeats within a second or two (RFC 6298 2).
const STALL_SECS: f64 = 3.0;

/// No sender waits longer before it repeats (RFC 6298 2.5): then the clock jumped, or the machine slept.
const LONGEST_SECS: f64 = 130.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::tests::diagnosed;

    fn advice(text: &str) -> String {
        let told = diagnosed(text);
        assert_eq!(told.cause, "retransmission-heavy");
        told.advice.unwrap().into()
    }

    #[test]
    fn what_is_lost_at_one_time_only_is_an_outage() {
        let text = |pause: &str| {
            format!(
                "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20 dropped\n! again\n... {pause}\n! again\n\
                 ! again\n< 200\n> FRAGMENT 10-19/20\n< 200\n> CLOSE-SESSION\n< 200\n"
            )
        };
        assert!(advice(&text("2 s")).contains("an outage of seconds"));
        assert!(advice(&text("1 ms")).contains("duplex mismatch"));
    }

    #[test]
    fn a_single_loss_that_costs_a_second_among_others_is_no_outage() {
        let one = |from: u32, pause: &str| {
            format!("> FRAGMENT {from}-{}/40 dropped\n... {pause}\n! again\n< 200\n", from + 9)
        };
        let text = format!(
            "> CREATE-SESSION\n< 200 session=1\n{}{}{}> FRAGMENT 30-39/40\n< 200\n> CLOSE-SESSION\n< 200\n",
            one(0, "300 ms"),
            one(10, "1200 ms"),
            one(20, "300 ms")
        );
        assert!(advice(&text).contains("duplex mismatch"));
    }

    #[test]
    fn a_single_loss_does_not_hide_that_the_rest_had_arrived() {
        let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n! again\n! again\n! again\n! again\n< 200\n\
                    > FRAGMENT 10-19/20 dropped\n... 1200 ms\n! again\n< 200\n> CLOSE-SESSION\n< 200\n";
        assert!(advice(text).contains("The data had arrived"));
    }

    #[test]
    fn what_had_arrived_points_at_the_way_back() {
        let text = "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/10\n! again\n! again\n! again\n< 200\n\
                    > CLOSE-SESSION\n< 200\n";
        assert!(advice(text).contains("The data had arrived"));
    }

    #[test]
    fn one_hole_filled_by_shorter_segments_than_allowed_may_be_path_mtu_discovery() {
        let side = |longest: u32, filled: u32, from: u64| {
            let mut side = SideFacts::default();
            (side.mss, side.longest, side.longest_at) = (Some(1_460), longest, 250);
            side.retransmitted = 4;
            let resent = side.resent.edit();
            (resent.filled, resent.filled_from) = (filled, from);
            side
        };
        let may = |longest, filled, from| {
            may_be_resized(&side(longest, filled, from), &side(1_448, 0, 0))
        };
        assert!(may(1_348, 4, 250));
        assert!(!may(1_448, 4, 250) && !may(1_348, 3, 250));
        // A segment as long as the others got through ahead of the hole.
        assert!(!may(1_348, 4, 1_598));
    }

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
