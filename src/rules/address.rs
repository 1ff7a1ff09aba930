//! Whose an address is, and which ports are usual.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Ports that uploads are sent to by default: HTTP, HTTPS, and the update points of WSUS.
pub const USUAL_PORTS: [u16; 4] = [80, 443, 8530, 8531];

/// Whether an address is one of the public Internet: not private, shared, local, of documentation or benchmarks,
/// multicast or reserved (RFC 6890).
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(address) => is_public_v4(address),
            None => is_public_v6(address),
        },
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let benchmark = a == 198 && (18..20).contains(&b);
    let assigned = (a, b, c) == (192, 0, 0);
    let local = address.is_private() || address.is_loopback() || address.is_link_local();
    let none = a == 0 || a >= 224 || address.is_documentation();
    !(local || none || shared || benchmark || assigned)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    let documentation = (a, b) == (0x2001, 0xdb8) || a == 0x3fff && b < 0x1000;
    // Only 2000::/3 is given out.
    a & 0xe000 == 0x2000 && !documentation
}

/// The address that a host is, where it is written as one.
pub fn literal(host: &str) -> Option<IpAddr> {
    // Names seldom end in a digit, and have no colon.
    let may_be = host.ends_with(|last: char| last.is_ascii_digit()) || host.contains(':');
    may_be.then(|| host.parse().ok()).flatten()
}

/// The host of a URL without its port, brackets taken off, and the port where one is written.
pub fn host_and_port(url: &str) -> Option<(&str, Option<u16>)> {
    let rest = url.split_once(':')?.1.strip_prefix("//")?;
    let authority = rest.get(..memchr::memchr(b'/', rest.as_bytes()).unwrap_or(rest.len()))?;
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, port) = rest.split_once(']')?;
        return Some((host, port.strip_prefix(':').and_then(|port| port.parse().ok())));
    }
    match memchr::memrchr(b':', authority.as_bytes()) {
        Some(colon) => Some((authority.get(..colon)?, authority.get(colon + 1..)?.parse().ok())),
        None => Some((authority, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_that_are_given_out_are_public() {
        for address in ["8.8.8.8", "100.128.0.1", "172.32.0.1", "2a00:1450::1", "::ffff:1.1.1.1"] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
        for address in [
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "127.0.0.1",
            "169.254.1.1",
            "100.64.0.1",
            "192.0.2.80",
            "198.51.100.1",
            "203.0.113.9",
            "198.18.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "fd00:20::80",
            "fe80::1",
            "2001:db8::1",
            "ff02::1",
            "::ffff:10.0.0.1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn a_host_is_told_from_its_port() {
        assert_eq!(host_and_port("http://a.test:8080/x"), Some(("a.test", Some(8080))));
        assert_eq!(host_and_port("https://[fd00::1]:8443/x"), Some(("fd00::1", Some(8443))));
        assert_eq!(host_and_port("http://a.test/x:1"), Some(("a.test", None)));
    }
}
