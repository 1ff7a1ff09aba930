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

    /// One of the other groups with as many digits; which one depends on those before it.
    fn group(&self, before: &[u8], group: u16) -> u16 {
        let digits = (u16::BITS - group.leading_zeros()).div_ceil(4);
        let Some(lowest) = digits.checked_sub(1).map(|place| 1 << (4 * place)) else {
            return group;
        };
        let mac = self.mac(b"v6", before);
        let (keys, _) = mac.as_chunks::<8>();
        let walk = |mut group: u16, step: fn(u16, u32, &[[u8; 8]]) -> u16| {
            loop {
                group = step(group, digits, keys);
                if group >= lowest {
                    return group;
                }
            }
        };
        // The next in a shuffled order, so that none stays as it is.
        let place = walk(group, unshuffled);
        let last = u16::MAX >> (u16::BITS - 4 * digits);
        walk(if place == last { lowest } else { place + 1 }, shuffled)
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
    let (mut left, mut right, mask) = halves(number, digits);
    for key in keys.iter().take(ROUNDS) {
        (left, right) = (right, left ^ mixed(right, key) & mask);
    }
    u16::try_from(left << (2 * digits) | right).unwrap_or(number)
}

/// What [`shuffled`] made this number of.
fn unshuffled(number: u16, digits: u32, keys: &[[u8; 8]]) -> u16 {
    let (mut left, mut right, mask) = halves(number, digits);
    for key in keys.iter().take(ROUNDS).rev() {
        (left, right) = (right ^ mixed(left, key) & mask, left);
    }
    u16::try_from(left << (2 * digits) | right).unwrap_or(number)
}

/// Both halves of a number, and the mask for one.
fn halves(number: u16, digits: u32) -> (u64, u64, u64) {
    let (half, number) = (2 * digits, u64::from(number));
    let mask = (1 << half) - 1;
    (number >> half, number & mask, mask)
}

/// Bits of a product that depend on all of both numbers.
fn mixed(half: u64, key: &[u8; 8]) -> u64 {
    (half + 1).wrapping_mul(u64::from_le_bytes(*key) | 1) >> 40
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
    fn addresses_stay_distinct_and_none_stays() {
        let pseudonyms = Pseudonyms::new(Some("k"));
        let address = |last| Ipv6Addr::from([0xfd00, 0, 0, 0, 0, 0, 0, last]);
        let all: BTreeSet<_> = (0..=0xffff).map(|last| pseudonyms.v6(address(last))).collect();
        assert!((1..=0xffff).all(|last| pseudonyms.v6(address(last)) != address(last)));
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
