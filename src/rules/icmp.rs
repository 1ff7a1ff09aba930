//! What ICMP and ICMPv6 errors say about a connection.

use std::net::IpAddr;

use crate::model::Session;
use crate::rules::Finding;
use crate::stream::{Connection, Icmp};

/// The error that tells why data of a client is repeated and stays unacknowledged, if one came within the last request.
pub fn explains(session: &Session, connection: &Connection) -> Option<Icmp> {
    let icmp = connection.icmp?;
    let client = &connection.client_side;
    let waiting = session.on(connection.id).next_back()?;
    let within = icmp.at.frame > waiting.span().first.frame && waiting.response.is_none();
    (within && client.waits.is_some() && client.unacked() > 0).then_some(icmp)
}

/// Its numbers, what they mean, and who sent it.
pub fn told(icmp: &Icmp) -> String {
    format!("ICMP {}/{}, {}, from {}", icmp.kind, icmp.code, words(icmp), icmp.from)
}

/// What it means (RFC 792, RFC 1812 5.2.7, RFC 4443 3).
const fn words(icmp: &Icmp) -> &'static str {
    match (icmp.from, icmp.kind, icmp.code) {
        (IpAddr::V4(_), 3, 0 | 6) => "network unreachable",
        (IpAddr::V4(_), 3, 1 | 7) | (IpAddr::V6(_), 1, 3) => "host unreachable",
        (IpAddr::V4(_), 3, 2) => "protocol unreachable",
        (IpAddr::V4(_), 3, 3) | (IpAddr::V6(_), 1, 4) => "port unreachable",
        (IpAddr::V4(_), 3, 9 | 10 | 13) | (IpAddr::V6(_), 1, 1) => "administratively prohibited",
        (IpAddr::V6(_), 1, 0) => "no route",
        (IpAddr::V6(_), 1, 5 | 6) => "refused by a policy of routes",
        (IpAddr::V4(_), 11, 0) | (IpAddr::V6(_), 3, 0) => "too many hops",
        (IpAddr::V4(_), 11, _) | (IpAddr::V6(_), 3, _) => "fragments missing",
        _ => "destination unreachable",
    }
}

/// Whether a filter sent it: hosts answer a TCP port that is closed by RST (RFC 9293 3.5.2).
const fn is_of_filter(icmp: &Icmp) -> bool {
    matches!(
        (icmp.from, icmp.kind, icmp.code),
        (IpAddr::V4(_), 3, 3 | 9 | 10 | 13) | (IpAddr::V6(_), 1, 1 | 4 | 5 | 6)
    )
}

/// Turns a finding to the device that sent it.
pub fn turn(finding: &mut Finding, icmp: &Icmp) {
    let (who, advice) = if is_of_filter(icmp) { OF_FILTER } else { OF_ROUTER };
    finding.turn_to(who).advise(advice).confirm_by(LOG);
}

const OF_FILTER: (&str, &str) = (
    "the firewall that reported it",
    "Look at the rules of the device that sent the ICMP message, be it on the way or on the server: what changed there at this time, and whether they allow this port for this client.",
);

const OF_ROUTER: (&str, &str) = (
    "the network",
    "Look at the device that sent the ICMP message: it has no way to the server. See its routes, a loop, a link or a VPN that went down, and whether the host is up.",
);

const LOG: &str = "The log of the device that sent the ICMP message, at the same second.";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::at::At;

    #[test]
    fn an_error_is_told_by_its_numbers_and_their_meaning() {
        let told = |from: &str, kind: u8, code: u8| {
            let from = from.parse().unwrap();
            told(&Icmp { at: At::default(), from, kind, code, mtu: 0 })
        };
        assert_eq!(
            told("192.0.2.1", 3, 13),
            "ICMP 3/13, administratively prohibited, from 192.0.2.1"
        );
        assert_eq!(told("192.0.2.1", 11, 0), "ICMP 11/0, too many hops, from 192.0.2.1");
        assert_eq!(told("2001:db8::1", 1, 4), "ICMP 1/4, port unreachable, from 2001:db8::1");
        let words = |from: &str, kind: u8, code: u8| {
            words(&Icmp { at: At::default(), from: from.parse().unwrap(), kind, code, mtu: 0 })
        };
        assert_eq!(words("192.0.2.1", 3, 6), "network unreachable");
        assert_eq!(words("192.0.2.1", 3, 2), "protocol unreachable");
        assert_eq!(words("192.0.2.1", 3, 5), "destination unreachable");
        assert_eq!(words("192.0.2.1", 11, 1), "fragments missing");
        assert_eq!(words("2001:db8::1", 1, 0), "no route");
        assert_eq!(words("2001:db8::1", 1, 6), "refused by a policy of routes");
    }
}
