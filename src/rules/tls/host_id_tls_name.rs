//! The rule `host-id-tls-name`.

use super::{certificate_words, names_others};
use crate::model::{Session, TlsConnection};
use crate::rules::hosts::Named;
use crate::rules::{Around, Confidence, Notes};

rule! {
    /// The host that BITS-Host-Id names has a certificate for other names.
    ///
    /// The session was opened under the name of the farm; the client then made for the named node, whose certificate it did
    /// not accept.
    ///
    /// Answerable: the server
    /// Advice: Add the names of all nodes to the certificate, or drop BITSHostId.
    /// Client: 0x80072F06
    /// Confirm: The names in the certificate of the node.
    /// Reference: [MC-BUP] 1.3.4.2
    Error, belief 52, needs Anything, Around
}

/// Alerts about certificates (RFC 8446 6.2): bad, unsupported, revoked, expired, unknown, of an unknown authority.
const ABOUT_CERTIFICATES: std::ops::RangeInclusive<u8> = 42..=48;

fn check(session: &Session, around: &Around<'_>, notes: &mut Notes<'_>) {
    let Some(named) = Named::of(session) else { return };
    for connection in around.sight.tls.failed().filter(|one| is_meant(&named, one)) {
        let fatal = connection
            .fatal()
            .filter(|alert| alert.from_client && ABOUT_CERTIFICATES.contains(&alert.code));
        let other = names_others(connection);
        let words = match (fatal, other) {
            (Some(alert), _) => format!("the client sent the alert {}", alert.description),
            (None, true) => "the connection ended in the handshake".to_owned(),
            (None, false) => continue,
        };
        let seen = certificate_words(connection).map(|words| format!("; {words}"));
        let confidence =
            if fatal.is_some() && other { Confidence::Certain } else { Confidence::Likely };
        let message =
            format!("\"{}\" speaks TLS, and {words}{}", named.value, seen.unwrap_or_default());
        notes.note(notes.severity(), confidence, &[named.opened.span(), connection.span], message);
    }
}

/// Whether the client made for the named host and got nowhere.
fn is_meant(named: &Named<'_>, connection: &TlsConnection) -> bool {
    let name = connection.tls.sni.as_deref();
    connection.client.ip() == named.opened.client.ip()
        && named.secs_to(connection.span.first.time) >= 0.0
        && (name.is_some_and(|name| named.is(name))
            || named.address() == Some(connection.server.ip()))
}
