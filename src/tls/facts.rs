//! What the TLS layer learns without, and with, the keys.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::certificate::Certificate;
use super::keylog::KeyLine;
use super::shape::{Likelihood, Shape};
use crate::at::At;
use crate::rare::is_default;
use crate::stream::Side;

/// What is known of one TLS connection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Facts {
    /// It is inside a tunnel that CONNECT opened.
    #[serde(skip_serializing_if = "is_default")]
    pub tunnel: bool,
    /// Versions the client offers, as `TLS 1.3`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub versions_offered: Vec<String>,
    /// Version the server chose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Cipher suite the server chose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cipher_suite: Option<CipherSuite>,
    /// Host name the client asks for (RFC 6066 3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sni: Option<String>,
    /// Application protocols the client offers (RFC 7301).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alpn_offered: Vec<String>,
    /// Application protocol the server chose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alpn: Option<String>,
    /// Where the first ClientHello ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_hello_at: Option<At>,
    /// Where the first ServerHello ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_hello_at: Option<At>,
    /// The server asked for another ClientHello (RFC 8446 4.1.4).
    #[serde(skip_serializing_if = "is_default")]
    pub hello_retry: bool,
    /// An earlier session was resumed: by identifier, ticket or pre-shared key.
    #[serde(skip_serializing_if = "is_default")]
    pub resumed: bool,
    /// Handshakes that the server answered; more than one is renegotiation.
    #[serde(skip_serializing_if = "is_default")]
    pub handshakes: u32,
    /// JA3 fingerprint of the first ClientHello.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ja3: Option<String>,
    /// JA4 fingerprint of the first ClientHello.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ja4: Option<String>,
    /// The server's certificates, its own first; at most eight. TLS 1.3 shows them only with keys.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<Certificate>,
    /// The client offered early data (0-RTT).
    #[serde(skip_serializing_if = "is_default")]
    pub early_data_offered: bool,
    /// The server asked for a client certificate, as far as that could be read.
    #[serde(skip_serializing_if = "is_default")]
    pub client_certificate_requested: bool,
    /// Whether the client sent a certificate where it was asked for one; absent where that could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_certificate_sent: Option<bool>,
    /// The client's certificates, its own first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub client_certificates: Vec<Certificate>,
    /// Alerts that could be read; at most sixteen.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alerts: Vec<Alert>,
    /// At least one protected record was decrypted.
    pub decrypted: bool,
    /// Why nothing, or nothing more, can be decrypted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opaque: Option<Opaque>,
    /// The line of the key log whose secret does not fit this connection, if one is to blame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub misfit: Option<KeyLine>,
    /// How requests and answers alternate; absent before the first application data of the client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shape: Option<Shape>,
    /// What the client sent.
    pub from_client: Traffic,
    /// What the server sent.
    pub from_server: Traffic,
    /// TLS inside this one, as with an HTTPS proxy.
    #[serde(skip)]
    pub inside: Option<Box<Self>>,
}

/// A cipher suite by number and name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CipherSuite {
    /// Number in the IANA registry.
    pub code: u16,
    /// Name in the IANA registry, or `unknown`.
    pub name: String,
}

/// An alert (RFC 8446 6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Alert {
    /// Whether the client sent it.
    pub from_client: bool,
    /// Whether its level is fatal.
    pub fatal: bool,
    /// Its number.
    pub code: u8,
    /// Its name, as `handshake_failure`.
    pub description: String,
    /// Where it was seen.
    pub at: At,
}

/// Records of one direction, whether or not they could be decrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Traffic {
    /// Records captured in full.
    pub records: u64,
    /// Their bytes, headers included.
    pub bytes: u64,
    /// Of these, records of application data; in TLS 1.3 most of the handshake looks like it.
    pub application_records: u64,
    /// Their bytes without headers.
    pub application_bytes: u64,
    /// The first record of application data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application_first: Option<At>,
    /// The last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application_last: Option<At>,
    /// Bytes of application data that were decrypted.
    #[serde(default, skip_serializing_if = "is_default")]
    pub decrypted_bytes: u64,
    /// Records that could not be decrypted with the keys at hand.
    pub failed: u64,
    /// The newest protected record is one of these, or nothing can open it.
    #[serde(skip)]
    pub unread: bool,
}

/// Why a connection stays unread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Opaque {
    /// The key log has no secrets for it.
    NoKeys,
    /// There are secrets, but they open nothing.
    KeysDoNotFit,
    /// The cipher suite is none of those supported.
    UnsupportedCipher,
    /// Its records are compressed (RFC 5246 6.2.2), or have shortened tags (RFC 6066 7).
    AlteredRecords,
    /// The version is neither TLS 1.2 nor TLS 1.3.
    UnsupportedVersion,
    /// The capture lacks one hello at least, or the client's is in the form of SSL 2.0 (RFC 5246 E.2).
    NoHandshake,
}

