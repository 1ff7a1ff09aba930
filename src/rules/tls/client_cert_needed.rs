//! The rule `client-cert-needed`.

use super::alert_words;
use crate::model::{Report, TlsConnection};
use crate::rules::Notes;

rule! {
    /// The server asked for a client certificate and got none.
    ///
    /// The handshake failed after that, or the requests were answered by 403. Servers that merely accept certificates ask as
    /// well, and go on without one.
    /// Advice: Set a client certificate on the job (`IBackgroundCopyJobHttpOptions`), or have the site stop asking for one.
    /// Client: 0x80072F0C
    /// Confirm: The setting "SSL: client certificates" of the site; IIS logs 403.7 or 403.16.
    /// Reference: RFC 8446 4.3.2
    Error, belief 0, needs Anything, Capture
}

fn check(report: &Report, notes: &mut Notes<'_>) {
    let asked = report.tls_connections.iter().filter(|one| one.lacks_client_certificate());
    for connection in asked {
        let alert = connection.fatal().filter(|alert| !alert.from_client);
        let refused = refused(report, connection);
        let what = match (alert, refused) {
            (Some(alert), _) => alert_words(alert),
            (None, true) => "requests are answered by 403".to_owned(),
            (None, false) if connection.failed() => "the handshake ended there".to_owned(),
            (None, false) => continue,
        };
        notes.likely(connection.span, format!("{}: {what}", connection.in_words()));
    }
}

/// Whether a request on the connection was answered by 403.
fn refused(report: &Report, connection: &TlsConnection) -> bool {
    let exchanges = report.sessions.iter().flat_map(|session| &session.exchanges);
    exchanges.filter(|exchange| exchange.connection == connection.connection).any(|exchange| {
        exchange.response.as_ref().is_some_and(|response| response.http_status == 403)
    })
}
