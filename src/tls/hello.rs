//! ClientHello, ServerHello and EncryptedExtensions (RFC 8446 4.1, RFC 5246 7.4.1).
//!
//! Messages are whole here. Extensions are decoded one by one: a malformed one costs nobody else.

use tls_parser::{
    SNIType, TlsExtension, parse_tls_client_hello_extension, parse_tls_extension_unknown,
    parse_tls_handshake_client_hello, parse_tls_handshake_server_hello,
};

use super::fingerprint::is_grease;

/// The random of a HelloRetryRequest: SHA-256 of its name (RFC 8446 4.1.3).
const RETRY: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];
/// Names kept of one list.
const MOST_NAMES: usize = 16;

/// A ClientHello.
#[derive(Debug, Default)]
pub(super) struct ClientHello {
    pub(super) random: [u8; 32],
    pub(super) session_id: Vec<u8>,
    /// The version in front, which TLS 1.3 keeps at TLS 1.2.
    pub(super) legacy_version: u16,
    pub(super) versions: Vec<u16>,
    pub(super) suites: Vec<u16>,
    /// Types of the extensions, in order.
    pub(super) extensions: Vec<u16>,
    pub(super) groups: Vec<u16>,
    pub(super) point_formats: Vec<u8>,
    pub(super) signature_algorithms: Vec<u16>,
    pub(super) sni: Option<String>,
    pub(super) alpn: Vec<Vec<u8>>,
    pub(super) ticket: Vec<u8>,
    pub(super) early_data: bool,
}

impl ClientHello {
    pub(super) fn decode(body: &[u8]) -> Option<Self> {
        let (_, raw) = parse_tls_handshake_client_hello(body).ok()?;
        let mut hello = Self {
            random: raw.random.try_into().ok()?,
            session_id: raw.session_id.unwrap_or_default().to_vec(),
            legacy_version: raw.version.0,
            suites: raw.ciphers.iter().map(|suite| suite.0).collect(),
            ..Self::default()
        };
        each_extension(raw.ext.unwrap_or_default(), |kind, extension| {
            hello.extensions.push(kind);
            if let Some(extension) = extension {
                hello.extension(extension);
            }
        });
        if hello.versions.is_empty() {
            hello.versions.push(hello.legacy_version);
        }
        Some(hello)
    }

    /// The application protocols offered, as text.
    pub(super) fn protocols(&self) -> Vec<String> {
        self.alpn.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect()
    }

    fn extension(&mut self, extension: TlsExtension<'_>) {
        match extension {
            TlsExtension::SNI(names) => self.sni = host_name(&names),
            TlsExtension::ALPN(names) => {
                self.alpn = names.iter().take(MOST_NAMES).map(|name| name.to_vec()).collect();
            }
            TlsExtension::SessionTicket(ticket) => self.ticket = ticket.to_vec(),
            TlsExtension::EarlyData(_) => self.early_data = true,
            TlsExtension::SupportedVersions(versions) => {
                let known = versions.iter().map(|version| version.0).filter(|&v| !is_grease(v));
                self.versions = known.take(MOST_NAMES).collect();
            }
            TlsExtension::EllipticCurves(groups) => {
                self.groups = groups.iter().map(|group| group.0).collect();
            }
            TlsExtension::EcPointFormats(formats) => self.point_formats = formats.to_vec(),
            TlsExtension::SignatureAlgorithms(list) => self.signature_algorithms = list,
            _ => {}
        }
    }
}

/// A ServerHello.
#[derive(Debug, Default)]
pub(super) struct ServerHello {
    pub(super) random: [u8; 32],
    pub(super) session_id: Vec<u8>,
    pub(super) version: u16,
    pub(super) suite: u16,
    pub(super) alpn: Option<String>,
    pub(super) encrypt_then_mac: bool,
    pub(super) extended_master_secret: bool,
    pub(super) pre_shared_key: bool,
    /// Records are compressed, or have shortened tags (RFC 6066 7).
    pub(super) altered: bool,
}

impl ServerHello {
    pub(super) fn decode(body: &[u8]) -> Option<Self> {
        let (_, raw) = parse_tls_handshake_server_hello(body).ok()?;
        let mut hello = Self {
            random: raw.random.try_into().ok()?,
            session_id: raw.session_id.unwrap_or_default().to_vec(),
            version: raw.version.0,
            suite: raw.cipher.0,
            altered: raw.compression.0 != 0,
            ..Self::default()
        };
        each_extension(raw.ext.unwrap_or_default(), |kind, extension| match extension {
            Some(TlsExtension::ALPN(names)) => hello.alpn = names.first().map(text),
            Some(TlsExtension::SupportedVersions(versions)) => {
                hello.version = versions.first().map_or(hello.version, |version| version.0);
            }
            _ => hello.flag(kind),
        });
        Some(hello)
    }

    /// Whether this asks for another ClientHello.
    pub(super) fn is_retry(&self) -> bool {
        self.random == RETRY
    }

    fn flag(&mut self, kind: u16) {
        match kind {
            4 => self.altered = true,
            22 => self.encrypt_then_mac = true,
            23 => self.extended_master_secret = true,
            41 => self.pre_shared_key = true,
            _ => {}
        }
    }
}

/// The application protocol of an EncryptedExtensions message.
pub(super) fn encrypted_alpn(body: &[u8]) -> Option<String> {
    let mut alpn = None;
    each_extension(body.get(2..)?, |_, extension| {
        if let Some(TlsExtension::ALPN(names)) = extension {
            alpn = names.first().map(text);
        }
    });
    alpn
}

/// Hands over every extension: its type, and what it holds if that makes sense.
fn each_extension<'a>(mut list: &'a [u8], mut each: impl FnMut(u16, Option<TlsExtension<'a>>)) {
    while let Ok((rest, TlsExtension::Unknown(kind, _))) = parse_tls_extension_unknown(list) {
        each(kind.0, parse_tls_client_hello_extension(list).ok().map(|(_, decoded)| decoded));
        list = rest;
    }
}

// A DNS name has at most 255 bytes.
fn host_name(names: &[(SNIType, &[u8])]) -> Option<String> {
    let (_, name) = names.iter().find(|(kind, _)| *kind == SNIType::HostName)?;
    Some(String::from_utf8_lossy(name.get(..255).unwrap_or(name)).into_owned())
}

fn text(name: &&[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}
