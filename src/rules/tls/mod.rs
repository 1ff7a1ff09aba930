//! TLS, read or not.

pub mod client_cert_needed;
pub mod host_id_tls_name;
pub mod tls_handshake_failed;
pub mod tls_opaque;

use crate::model::TlsConnection;
use crate::tls::{Alert, Certificate};

/// Who sent an alert, and its name, in words.
fn alert_words(alert: &Alert) -> String {
    let side = if alert.from_client { "client" } else { "server" };
    format!("the {side} sent the alert {}", alert.description)
}

/// Whether a handshake failed for want of a client certificate, as far as that could be read. A client that sends an alert
/// found something wrong with the server first.
fn is_for_want_of_certificate(connection: &TlsConnection) -> bool {
    connection.lacks_client_certificate()
        && connection.fatal().is_none_or(|alert| !alert.from_client)
}

/// Why the certificate in sight cannot serve, where that shows.
fn certificate_words(connection: &TlsConnection) -> Option<String> {
    let leaf = connection.tls.certificates.first()?;
    if !leaf.is_valid_at(connection.span.first.time) {
        let (from, until) = (leaf.not_before, leaf.not_after);
        return Some(format!("the certificate is valid from {from} to {until} only"));
    }
    let name = connection.tls.sni.as_deref()?;
    (!leaf.is_for(name)).then(|| format!("the certificate is for {}", names(leaf)))
}

/// The names it is for, else its subject; as everything of the wire, in quotation marks.
fn names(leaf: &Certificate) -> String {
    let subject = std::slice::from_ref(&leaf.subject);
    let names = if leaf.names.is_empty() { subject } else { &leaf.names };
    names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
}

/// Whether the certificate shows, and is for other names than the one asked for.
fn names_others(connection: &TlsConnection) -> bool {
    let leaf = connection.tls.certificates.first();
    let asked = connection.tls.sni.clone().unwrap_or_else(|| connection.server.ip().to_string());
    leaf.is_some_and(|leaf| !leaf.is_for(&asked))
}
