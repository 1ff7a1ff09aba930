//! Pseudonyms of the same length and kind: a letter for a letter, a digit for a digit, the signs as they were.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::plain::PLAIN;
use super::told;
use super::v4::{V4, v4_at};
use super::v6::v6_at;
use super::words::{NUMERIC, PARAMETERS, PATHS, is_one};
use crate::bits::{protocol, secrets};

/// Length of a GUID without braces.
const GUID: usize = 36;

/// Makes the same pseudonym of the same text as long as the key is the same.
pub struct Pseudonyms {
    key: [u8; 32],
    v4: V4,
}

/// What numbers and words may stay.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stay {
    /// Names and paths: only what protocols are known by, and what IIS refuses.
    Paths,
    /// Products, registered values and error pages: also words and short numbers of these.
    Products,
    /// Numbers and dates: numbers of any length, and the words that stand beside them.
    Numbers,
}

impl Pseudonyms {
    /// With a key of one's own, pseudonyms of several captures agree; without one, nobody can make them again.
    pub fn new(key: Option<&str>) -> Self {
        let mut bytes = [0; 32];
        match key {
            Some(key) => bytes = mac(&[0; 32], b"key", key.as_bytes()),
            None => bytes.chunks_mut(8).for_each(|part| {
                // Each has keys of its own, from a seed of the operating system.
                let random = RandomState::new().build_hasher().finish().to_le_bytes();
                part.iter_mut().zip(random).for_each(|(to, from)| *to = from);
            }),
        }
        Self { key: bytes, v4: V4::new(&bytes) }
    }

    /// An address of the same family; an IPv4 address has as many digits, and neighbours stay neighbours.
    pub fn address(&self, address: IpAddr) -> IpAddr {
        match address {
            IpAddr::V4(address) => self.v4(address).into(),
            IpAddr::V6(address) => self.v6(address).into(),
        }
    }

    /// The address with its port, which stays.
    pub fn socket(&self, at: SocketAddr) -> SocketAddr {
        SocketAddr::new(self.address(at.ip()), at.port())
    }

    /// Text with names in it: a path, a host, an id, a file.
    pub fn text(&self, text: &str) -> String {
        self.map(text, Stay::Paths)
    }

    pub(super) fn v4(&self, address: Ipv4Addr) -> Ipv4Addr {
        self.v4.of(address)
    }

    /// How long the address at the start of a text is, and what it becomes.
    pub(super) fn address_at(&self, rest: &str, before: Option<char>) -> Option<(usize, String)> {
        if let Some((len, address)) = v4_at(rest, before) {
            return Some((len, self.v4(address).to_string()));
        }
        let (literal, address) = v6_at(rest, before)?;
        Some((literal.len(), self.v6_text(literal, address)))
    }

    pub(super) fn mac(&self, kind: &[u8], data: &[u8]) -> [u8; 32] {
        mac(&self.key, kind, data)
    }