const MOST_ALERTS: usize = 16;

impl Facts {
    pub(super) fn alert(&mut self, side: Side, at: At, body: &[u8]) {
        let &[level, code] = body else { return };
        if self.alerts.len() < MOST_ALERTS {
            let description = alert_name(code).into();
            let from_client = side == Side::Client;
            self.alerts.push(Alert { from_client, fatal: level == 2, code, description, at });
        }
    }

    /// Whether there is something to read that could not be decrypted at all.
    pub const fn is_opaque(&self) -> bool {
        let records = self.from_client.application_records + self.from_server.application_records;
        !self.decrypted && records > 0
    }

    /// How well its shape fits a BITS upload.
    pub fn likelihood(&self) -> Likelihood {
        self.shape.map_or(Likelihood::Unlikely, |shape| shape.bits_upload)
    }

    /// Whether it can be read, and if not, why.
    pub const fn state(&self) -> &'static str {
        match (self.decrypted, self.opaque) {
            (true, _) => "decrypted",
            (false, None) => "nothing to decrypt",
            (false, Some(Opaque::NoKeys)) => "no keys",
            (false, Some(Opaque::KeysDoNotFit)) => "keys do not fit",
            (false, Some(Opaque::UnsupportedCipher)) => "cipher suite not supported",
            (false, Some(Opaque::AlteredRecords)) => {
                "compressed records or shortened tags not supported"
            }
            (false, Some(Opaque::UnsupportedVersion)) => "version not supported",
            (false, Some(Opaque::NoHandshake)) => self.missing(),
        }
    }

    /// What is missing of the handshake.
    const fn missing(&self) -> &'static str {
        match (self.client_hello_at, self.server_hello_at) {
            (None, Some(_)) => "ClientHello not captured, or in the form of SSL 2.0",
            (Some(_), None) => "ServerHello not captured",
            _ => "handshake not captured",
        }
    }

    /// Whether application data was exchanged, as far as the records tell without being read.
    ///
    /// The first record that a client of TLS 1.3 protects is the end of its handshake, or an alert. With keys, what the
    /// server sent counts, and what the client sent unless an alert came of it; keys may be missing for either.
    pub fn is_established(&self) -> bool {
        if self.decrypted {
            let fatal = self.alerts.iter().any(|alert| alert.fatal);
            let told = self.from_server.decrypted_bytes > 0
                || self.from_client.decrypted_bytes > 0 && !fatal;
            if told || fatal || self.from_client.failed == 0 {
                return told;
            }
        }
        let most = if self.version.as_deref() == Some("TLS 1.3") { 1 } else { 0 };
        self.from_client.application_records > most
            || most == 0 && self.from_server.application_records > 0
    }

    /// Whether the keys served to the end in both directions, inside of it too.
    pub fn is_read(&self) -> bool {
        let inside = self.inside.as_ref().is_none_or(|inside| inside.is_read());
        inside && !self.from_client.unread && !self.from_server.unread
    }

    pub(super) fn traffic(&mut self, side: Side) -> &mut Traffic {
        match side {
            Side::Client => &mut self.from_client,
            Side::Server => &mut self.from_server,
        }
    }
}

pub(super) fn version_name(code: u16) -> String {
    match code {
        0x0300 => "SSL 3.0".into(),
        0x0301 => "TLS 1.0".into(),
        0x0302 => "TLS 1.1".into(),
        0x0303 => "TLS 1.2".into(),
        0x0304 => "TLS 1.3".into(),
        _ => format!("0x{code:04x}"),
    }
}

const fn alert_name(code: u8) -> &'static str {
    match code {
        0 => "close_notify",
        10 => "unexpected_message",
        20 => "bad_record_mac",
        21 => "decryption_failed",
        22 => "record_overflow",
        30 => "decompression_failure",
        40 => "handshake_failure",
        41 => "no_certificate",
        42 => "bad_certificate",
        43 => "unsupported_certificate",
        44 => "certificate_revoked",
        45 => "certificate_expired",
        46 => "certificate_unknown",
        47 => "illegal_parameter",
        48 => "unknown_ca",
        49 => "access_denied",
        50 => "decode_error",
        51 => "decrypt_error",
        60 => "export_restriction",
        70 => "protocol_version",
        71 => "insufficient_security",
        80 => "internal_error",
        86 => "inappropriate_fallback",
        90 => "user_canceled",
        100 => "no_renegotiation",
        109 => "missing_extension",
        110 => "unsupported_extension",
        111 => "certificate_unobtainable",
        112 => "unrecognized_name",
        113 => "bad_certificate_status_response",
        114 => "bad_certificate_hash_value",
        115 => "unknown_psk_identity",
        116 => "certificate_required",
        120 => "no_application_protocol",
        121 => "ech_required",
        _ => "unknown",
    }
}
