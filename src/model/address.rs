//! How an address with its port is written: every exchange has two.

use std::net::{SocketAddr, SocketAddrV4};

use serde::Serializer;

/// Bytes of the longest one, `255.255.255.255:65535`.
const TEXT: usize = 21;

/// Serialises an address as its `Display` does, without going through `core::fmt` for IPv4.
pub(super) fn serialize<S: Serializer>(
    address: &SocketAddr,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match address {
        SocketAddr::V4(address) => serializer.serialize_str(text(*address, &mut [0; TEXT])),
        SocketAddr::V6(address) => serializer.collect_str(address),
    }
}

/// Writes it into `out`, from behind.
fn text(address: SocketAddrV4, out: &mut [u8; TEXT]) -> &str {
    let [a, b, c, d] = address.ip().octets().map(u16::from);
    let mut places = out.iter_mut().rev();
    for (mut number, before) in
        [(address.port(), Some(b':')), (d, Some(b'.')), (c, Some(b'.')), (b, Some(b'.')), (a, None)]
    {
        for place in places.by_ref() {
            *place = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                break;
            }
        }
        if let Some(before) = before
            && let Some(place) = places.next()
        {
            *place = before;
        }
    }
    let free = places.len();
    out.get(free..).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_reads_as_it_is_displayed() {
        for known in ["0.0.0.0:0", "10.20.0.132:49152", "255.255.255.255:65535", "1.10.100.9:80"] {
            let address: SocketAddrV4 = known.parse().unwrap();
            assert_eq!(text(address, &mut [0; TEXT]), address.to_string());
        }
    }
}
