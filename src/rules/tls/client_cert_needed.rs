//! The rule `client-cert-needed`.

use super::alert_words;
use crate::model::Report;
use crate::rules::{Notes, Seen};

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

fn check(report: &Report, seen: &Seen, notes: &mut Notes<'_>) {
    let asked = report.tls_connections.iter().filter(|one| one.lacks_client_certificate());
    for connection in asked {
        let alert = connection.fatal().filter(|alert| !alert.from_client);
        let refused = seen.forbids(connection.connection);
        let what = match (alert, refused) {
            (Some(alert), _) => alert_words(alert),
            (None, true) => "requests are answered by 403".to_owned(),
            (None, false) if connection.failed() => "the handshake ended there".to_owned(),
            (None, false) => continue,
        };
        notes.likely(connection.span, format!("{}: {what}", connection.in_words()));
    }
}
