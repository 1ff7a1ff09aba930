//! The rule `client-cert-needed`.

use super::{alert_words, is_for_want_of_certificate};
use crate::model::{Report, Session, TlsConnection};
use crate::rules::handshake::{self, Said};
use crate::rules::{Confidence, Notes, Place, Seen, Severity, look};

rule! {
    /// The server asked for a client certificate and got none.
    ///
    /// The handshake failed after that, or the requests were answered by 403, or by a 400 whose page says so. Servers that
    /// merely accept certificates ask as well, and go on without one.
    ///
    /// Answerable: whoever set up the job, or the site
    /// Advice: Set a client certificate on the job (`IBackgroundCopyJobHttpOptions`), or have the site stop asking for one.
    /// Client: 0x80072F0C
    /// Confirm: The server's setting for client certificates (in IIS, "SSL Settings" of the site); IIS logs 403.7 or 403.16.
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
    is_for_want_of_certificate(connection).then_some(Said {
        confidence,
        severity,
        message,
        remedy: None,
        client_code: None,
    })
}

/// The handshake was completed without a certificate, and the server holds that against a request of the session.
fn refused(session: &Session, notes: &mut Notes<'_>) {
    for exchange in &session.exchanges {
        let Some(status) = look::forbidden(exchange) else { continue };
        let connection = session.connection(exchange.connection);
        let mut all = connection.into_iter().flat_map(TlsConnection::all_of);
        if let Some(connection) = all.find(TlsConnection::lacks_client_certificate) {
            notes.likely(exchange.span(), message(&connection, status));
        }
    }
}

/// Notes such an answer on a connection that outlived its session.
fn refused_late(report: &Report, seen: &Seen, notes: &mut Notes<'_>) {
    let lacking = report.tls_connections.iter().filter(|one| one.lacks_client_certificate());
    for connection in lacking {
        if let Some(status) = seen.forbids(connection.connection) {
            notes.likely(connection.span, message(connection, status));
        }
    }
}

fn message(connection: &TlsConnection, status: u16) -> String {
    format!("{}: requests are answered by {status}", connection.in_words())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::rules::tests::report;
    use crate::tls::Facts;

    /// What the rule says of a session whose connection asked for a certificate.
    fn told(text: &str, sent: Option<bool>) -> Vec<String> {
        let mut session = report(text).sessions.remove(0);
        session.connection_mut(0).tls = Some(Box::new(Facts {
            client_certificate_requested: true,
            client_certificate_sent: sent,
            ..Facts::default()
        }));
        let (omitted, mut findings) = (Cell::new(0), Vec::new());
        let notes = &mut Notes { rule: &RULE, cap: 9, omitted: &omitted, findings: &mut findings };
        refused(&session, notes);
        findings.into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn request_that_is_forbidden_without_a_certificate_lacks_one() {
        let forbidden = "> CREATE-SESSION\n< 403 plain\n";
        let expected = "10.0.0.5 to 192.0.2.80:80: requests are answered by 403";
        assert_eq!(told(forbidden, Some(false)), [expected]);
        assert!(told(forbidden, Some(true)).is_empty());
        let page = "> CREATE-SESSION\n< 400 plain\n  | No required SSL certificate was sent\n";
        let expected = "10.0.0.5 to 192.0.2.80:80: requests are answered by 400";
        assert_eq!(told(page, Some(false)), [expected]);
        assert!(told("> CREATE-SESSION\n< 400 plain\n", Some(false)).is_empty());
        assert!(told("> CREATE-SESSION\n< 403 error=0x80070005 context=0x5\n", None).is_empty());
    }
}
