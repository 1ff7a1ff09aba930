//! Hosts as messages write them.

use std::net::IpAddr;

use super::url::split_port;

/// A host in lower case without port and brackets.
pub fn bare(host: &str) -> String {
    let host = host.trim();
    let front = split_port(host).map_or(host, |(front, _)| front);
    front.trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase()
}

/// Whether a value is a host ([MC-BUP] 2.2.3.2, RFC 1738 5): a name or an address; a port and brackets are forgiven.
pub fn is_host(value: &str) -> bool {
    let host = bare(value);
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    !host.is_empty() && (host.bytes().all(fits) || host.parse::<IpAddr>().is_ok())
}

/// The port behind a host, where there is one.
pub fn port(host: &str) -> Option<&str> {
    split_port(host.trim()).map(|(_, port)| port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_no_host() {
        let hosts =
            ["node1", "node_2.corp.test.", "192.0.2.81:8080", "2001:db8::1", "[2001:db8::1]"];
        assert!(hosts.iter().all(|host| is_host(host)));
        let others = ["http://node2/", "node2/up", "node 2", "node1,node2", "", "2001:db8"];
        assert!(others.iter().all(|other| !is_host(other)));
    }

    #[test]
    fn hosts_compare_without_port_case_and_brackets() {
        assert_eq!(bare("Node1.Contoso.test:8080"), "node1.contoso.test");
        assert_eq!(bare("[2001:DB8::1]:80"), "2001:db8::1");
        assert_eq!(bare("2001:db8::1"), "2001:db8::1");
        assert_eq!(
            (port("node1:8080"), port("2001:db8::1"), port("node1")),
            (Some("8080"), None, None)
        );
    }
}
