//! What certificates say: names, issuer, validity (RFC 5280 4.1, RFC 5246 7.4.2, RFC 8446 4.4.2).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;

use crate::at::Timestamp;

/// Certificates kept of one chain.
const MOST_CERTIFICATES: usize = 8;
/// Names kept of one certificate.
const MOST_NAMES: usize = 64;
/// Characters kept of one name.
const LONGEST_NAME: usize = 512;

/// A certificate, as far as it matters to who talks to whom.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Certificate {
    /// The subject, as `CN=bits.example, O=Example`.
    pub subject: String,
    /// DNS names and IP addresses it is valid for; at most 64.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// The issuer, as the subject.
    pub issuer: String,
    /// First moment of its validity.
    pub not_before: Timestamp,
    /// Last moment of its validity.
    pub not_after: Timestamp,
}

impl Certificate {
    fn decode(der: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let names = certificate.subject_alternative_name().ok().flatten();
        let names = names.map(|names| names.value.general_names.iter().filter_map(name));
        Some(Self {
            subject: shortened(certificate.subject().to_string()),
            names: names.map(|names| names.take(MOST_NAMES).collect()).unwrap_or_default(),
            issuer: shortened(certificate.issuer().to_string()),
            not_before: timestamp(certificate.validity().not_before),
            not_after: timestamp(certificate.validity().not_after),
        })
    }

    /// Whether it is valid for a host name or an IP address (RFC 6125 6.4): a `*` stands for the whole first label.
    ///
    /// Clients no longer look at the common name, nor does this.
    pub fn is_for(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.');
        if host.parse::<IpAddr>().is_ok() {
            return self.names.iter().any(|name| name == host);
        }
        let parent = host.split_once('.').map(|(_, parent)| parent);
        self.names.iter().any(|name| match name.strip_prefix("*.") {
            Some(rest) => parent.is_some_and(|parent| parent.eq_ignore_ascii_case(rest)),
            None => name.eq_ignore_ascii_case(host),
        })
    }

    /// Whether it was valid then.
    pub fn is_valid_at(&self, time: Timestamp) -> bool {
        self.not_before <= time && time <= self.not_after
    }
}

/// The certificates of a Certificate message, that of the peer first; `None` where it makes no sense.
pub(super) fn decode(body: &[u8], tls13: bool) -> Option<Vec<Certificate>> {
    let mut rest = if tls13 { after_context(body)? } else { body };
    let mut list = vector24(&mut rest)?;
    let mut certificates = Vec::new();
    while certificates.len() < MOST_CERTIFICATES {
        let Some(der) = vector24(&mut list) else { break };
        certificates.extend(Certificate::decode(der));
        if tls13 {
            // RFC 8446 4.4.2: every certificate has extensions of its own.
            vector16(&mut list)?;
        }
    }
    Some(certificates)
}

fn after_context(body: &[u8]) -> Option<&[u8]> {
    let (&len, rest) = body.split_first()?;
    rest.get(usize::from(len)..)
}

fn vector24<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (&[a, b, c], rest) = bytes.split_first_chunk::<3>()?;
    let (head, rest) = rest.split_at_checked(u32::from_be_bytes([0, a, b, c]) as usize)?;
    *bytes = rest;
    Some(head)
}

fn vector16<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (&len, rest) = bytes.split_first_chunk::<2>()?;
    let (head, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(len)))?;
    *bytes = rest;
    Some(head)
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some(shortened((*name).to_owned())),
        GeneralName::IPAddress(bytes) => address(bytes),
        _ => None,
    }
}

fn address(bytes: &[u8]) -> Option<String> {
    let v4 = <[u8; 4]>::try_from(bytes).map(|bytes| Ipv4Addr::from(bytes).to_string());
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(|bytes| Ipv6Addr::from(bytes).to_string())).ok()
}

fn shortened(mut text: String) -> String {
    if let Some((at, _)) = text.char_indices().nth(LONGEST_NAME) {
        text.truncate(at);
    }
    text
}

// The year 9999, which stands for no end (RFC 5280 4.1.2.5), lies beyond what nanoseconds reach.
fn timestamp(time: ASN1Time) -> Timestamp {
    Timestamp::from_nanos(time.timestamp().saturating_mul(1_000_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(names: &[&str]) -> Certificate {
        Certificate {
            names: names.iter().map(|&name| name.to_owned()).collect(),
            ..Certificate::default()
        }
    }

    #[test]
    fn wildcard_stands_for_one_label() {
        let certificate = certificate(&["*.example.org", "Bits.example.net", "10.0.0.7"]);
        assert!(certificate.is_for("a.example.org") && certificate.is_for("A.EXAMPLE.org."));
        assert!(!certificate.is_for("a.b.example.org") && !certificate.is_for("example.org"));
        assert!(certificate.is_for("bits.example.net") && certificate.is_for("10.0.0.7"));
        assert!(!certificate.is_for("10.0.0.8"));
    }

    #[test]
    fn nonsense_is_no_certificate() {
        assert_eq!(decode(&[0, 0, 4, 0, 0, 1, 5], false), Some(vec![]));
        assert_eq!(decode(&[0, 0, 9, 0], false), None);
        assert_eq!(decode(&[], true), None);
        assert_eq!(decode(&[0, 0, 0, 0], true), Some(vec![]));
    }
}
