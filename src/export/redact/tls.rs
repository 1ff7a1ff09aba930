//! What is known of TLS, with pseudonyms. Fingerprints of a ClientHello tell a program, not who runs it: they stay.

use super::names::Names;
use crate::model::TlsConnection;
use crate::tls::{Certificate, Facts};

/// A connection and what is known of it.
pub(super) fn connection(connection: &mut TlsConnection, names: &mut Names<'_>) {
    let TlsConnection { connection: _, client, server, span: _, whole: _, otherwise: _, tls } =
        connection;
    names.socket(client);
    names.socket(server);
    facts(tls, names);
}

/// Replaces names in the facts of TLS, and of all TLS inside.
pub(super) fn facts(facts: &mut Facts, names: &mut Names<'_>) {
    let Facts {
        tunnel: _,
        versions_offered: _,
        version: _,
        cipher_suite: _,
        sni,
        alpn_offered,
        alpn,
        client_hello_at: _,
        server_hello_at: _,
        hello_retry: _,
        resumed: _,
        handshakes: _,
        ja3: _,
        ja4: _,
        certificates,
        early_data_offered: _,
        client_certificate_requested: _,
        client_certificate_sent: _,
        client_certificates,
        alerts: _,
        decrypted: _,
        opaque: _,
        misfit,
        shape: _,
        from_client: _,
        from_server: _,
        inside,
    } = facts;
    names.texts(sni);
    names.products(alpn_offered);
    names.products(alpn);
    for one in certificates.iter_mut().chain(client_certificates) {
        certificate(one, names);
    }
    misfit.iter_mut().for_each(|line| names.key_log(&mut line.source));
    if let Some(inside) = inside {
        self::facts(inside, names);
    }
}

fn certificate(certificate: &mut Certificate, names: &mut Names<'_>) {
    let Certificate { subject, names: own, issuer, not_before: _, not_after: _ } = certificate;
    names.subject(subject);
    names.texts(own);
    names.subject(issuer);
}
