//! TLS handshakes that failed, and the uploads they were for.

use crate::model::{Report, Session, TlsConnection};
use crate::rules::{Confidence, Notes, Place, Seen, Severity};

/// What is to be said of a failed handshake.
pub struct Said {
    /// How sure it is.
    pub confidence: Confidence,
    /// How bad it is at most.
    pub severity: Severity,
    /// What happened.
    pub message: String,
    /// What a Windows client logs of it.
    pub client_code: Option<u32>,
}

/// Notes the handshakes that `say` has something to say of: with the session that they are for, else by themselves. In a
/// session that went on, or that was over, they are no more than a note.
pub fn judge(place: Place<'_>, say: fn(&TlsConnection) -> Option<Said>, notes: &mut Notes<'_>) {
    match place {
        Place::Session(session, around) => {
            for connection in around.handshakes {
                let most =
                    if stopped(session, connection) { Severity::Error } else { Severity::Note };
                add(connection, say, most, notes);
            }
        }
        Place::Capture(report, seen) => {
            for connection in of_nobody(report, seen) {
                add(connection, say, Severity::Error, notes);
            }
        }
    }
}

/// Whether a session came to no end, and nothing of it follows a connection.
fn stopped(session: &Session, connection: &TlsConnection) -> bool {
    let done = session.outcome.is_done();
    !done && session.span().is_none_or(|span| connection.span.last.time >= span.last.time)
}

fn of_nobody<'a>(
    report: &'a Report,
    seen: &'a Seen,
) -> impl Iterator<Item = &'a TlsConnection> + use<'a> {
    let failed = report.tls_connections.iter().filter(|connection| connection.failed());
    failed.filter(|connection| !seen.is_of_session(connection.connection))
}

fn add(
    connection: &TlsConnection,
    say: fn(&TlsConnection) -> Option<Said>,
    most: Severity,
    notes: &mut Notes<'_>,
) {
    let Some(Said { confidence, severity, message, client_code }) = say(connection) else { return };
    let finding = notes.note(severity.min(most), confidence, &[connection.span], message);
    if let Some(finding) = finding {
        finding.client_code = client_code;
    }
}