    pub(super) fn map(&self, text: &str, stay: Stay) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let told = match stay {
                Stay::Paths => told::refused(rest, &out),
                Stay::Products => told::words(rest, out.chars().next_back()),
                Stay::Numbers => 0,
            };
            let (used, becomes) = if told > 0 {
                (told, rest.get(..told).unwrap_or_default().to_owned())
            } else if let Some(guid) = guid(rest) {
                (GUID, self.guid(guid))
            } else if let Some(address) = self.address_at(rest, out.chars().next_back()) {
                address
            } else if c.is_ascii_alphanumeric() {
                let len = rest.bytes().take_while(u8::is_ascii_alphanumeric).count();
                let token = rest.get(..len).unwrap_or_default();
                // A number behind a colon is a port, unless it is a password.
                let port = out.ends_with(':') && rest.as_bytes().get(len) != Some(&b'@');
                let port = port && token.bytes().all(|byte| byte.is_ascii_digit());
                let known = port || is_parameter(token, rest);
                (len, self.token(token, known, stay))
            } else if c == '%' && rest.len() > 2 {
                escape(rest)
            } else if c.is_ascii() {
                (1, c.to_string())
            } else {
                (c.len_utf8(), "x".repeat(c.len_utf8()))
            };
            out.push_str(&becomes);
            rest = rest.get(used.max(1)..).unwrap_or_default();
        }
        out
    }

    fn token(&self, token: &str, known: bool, stay: Stay) -> String {
        let digits = token.bytes().all(|byte| byte.is_ascii_digit());
        let kept = match stay {
            Stay::Paths => is_one(token, PATHS) || known,
            Stay::Products => {
                is_one(token, PLAIN) || digits && token.len() <= 5 || token.len() == 1
            }
            Stay::Numbers => is_one(token, NUMERIC) || digits || token.len() == 1,
        };
        if kept {
            return token.to_owned();
        }
        let mut random = self.random(b"token", &token.to_ascii_lowercase());
        loop {
            let word: String =
                token.bytes().map(|byte| char::from(alike(byte, random()))).collect();
            // By chance it could name a credential where there is none.
            if !secrets::is_credential(&word) {
                return word;
            }
        }
    }

    fn guid(&self, guid: &str) -> String {
        if protocol::name(guid).is_some() {
            return guid.to_owned();
        }
        let mut random = self.random(b"guid", &guid.to_ascii_lowercase());
        let digit = |byte: u8, random: u8| {
            let digit = char::from_digit(u32::from(random % 16), 16).unwrap_or('0');
            if byte.is_ascii_uppercase() || byte.is_ascii_digit() {
                digit.to_ascii_uppercase()
            } else {
                digit
            }
        };
        guid.bytes().map(|byte| if byte == b'-' { '-' } else { digit(byte, random()) }).collect()
    }

    /// An endless row of bytes that `text` and the key make.
    fn random(&self, kind: &[u8], text: &str) -> impl FnMut() -> u8 + use<> {
        let mut block = mac(&self.key, kind, text.as_bytes());
        let mut place = 0;
        move || {
            if place == block.len() {
                block = mac(&block, b"more", &[]);
                place = 0;
            }
            place += 1;
            block.get(place - 1).copied().unwrap_or(0)
        }
    }
}

/// Bytes of the name of a parameter that are looked through.
const NAME: usize = 64;

/// Whether the token at the start of a text is in the name of a parameter that is a credential.
fn is_parameter(token: &str, rest: &str) -> bool {
    let of_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let known = is_one(token, PARAMETERS) || secrets::is_credential(token);
    known && rest.bytes().take(NAME).find(|byte| !of_name(byte)) == Some(b'=')
}

fn alike(byte: u8, random: u8) -> u8 {
    match byte {
        b'0'..=b'9' => b'0' + random % 10,
        b'a'..=b'z' => b'a' + random % 26,
        b'A'..=b'Z' => b'A' + random % 26,
        _ => byte,
    }
}

