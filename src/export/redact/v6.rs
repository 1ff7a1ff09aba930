//! IPv6 addresses: every group becomes one with as many digits, so that an address is the same in packets and in texts.

use std::net::Ipv6Addr;

use super::pseudonym::Pseudonyms;

/// Rounds of the shuffle, each with eight bytes of a MAC.
const ROUNDS: usize = 4;

impl Pseudonyms {
    /// The first group tells the kind of network, as before; neighbours stay neighbours.
    pub(super) fn v6(&self, address: Ipv6Addr) -> Ipv6Addr {
        if let Some(inner) = address.to_ipv4_mapped() {
            return self.v4(inner).to_ipv6_mapped();
        }
        let mut groups = address.segments();
        let kept = kept(groups);
        let mut before = Vec::with_capacity(16);
        for (place, group) in groups.iter_mut().enumerate() {
            let own = *group;
            *group = match kept.get(place) {
                Some(kept) => *kept,
                None => self.group(&before, own),
            };
            before.extend(own.to_be_bytes());
        }
        groups.into()
    }

    /// An address as it is written: groups keep their digits, and the colons their places.
    pub(super) fn v6_text(&self, literal: &str, address: Ipv6Addr) -> String {
        if let (Some(inner), Some((front, _))) =
            (address.to_ipv4_mapped(), literal.rsplit_once(':'))
            && literal.contains('.')
        {
            return format!("{front}:{}", self.v4(inner));
        }
        let groups = self.v6(address).segments();
        let (head, tail) = literal.split_once("::").unwrap_or((literal, ""));
        let behind = tail.split(':').filter(|group| !group.is_empty()).count();
        let head = written(head, groups.iter());
        let tail = written(tail, groups.iter().skip(groups.len().saturating_sub(behind)));
        if literal.contains("::") { format!("{head}::{tail}") } else { head }
    }

    /// One of the groups with as many digits; which is which depends on those before it.
    fn group(&self, before: &[u8], group: u16) -> u16 {
        let digits = (u16::BITS - group.leading_zeros()).div_ceil(4);
        let Some(lowest) = digits.checked_sub(1).map(|place| 1 << (4 * place)) else {
            return group;
        };
        let mac = self.mac(b"v6", before);
        let (keys, _) = mac.as_chunks::<8>();
        let mut becomes = group;
        loop {
            becomes = shuffled(becomes, digits, keys);
            if becomes >= lowest {
                return becomes;
            }
        }
    }
}

/// The groups that may stay, or what stands for them: all of an address that no machine has.
fn kept(groups: [u16; 8]) -> Vec<u16> {
    let [first, second, ..] = groups;
    match (first, second) {
        // Documentation (RFC 3849), and a network that was given back (RFC 3701).
        (0x2001, 0xdb8) => vec![first, second],
        _ if first & 0xe000 == 0x2000 => vec![0x3ffe],
        _ if first & 0xfe00 == 0xfc00 || first & 0xffc0 == 0xfe80 => vec![first],
        _ => groups.to_vec(),
    }
}

/// A Feistel network over `digits` hexadecimal digits: no two numbers become the same.
fn shuffled(number: u16, digits: u32, keys: &[[u8; 8]]) -> u16 {
    let half = 2 * digits;
    let mask = (1 << half) - 1;
    let (mut left, mut right) = (u64::from(number) >> half, u64::from(number) & mask);
    for key in keys.iter().take(ROUNDS) {
        // What of the product depends on all bits of both.
        let mixed = (right + 1).wrapping_mul(u64::from_le_bytes(*key) | 1) >> 40;
        (left, right) = (right, (left ^ mixed) & mask);
    }
    u16::try_from(left << half | right).unwrap_or(number)
}

/// Groups in the place of those in `text`, written as these are.
fn written<'g>(text: &str, mut groups: impl Iterator<Item = &'g u16>) -> String {
    let one = |old: &str| {
        let width = old.len();
        match groups.next().filter(|_| width > 0) {
            Some(group) if old.bytes().any(|byte| byte.is_ascii_uppercase()) => {
                format!("{group:0width$X}")
            }
            Some(group) => format!("{group:0width$x}"),
            None => String::new(),
        }
    };
    text.split(':').map(one).collect::<Vec<_>>().join(":")
}

/// The IPv6 address at the start of a text.
pub(super) fn v6_at(rest: &str, before: Option<char>) -> Option<(&str, Ipv6Addr)> {
    if before.is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, ':' | '.')) {
        return None;
    }
    let of_address = |byte: &u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.');
    let run = rest.get(..rest.bytes().take_while(of_address).count())?;
    let run = run.trim_end_matches('.');
    let one = |text: &'_ str| Some((text.len(), text.parse().ok()?));
    let (len, address) = one(run).or_else(|| one(run.strip_suffix(':')?))?;
    Some((rest.get(..len)?, address))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn an_address_in_text_is_that_of_the_packets() {
        let pseudonyms = Pseudonyms::new(Some("k"));
        for text in ["2001:db8::5:c0de", "2a00:1450:4001:81b::200e", "fe80::1", "fd00:7::"] {
            let other = pseudonyms.v6(text.parse().unwrap()).to_string();
            assert_eq!(other.len(), text.len(), "{text} {other}");
            assert_ne!(other, text);
            let url = pseudonyms.text(&format!("http://[{text}]:81/"));
            assert_eq!(url, format!("http://[{other}]:81/"));
            assert_eq!(
                pseudonyms.text(&format!("at {text}: x")).get(3..3 + other.len()),
                Some(&*other)
            );
        }
    }

    #[test]
    fn addresses_stay_distinct() {
        let pseudonyms = Pseudonyms::new(Some("k"));
        let all: BTreeSet<_> = (0..=0xffff)
            .map(|last| pseudonyms.v6(Ipv6Addr::from([0xfd00, 0, 0, 0, 0, 0, 7, last])))
            .collect();
        assert_eq!(all.len(), 0x1_0000);
    }

    #[test]
    fn an_address_is_written_as_it_was() {
        let pseudonyms = Pseudonyms::new(Some("k"));
        let text = pseudonyms.text("2001:0DB8:0:0:0:00C0:FFEE:1");
        assert!(text.starts_with("2001:0DB8:0:0:0:00"), "{text}");
        assert_eq!((text.len(), text.contains("C0:FFEE")), (27, false), "{text}");
        assert_eq!(pseudonyms.text("::1 ::ffff:127.0.0.1 ::"), "::1 ::ffff:127.0.0.1 ::");
        let inner = pseudonyms.text("10.9.8.7");
        assert_eq!(pseudonyms.text("[::ffff:10.9.8.7]"), format!("[::ffff:{inner}]"));
    }
}
