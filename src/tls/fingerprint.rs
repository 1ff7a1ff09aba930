//! Fingerprints of ClientHellos: JA3 (Salesforce, 2017) and JA4 (FoxIO, 2023).
//!
//! Both say which TLS library spoke, and how it was set up; clients that share a library share them.

use md5::{Digest, Md5};
use sha2::Sha256;

use super::hello::ClientHello;
use crate::hex;

/// Hexadecimal digits of a hash that JA4 keeps.
const KEPT: usize = 12;
const SERVER_NAME: u16 = 0;
const ALPN: u16 = 16;

/// Whether a code is one of those reserved to test the tolerance of others (RFC 8701).
pub(super) const fn is_grease(code: u16) -> bool {
    let [high, low] = code.to_be_bytes();
    high == low && low & 0x0f == 0x0a
}

/// JA3: MD5 of [`ja3_text`].
pub(super) fn ja3(hello: &ClientHello) -> String {
    hex::lower(&Md5::digest(ja3_text(hello)))
}

/// Version, suites, extensions, groups and point formats, in their order.
pub(super) fn ja3_text(hello: &ClientHello) -> String {
    let formats: Vec<u16> = hello.point_formats.iter().map(|&format| format.into()).collect();
    let lists = [&hello.suites, &hello.extensions, &hello.groups, &formats];
    lists.iter().fold(hello.legacy_version.to_string(), |mut text, list| {
        text.push(',');
        text.push_str(&joined(known(list), "-", |code| code.to_string()));
        text
    })
}

/// JA4: what stands in plain sight, then suites, then extensions with signature algorithms, both sorted and hashed.
pub(super) fn ja4(hello: &ClientHello) -> String {
    let (mut suites, mut extensions) = (known(&hello.suites), known(&hello.extensions));
    let head = ja4_head(hello, suites.len(), extensions.len());
    suites.sort_unstable();
    extensions.sort_unstable();
    extensions.retain(|&kind| kind != SERVER_NAME && kind != ALPN);
    let (suites, mut rest) = (joined(suites, ",", hex4), joined(extensions, ",", hex4));
    let algorithms = known(&hello.signature_algorithms);
    if !rest.is_empty() && !algorithms.is_empty() {
        rest.push('_');
        rest.push_str(&joined(algorithms, ",", hex4));
    }
    format!("{head}_{}_{}", short_hash(&suites), short_hash(&rest))
}

// `t` is TLS over TCP; the counts have two digits.
fn ja4_head(hello: &ClientHello, suites: usize, extensions: usize) -> String {
    let version = match hello.versions.iter().max() {
        Some(0x0304) => "13",
        Some(0x0303) => "12",
        Some(0x0302) => "11",
        Some(0x0301) => "10",
        Some(0x0300) => "s3",
        Some(0x0002) => "s2",
        _ => "00",
    };
    let name = if hello.extensions.contains(&SERVER_NAME) { 'd' } else { 'i' };
    let alpn = ja4_alpn(hello.alpn.first().map(Vec::as_slice));
    format!("t{version}{name}{:02}{:02}{alpn}", suites.min(99), extensions.min(99))
}

/// The first and the last character of the first protocol, or of its hexadecimal form where these are not alphanumeric.
fn ja4_alpn(protocol: Option<&[u8]>) -> String {
    let Some(([first, ..], [.., last])) = protocol.map(|name| (name, name)) else {
        return "00".to_owned();
    };
    if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() {
        return [*first, *last].map(char::from).iter().collect();
    }
    let (first, last) = (format!("{first:02x}"), format!("{last:02x}"));
    first.chars().take(1).chain(last.chars().skip(1)).collect()
}

fn known(codes: &[u16]) -> Vec<u16> {
    codes.iter().copied().filter(|&code| !is_grease(code)).collect()
}

fn joined(codes: Vec<u16>, between: &str, show: fn(u16) -> String) -> String {
    codes.into_iter().map(show).collect::<Vec<_>>().join(between)
}

fn hex4(code: u16) -> String {
    format!("{code:04x}")
}

fn short_hash(text: &str) -> String {
    if text.is_empty() {
        return "0".repeat(KEPT);
    }
    let mut hash = hex::lower(&Sha256::digest(text));
    hash.truncate(KEPT);
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    // The two examples in the README of salesforce/ja3.
    #[test]
    fn ja3_is_that_of_its_authors() {
        let hello = ClientHello {
            legacy_version: 769,
            suites: vec![47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4],
            extensions: vec![0, 10, 11],
            groups: vec![23, 24, 25],
            point_formats: vec![0],
            ..ClientHello::default()
        };
        assert_eq!(
            ja3_text(&hello),
            "769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0"
        );
        assert_eq!(ja3(&hello), "ada70206e40642a3e4461f35503241d5");
        let hello = ClientHello {
            legacy_version: 769,
            suites: vec![4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99],
            ..ClientHello::default()
        };
        assert_eq!(ja3_text(&hello), "769,4-5-10-9-100-98-3-6-19-18-99,,,");
        assert_eq!(ja3(&hello), "de350869b8c85de67a350c8d186f11e6");
    }

    // The example of the technical details in FoxIO-LLC/ja4.
    fn chrome() -> ClientHello {
        ClientHello {
            legacy_version: 0x0303,
            versions: vec![0x0304, 0x0303],
            suites: vec![
                0x5a5a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8,
                0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035,
            ],
            extensions: vec![
                0x2a2a, 0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002d, 0x000d, 0x0005,
                0x0023, 0x0012, 0x002b, 0xff01, 0x000b, 0x000a, 0x0015, 0x8a8a,
            ],
            signature_algorithms: vec![
                0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601,
            ],
            alpn: vec![b"h2".to_vec(), b"http/1.1".to_vec()],
            ..ClientHello::default()
        }
    }

    #[test]
    fn ja4_is_that_of_its_authors() {
        assert_eq!(ja4(&chrome()), "t13d1516h2_8daaf6152771_e5627efa2ab1");
    }

    #[test]
    fn ja4_of_a_bare_hello_has_zeros() {
        let hello = ClientHello { versions: vec![0x0301], ..ClientHello::default() };
        assert_eq!(ja4(&hello), "t10i000000_000000000000_000000000000");
    }

    #[test]
    fn ja4_shows_odd_protocols_in_hexadecimal() {
        assert_eq!(ja4_alpn(Some(b"h")), "hh");
        assert_eq!(ja4_alpn(Some(b"http/1.1")), "h1");
        assert_eq!(ja4_alpn(Some(&[0xab])), "ab");
        assert_eq!(ja4_alpn(Some(&[0x30, 0xab])), "3b");
        assert_eq!(ja4_alpn(Some(&[])), "00");
    }
}