/// A percent escape: of a sign it stays, of anything else it becomes that of an underscore.
fn escape(rest: &str) -> (usize, String) {
    let hex = rest.get(1..3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
    match hex {
        Some(value) if value.is_ascii_punctuation() || value == b' ' => {
            (3, rest.get(..3).unwrap_or_default().to_owned())
        }
        Some(_) => (3, "%5F".to_owned()),
        None => (1, "%".to_owned()),
    }
}

/// The GUID at the start of a text.
fn guid(rest: &str) -> Option<&str> {
    let text = rest.get(..GUID)?;
    let shape = text.bytes().enumerate().all(|(place, byte)| {
        if matches!(place, 8 | 13 | 18 | 23) { byte == b'-' } else { byte.is_ascii_hexdigit() }
    });
    shape.then_some(text)
}

/// A keyed hash of `data`, another one for each `kind`.
pub(super) fn mac(key: &[u8; 32], kind: &[u8], data: &[u8]) -> [u8; 32] {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    mac.update(kind);
    mac.update(&[0]);
    mac.update(data);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::address::is_public;

    #[test]
    fn a_pseudonym_has_the_length_and_the_signs() {
        let pseudonyms = Pseudonyms::new(Some("k"));
        let text = "https://files.contoso.com:8080/BITS-Sessions/Replies/Quarterly%20{1C34C8D4-0F42-49D1-A0D4-274383A65E8F}.xlsx";
        let other = pseudonyms.text(text);
        assert_eq!(other.len(), text.len());
        assert!(
            other.starts_with("https://") && other.contains(":8080/BITS-Sessions/Replies/"),
            "{other}"
        );
        assert!(!other.contains("contoso") && !other.contains("1C34C8D4"), "{other}");
        assert_eq!(pseudonyms.text(text), other);
        assert_ne!(Pseudonyms::new(Some("l")).text(text), other);
        assert_ne!(Pseudonyms::new(None).text(text), Pseudonyms::new(None).text(text));
    }

    #[test]
    fn by_chance_nothing_becomes_the_name_of_a_credential() {
        let pseudonyms = Pseudonyms::new(Some("k"));
        for number in 0..17_576_u32 {
            let letter = |place: u32| char::from(b'a' + (number / 26_u32.pow(place) % 26) as u8);
            let name: String = (0..3).map(letter).collect();
            let target = format!("/a?{name}=1234567890");
            let before = secrets::tokens(&target).count();
            let after = pseudonyms.text(&target);
            assert_eq!(secrets::tokens(&after).count(), before, "{target} {after}");
        }
    }

    #[test]
    fn names_of_credentials_stay_and_their_values_do_not() {
        let other = Pseudonyms::new(Some("k"))
            .text("/a?access_token=password&sig=12345678&x-amz-signature=sig");
        for (part, name) in
            other.split(['?', '&']).skip(1).zip(["access_token=", "sig=", "x-amz-signature="])
        {
            assert!(part.starts_with(name), "{other}");
        }
        assert!(
            !other.contains("password") && !other.contains("12345678") && !other.ends_with("=sig"),
            "{other}"
        );
    }

    #[test]
    fn long_text_keeps_its_length() {
        let text = "x-".repeat(1 << 16);
        assert_eq!(Pseudonyms::new(Some("k")).text(&text).len(), text.len());
    }

    #[test]
    fn an_address_in_text_is_that_of_the_packets() {
        let pseudonyms = Pseudonyms::new(Some("k"));
        let address: Ipv4Addr = "10.20.0.80".parse().unwrap();
        let other = pseudonyms.address(address.into()).to_string();
        assert_eq!(pseudonyms.text("http://10.20.0.80:81/"), format!("http://{other}:81/"));
        assert_eq!(other.len(), 10);
        assert_ne!(other, "10.20.0.80");
    }

    #[test]
    fn addresses_stay_distinct() {
        let pseudonyms = Pseudonyms::new(Some("k"));
        let all: std::collections::BTreeSet<_> =
            (0..=255_u8).map(|last| pseudonyms.v4([10, 20, 0, last].into())).collect();
        assert_eq!(all.len(), 256);
        assert_eq!(pseudonyms.v4([127, 0, 0, 1].into()), Ipv4Addr::LOCALHOST);
    }

    #[test]
    fn what_is_public_stays_public_and_what_is_not_does_not() {
        let pseudonyms = Pseudonyms::new(Some("k"));
        for first in 0..=255 {
            for second in 0..=255 {
                for third in [0, 2, 7, 100, 113] {
                    let address = IpAddr::from([first, second, third, 9]);
                    let other = pseudonyms.address(address);
                    assert_eq!(is_public(address), is_public(other), "{address} {other}");
                }
            }
        }
        for text in [
            "2a00:1450::1",
            "fe80::1",
            "fd00::1",
            "::1",
            "2001:db8::1",
            "ff02::1",
            "::ffff:8.8.8.8",
        ] {
            let address: IpAddr = text.parse().unwrap();
            assert_eq!(is_public(address), is_public(pseudonyms.address(address)), "{text}");
        }
    }

    #[test]
    fn case_does_not_matter_and_is_kept() {
        let pseudonyms = Pseudonyms::new(Some("k"));
        assert_eq!(pseudonyms.text("FRANKCAO8"), pseudonyms.text("frankcao8").to_ascii_uppercase());
        let id = "{1C34C8D4-0F42-49D1-A0D4-274383A65E8F}";
        assert!(pseudonyms.text(id).eq_ignore_ascii_case(&pseudonyms.text(&id.to_lowercase())));
    }

    #[test]
    fn products_stay() {
        let pseudonyms = Pseudonyms::new(Some("k"));
        for text in [
            "Microsoft BITS/7.8",
            "nginx/1.18.0 (Ubuntu)",
            "<html><body><h1>503 Service Unavailable</h1>",
        ] {
            assert_eq!(pseudonyms.map(text, Stay::Products), text);
        }
        assert!(!pseudonyms.map("1.1 gw7.contoso.com (squid)", Stay::Products).contains("contoso"));
    }
}
