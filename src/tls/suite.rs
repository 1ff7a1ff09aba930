//! Cipher suites: names, and what the supported ones are made of.

use tls_parser::TlsCipherSuite;

/// How records are protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protection {
    /// AES in Galois/counter mode; the length of the key.
    Gcm(usize),
    /// ChaCha20 with Poly1305.
    ChaCha,
    /// AES in CBC mode with HMAC; the length of the key.
    Cbc(usize, Digest),
    /// Not supported here.
    Other,
}

/// Hash functions of the suites.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Digest {
    Sha1,
    Sha256,
    Sha384,
}

impl Digest {
    pub(super) const fn len(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
        }
    }
}

/// A cipher suite.
#[derive(Clone, Copy, Debug)]
pub(super) struct Suite {
    pub(super) code: u16,
    pub(super) name: &'static str,
    pub(super) protection: Protection,
    /// Hash of the key schedule.
    pub(super) prf: Digest,
}

impl Suite {
    pub(super) fn of(code: u16) -> Self {
        let name = TlsCipherSuite::from_id(code).map_or("unknown", |suite| suite.name);
        let prf = if name.ends_with("SHA384") { Digest::Sha384 } else { Digest::Sha256 };
        Self { code, name, protection: protection(name), prf }
    }

    /// Whether the client encrypts the premaster secret with the key of the server's certificate (RFC 5246 7.4.7.1).
    pub(super) fn is_static_rsa(&self) -> bool {
        self.name.starts_with("TLS_RSA_WITH_")
    }
}

// The registered names say it all; the table that they come from has the key length of ChaCha20 wrong.
fn protection(name: &str) -> Protection {
    let digest = match name.rsplit('_').next() {
        Some("SHA") => Digest::Sha1,
        Some("SHA384") => Digest::Sha384,
        _ => Digest::Sha256,
    };
    if name.contains("AES_128_GCM") {
        Protection::Gcm(16)
    } else if name.contains("AES_256_GCM") {
        Protection::Gcm(32)
    } else if name.contains("CHACHA20") {
        Protection::ChaCha
    } else if name.contains("AES_128_CBC") {
        Protection::Cbc(16, digest)
    } else if name.contains("AES_256_CBC") {
        Protection::Cbc(32, digest)
    } else {
        Protection::Other
    }
}
