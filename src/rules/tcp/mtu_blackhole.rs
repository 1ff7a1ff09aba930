//! The rule `mtu-blackhole`.

use crate::at::Span;
use crate::model::{Outcome, Session};
use crate::rules::{Confidence, Notes, Severity, wording};
use crate::stream::Connection;

rule! {
    /// Small packets pass, full-sized ones do not.
    ///
    /// Somewhere the path carries less than the hosts believe, and the messages that would tell them are dropped or not
    /// heeded: typical of VPNs and tunnels.
    ///
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-1999/20000 whole dropped
    /// ! again
    /// ! again
    /// ! again
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-1999/20000 whole dropped
    /// ! too big 1400
    /// ... 3 s
    /// ! again
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9/20 dropped
    /// ! again
    /// ! again
    /// ! again
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-9999/20000
    /// < 200
    /// > FRAGMENT 10000-19999/20000 dropped
    /// ! again
    /// ! again
    /// ! again
    /// ```
    /// ```fires
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-1999/20000 whole dropped
    /// ! again
    /// ! again
    /// ! again
    /// ... 20 s
    /// ! client resets
    /// ```
    /// A handshake of more bytes than a full segment holds passes in small ones:
    /// ```fires
    /// > CREATE-SESSION
    ///   Cookie: x*800
    ///   Authorization: NTLM TlRMTVNTUAABAAAA
    /// < 401 plain
    ///   WWW-Authenticate: NTLM TlRMTVNTUAACAAAA
    /// > CREATE-SESSION
    ///   Cookie: x*800
    ///   Authorization: NTLM TlRMTVNTUAADAAAA
    /// < 200 session=1
    /// > FRAGMENT 0-14199/20000 dropped
    /// ! again
    /// ! again
    /// ! again
    /// ```
    /// ```silent
    /// > CREATE-SESSION
    /// < 200 session=1
    /// > FRAGMENT 0-1999/20000 whole dropped
    /// ! again
    /// ! again
    /// ! again
    /// ... 20 s
    /// = connection
    /// > FRAGMENT 0-1999/20000 whole
    /// < 200
    /// ```
    ///
    /// Answerable: the network
    /// Advice: Lower the MTU of the client, or clamp the MSS at the tunnel, and let ICMP "fragmentation needed" pass every firewall.
    /// Client: 0x80072EE2
    /// Confirm: `ping -f -l 1472` to the server fails where `ping -f -l 1200` works.
    /// Reference: RFC 2923 2.1
    Error, belief 49, needs Anything, Session
}

fn check(session: &Session, notes: &mut Notes<'_>) {
    // What passed on another connection is not too large for the path.
    let passed = session.connections().any(|connection| {
        let client = &connection.client_side;
        client.longest >= FULL && client.unacked() == 0
    });
    let told = |connection: &&Connection| connection.too_big.is_some();
    let stuck = || {
        let all = session.connections().filter(|connection| is_stuck(connection));
        all.filter(move |connection| !passed || told(connection))
    };
    let several = stuck().count() > 1;
    for connection in stuck() {
        let client = &connection.client_side;
        let Some(last) = client.last_data else { continue };
        let icmp = connection.too_big;
        // One connection alone may have met an outage that began just then.
        let (severity, confidence) = match (icmp, several) {
            (Some(_), _) => (notes.severity(), Confidence::Certain),
            (None, true) => (notes.severity(), Confidence::Likely),
            (None, false) => (Severity::Warning, Confidence::Possible),
        };
        let done = session.outcome == Outcome::Completed;
        let why = match icmp {
            Some(icmp) => format!("{} reports an MTU of {}", icmp.from, icmp.mtu),
            None => "no ICMP was seen".to_owned(),
        };
        let message = format!(
            "segments of {} were repeated {} and never acknowledged, smaller ones were; {why}",
            wording::counted(client.longest, "byte"),
            wording::counted(client.retransmitted, "time")
        );
        let first = icmp.map_or(connection.first, |icmp| icmp.at);
        let severity = if done { Severity::Warning } else { severity };
        notes.note(severity, confidence, &[Span { first, last }], message);
    }
}

/// Whether full segments are not acknowledged.
fn is_stuck(connection: &Connection) -> bool {
    let client = &connection.client_side;
    let full = client.longest >= FULL && client.unacked() >= u64::from(client.longest);
    let repeats = client.shortest_retransmitted.is_some_and(|shortest| shortest >= FULL);
    if connection.is_one_sided() || !full || !repeats {
        return false;
    }
    let none_passed = client.acked > 0 && client.acked <= client.longest_at;
    connection.too_big.is_some() || none_passed && client.repeats >= ENOUGH
}

/// Payload of segments that can be too large for a path, in bytes: every path carries packets of 576 and nearly all 1,280.
const FULL: u32 = 1_200;

/// Repeats that are no single loss.
const ENOUGH: u32 = 3;
