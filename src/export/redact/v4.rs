//! IPv4 addresses: every octet becomes one with as many digits, and what is public stays public.

use std::net::Ipv4Addr;

use super::pseudonym::mac;

/// What octets become.
pub(super) struct V4 {
    /// By their place in an address.
    octets: [[u8; 256]; 4],
    /// What they become where the first octet is shared by networks of several kinds.
    shared: [[u8; 256]; 4],
}

impl V4 {
    pub fn new(key: &[u8; 32]) -> Self {
        let table = |place: usize, fixed: &dyn Fn(u8) -> bool| octets(key, place, fixed);
        let octets = std::array::from_fn(|place| {
            table(place, &|octet| {
                place == 0 && (SHARED.contains(&octet) || matches!(octet, 0 | 10 | 127 | 224..))
            })
        });
        let shared = std::array::from_fn(|place| {
            table(place, &|octet| match place {
                0 => true,
                1 => matches!(octet, 0 | 16..=31 | 51 | 64..=127 | 168 | 254),
                2 => matches!(octet, 0 | 2 | 100 | 113),
                _ => false,
            })
        });
        Self { octets, shared }
    }

    /// What becomes of an address.
    pub fn of(&self, address: Ipv4Addr) -> Ipv4Addr {
        let mut bytes = address.octets();
        let shared = bytes.first().is_some_and(|first| SHARED.contains(first));
        let tables = if shared { &self.shared } else { &self.octets };
        for (byte, becomes) in bytes.iter_mut().zip(tables).skip(special(address)) {
            *byte = becomes.get(usize::from(*byte)).copied().unwrap_or(0);
        }
        bytes.into()
    }
}

/// First octets that public networks share with others (RFC 6890).
const SHARED: [u8; 6] = [100, 169, 172, 192, 198, 203];

/// How many octets tell that an address is not public; these are no secret, and what is public stays public.
const fn special(address: Ipv4Addr) -> usize {
    match address.octets() {
        [0 | 127 | 224.., ..] => 4,
        [10, ..] => 1,
        [192, 0, 0 | 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => 3,
        [172, 16..=31, ..]
        | [192, 168, ..]
        | [169, 254, ..]
        | [100, 64..=127, ..]
        | [198, 18 | 19, ..] => 2,
        _ => 0,
    }
}

/// A shuffle of the octets in which the number of digits stays, and those that are `fixed`.
fn octets(key: &[u8; 32], place: usize, fixed: &dyn Fn(u8) -> bool) -> [u8; 256] {
    let mut becomes: [u8; 256] = std::array::from_fn(|octet| u8::try_from(octet).unwrap_or(0));
    for (from, to) in [(0, 9), (10, 99), (100, 255)] {
        let class: Vec<u8> = (from..=to).filter(|octet| !fixed(*octet)).collect();
        let mut shuffled = class.clone();
        shuffled.sort_by_cached_key(|octet| {
            mac(key, b"octet", &[u8::try_from(place).unwrap_or(0), *octet])
        });
        for (octet, other) in class.iter().zip(shuffled) {
            if let Some(slot) = becomes.get_mut(usize::from(*octet)) {
                *slot = other;
            }
        }
    }
    becomes
}

/// The IPv4 address at the start of a text, and its length.
pub(super) fn v4_at(rest: &str, before: Option<char>) -> Option<(usize, Ipv4Addr)> {
    if before.is_some_and(|c| c.is_ascii_alphanumeric() || c == '.') {
        return None;
    }
    let len = rest.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
    let text = rest.get(..len)?.trim_end_matches('.');
    Some((text.len(), text.parse().ok()?))
}
