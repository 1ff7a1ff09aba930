//! The rule `tls-handshake-failed`.

use super::{alert_words, certificate_words, is_for_want_of_certificate, names_others};
use crate::bits::hresult;
use crate::model::TlsConnection;
use crate::rules::handshake::{self, Said};
use crate::rules::{Confidence, Notes, Place, Severity, alerts, wording};

rule! {
    /// A TLS handshake failed.
    ///
    /// It ended by a fatal alert, or the connection was closed, before any application data. Alerts from the client are
    /// about the certificate most of the time, those from the server about versions, cipher suites or names. Where an
    /// upload was under way over TLS before, one of the sides has changed since. A Windows client logs 0x80072F7D, or by
    /// what it finds wrong with the certificate 0x80072F8F, 0x80072F05 (its dates), 0x80072F06 (its names) or 0x80072F0D
    /// (its issuer).
    ///
    /// Answerable: the server, or whoever looks after the client's trusted certificates
    /// Advice: Compare the versions and cipher suites of both sides; look at the dates, the names and the issuer of the certificate and at the clock of the client.
    /// Confirm: The log of either side; on Windows, Schannel's events 36871 to 36888 in the System log.
    /// Reference: RFC 8446 6.2
    Error, belief 50, needs Anything, Anywhere
}

fn check(place: Place<'_>, notes: &mut Notes<'_>) {
    handshake::judge(place, said, notes);
}

fn said(connection: &TlsConnection) -> Option<Said> {
    // Without an alert, a client may just as well have thought better of it.
    let (severity, confidence) = match connection.fatal() {
        Some(_) => (Severity::Error, Confidence::Certain),
        None => (Severity::Note, Confidence::Possible),
    };
    let told = !is_for_want_of_certificate(connection);
    told.then(|| Said {
        confidence,
        severity,
        message: message(connection),
        remedy: connection.fatal().and_then(alerts::remedy),
        client_code: client_code(connection),
    })
}

fn message(connection: &TlsConnection) -> String {
    let tls = &connection.tls;
    let mut words = vec![match connection.fatal() {
        Some(alert) => alert_words(alert),
        None if seems_refused(connection) => {
            "the client closed it with what has the length of an alert".to_owned()
        }
        None if connection.otherwise > 0 => {
            let bytes = wording::counted(connection.otherwise, "byte");
            format!("the server answered with {bytes} that are no record of TLS")
        }
        None => "it was closed before any data".to_owned(),
    }];
    words.extend(certificate_words(connection));
    if tls.version.is_none() && !tls.versions_offered.is_empty() {
        words.push(format!("the client offers {}", tls.versions_offered.join(", ")));
    }
    if let Some(code) = client_code(connection) {
        words.push(format!("a Windows client logs {}", hresult::hex(code)));
    }
    format!("{}: {}", connection.in_words(), words.join("; "))
}

/// Whether all that the client of TLS 1.3 protected is as long as an alert: two bytes, their type and the tag.
fn seems_refused(connection: &TlsConnection) -> bool {
    let client = &connection.tls.from_client;
    connection.tls.version.as_deref() == Some("TLS 1.3")
        && client.application_records == 1
        && client.application_bytes == 19
}

/// What WinHTTP makes of an alert; the client's own come from what it found wrong with the certificate.
fn client_code(connection: &TlsConnection) -> Option<u32> {
    let alert = connection.fatal()?;
    Some(match alert.code {
        44 => CERT_REVOKED,
        45 => CERT_DATE_INVALID,
        48 => INVALID_CA,
        42 | 46 if alert.from_client && names_others(connection) => CERT_CN_INVALID,
        42 | 43 | 46 | 49 if alert.from_client => FAILURE,
        _ => CHANNEL_ERROR,
    })
}

// `ERROR_WINHTTP_SECURE_…`.
const CERT_DATE_INVALID: u32 = hresult::of_win32(12_037);
const CERT_CN_INVALID: u32 = hresult::of_win32(12_038);
const INVALID_CA: u32 = hresult::of_win32(12_045);
const CHANNEL_ERROR: u32 = hresult::of_win32(12_157);
const CERT_REVOKED: u32 = hresult::of_win32(12_170);
const FAILURE: u32 = hresult::of_win32(12_175);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::at::At;
    use crate::model::tls::tests::connection;
    use crate::tls::{Alert, Certificate, Facts, Traffic};

    fn failed(tls: Facts) -> TlsConnection {
        connection(Facts { client_hello_at: Some(At::default()), ..tls })
    }

    #[test]
    fn encrypted_alert_of_tls13_is_told_by_its_length() {
        let sent = Traffic { application_records: 1, application_bytes: 19, ..Traffic::default() };
        let version = Some("TLS 1.3".into());
        let connection = failed(Facts { version, from_client: sent, ..Facts::default() });
        assert!(connection.failed());
        assert_eq!(
            message(&connection),
            "10.0.0.5 to 10.0.0.9:443: the client closed it with what has the length of an alert"
        );
    }

    #[test]
    fn an_answer_in_the_clear_is_told() {
        let connection = TlsConnection { otherwise: 309, ..failed(Facts::default()) };
        assert_eq!(
            message(&connection),
            "10.0.0.5 to 10.0.0.9:443: the server answered with 309 bytes that are no record of TLS"
        );
    }

    #[test]
    fn what_to_do_is_told_by_the_alert() {
        let advice = |code: u8, from_client: bool| {
            let (description, at) = (String::new(), At::default());
            let alert = Alert { from_client, fatal: true, code, description, at };
            let said = said(&failed(Facts { alerts: vec![alert], ..Facts::default() })).unwrap();
            said.remedy.map(|remedy| remedy.advice).unwrap_or_default()
        };
        assert!(advice(48, true).contains("trusted roots"));
        assert!(advice(48, false).contains("client certificate of the job"));
        assert!(advice(70, false).contains("a version of TLS in common"));
        assert!(!advice(70, false).contains("certificate"));
        assert!(advice(40, false).contains("a cipher suite"));
        assert!(advice(45, true).contains("clock"));
        assert_eq!(advice(255, true), "");
    }

    #[test]
    fn a_certificate_for_another_name_has_a_code_of_its_own() {
        let (description, at) = ("bad_certificate".to_owned(), At::default());
        let alert = Alert { from_client: true, fatal: true, code: 42, description, at };
        let leaf = Certificate { names: vec!["bits.example".into()], ..Certificate::default() };
        let code = |sni: &str| {
            client_code(&failed(Facts {
                sni: Some(sni.into()),
                certificates: vec![leaf.clone()],
                alerts: vec![alert.clone()],
                ..Facts::default()
            }))
        };
        assert_eq!(code("node.example"), Some(0x8007_2F06));
        assert_eq!(code("bits.example"), Some(0x8007_2F8F));
    }
}
