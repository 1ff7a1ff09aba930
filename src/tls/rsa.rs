//! RSA private keys of servers, for the key exchange that has no other secret (RFC 5246 7.4.7.1).

use std::fmt;

use rsa::PrivateKey;
use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::pkcs8::DecodePrivateKey;
use rsa::traits::PublicKeyParts;

/// Length of a premaster secret.
const PREMASTER: usize = 48;

/// Why a file is no RSA private key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RsaKeyError {
    /// Not PEM with the label `RSA PRIVATE KEY` or `PRIVATE KEY`.
    NotPem,
    /// It needs a passphrase.
    Encrypted,
    /// A key of another kind, a malformed one, or one outside 1024 to 8192 bits.
    NotRsa,
}

impl fmt::Display for RsaKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotPem => "no private key in PEM form (PKCS#1 or PKCS#8)",
            Self::Encrypted => "the private key is encrypted; decrypt it first",
            Self::NotRsa => "no usable RSA private key of 1024 to 8192 bits",
        })
    }
}

impl std::error::Error for RsaKeyError {}

/// A server's RSA private key.
#[derive(Clone)]
pub(super) struct RsaKey(PrivateKey);

impl RsaKey {
    /// The first private key of a PEM file; certificates and other things around it do not matter.
    pub(super) fn from_pem(file: &[u8]) -> Result<Self, RsaKeyError> {
        let text = String::from_utf8_lossy(file);
        if let Some(pem) = section(&text, "RSA PRIVATE KEY") {
            if pem.contains("Proc-Type: 4,ENCRYPTED") {
                return Err(RsaKeyError::Encrypted);
            }
            let key = PrivateKey::from_pkcs1_pem(pem);
            return key.map(Self).map_err(|_| RsaKeyError::NotRsa);
        }
        if let Some(pem) = section(&text, "PRIVATE KEY") {
            return PrivateKey::from_pkcs8_pem(pem).map(Self).map_err(|_| RsaKeyError::NotRsa);
        }
        let encrypted = section(&text, "ENCRYPTED PRIVATE KEY").is_some();
        Err(if encrypted { RsaKeyError::Encrypted } else { RsaKeyError::NotPem })
    }

    /// The premaster secret in a ClientKeyExchange message, if it is for this key.
    ///
    /// Padding that does not fit yields noise rather than an error; what the keys open tells one from the other.
    pub(super) fn premaster(&self, exchange: &[u8]) -> Option<Vec<u8>> {
        let (len, sealed) = exchange.split_first_chunk::<2>()?;
        if usize::from(u16::from_be_bytes(*len)) != sealed.len() || sealed.len() != self.0.size() {
            return None;
        }
        let premaster = self.0.pkcs1v15_decrypt(sealed).ok()?;
        (premaster.len() == PREMASTER && premaster.first() == Some(&3)).then_some(premaster)
    }
}

fn section<'t>(text: &'t str, label: &str) -> Option<&'t str> {
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let start = text.find(&begin)?;
    let rest = text.get(start..)?;
    rest.get(..rest.find(&end)? + end.len())
}
