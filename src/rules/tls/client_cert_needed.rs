//! The rule `client-cert-needed`.

use super::{alert_words, is_for_want_of_certificate};
use crate::model::{Report, Session, TlsConnection};
use crate::rules::handshake::{self, Said};
use crate::rules::{Confidence, Notes, Place, Seen, Severity, look};

rule! {
    /// The server asked for a client certificate and got none.
    ///
    /// The handshake failed after that, or the requests were answered by 403. Servers that merely accept certificates ask as
    /// well, and go on without one.
    ///
    /// Answerable: whoever set up the job, or the site
    /// Advice: Set a client certificate on the job (`IBackgroundCopyJobHttpOptions`), or have the site stop asking for one.
    /// Client: 0x80072F0C
    /// Confirm: The setting "SSL: client certificates" of the site; IIS logs 403.7 or 403.16.
    /// Reference: RFC 8446 4.3.2
    Error, belief 53, needs Anything, Anywhere
}

fn check(place: Place<'_>, notes: &mut Notes<'_>) {
    handshake::judge(place, said, notes);
    match place {
        Place::Session(session, _) => refused(session, notes),
        Place::Capture(report, seen) => refused_late(report, seen, notes),
    }
}

fn said(connection: &TlsConnection) -> Option<Said> {
    let empty = connection.tls.client_certificate_sent == Some(false);
    let (severity, confidence, what) = match connection.fatal() {
        Some(alert) => (Severity::Error, Confidence::Likely, alert_words(alert)),
        None if empty => (Severity::Error, Confidence::Likely, "the handshake ended there".into()),
        // The client may have disliked something else.
        None => (Severity::Note, Confidence::Possible, "the connection was closed then".into()),
    };
    let message = format!("{}: {what}", connection.in_words());
    is_for_want_of_certificate(connection).then_some(Said { confidence, severity, message })
}

/// The handshake was completed without a certificate, and the server holds that against a request of the session.
fn refused(session: &Session, notes: &mut Notes<'_>) {
    for exchange in session.exchanges.iter().filter(|exchange| look::is_forbidden(exchange)) {
        let connection = session.connection(exchange.connection).and_then(TlsConnection::of);
        if let Some(connection) = connection.filter(TlsConnection::lacks_client_certificate) {
            notes.likely(exchange.span(), message(&connection));
        }
    }
}

/// The same where the connection outlived the session.
fn refused_late(report: &Report, seen: &Seen, notes: &mut Notes<'_>) {
    let lacking = report.tls_connections.iter().filter(|one| one.lacks_client_certificate());
    for connection in lacking.filter(|one| seen.forbids(one.connection)) {
        notes.likely(connection.span, message(connection));
    }
}

fn message(connection: &TlsConnection) -> String {
    format!("{}: requests are answered by 403", connection.in_words())
}
