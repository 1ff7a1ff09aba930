//! TLS handshakes that failed, and the uploads they were for.

use crate::model::{Report, Session, TlsConnection};
use crate::rules::{Confidence, Notes, Place, Seen, Severity};
use crate::stream::{Connection, Reset};

/// What is to be said of a failed handshake.
pub struct Said {
    /// How sure it is.
    pub confidence: Confidence,
    /// How bad it is at most.
    pub severity: Severity,
    /// What happened.
    pub message: String,
    /// Who can do something about it, and what, where that is known better than the rule does.
    pub remedy: Option<Remedy>,
    /// What a Windows client logs of it.
    pub client_code: Option<u32>,
}

/// Who can do something, and what.
pub struct Remedy {
    /// Who.
    pub answerable: &'static str,
    /// What.
    pub advice: &'static str,
}

/// Notes the handshakes that `say` has something to say of: with the session that they are for, else by themselves. In
/// a session that went on, or that was over, they are no more than a note, and so are those with a host that no upload
/// of the capture went to, where there is one.
pub fn judge(place: Place<'_>, say: fn(&TlsConnection) -> Option<Said>, notes: &mut Notes<'_>) {
    match place {
        Place::Session(session, around) => {
            for connection in around.handshakes {
                let stopped = stopped(session, connection);
                add(connection, say(connection), stopped, notes);
            }
        }
        Place::Capture(report, seen) => {
            for connection in of_nobody(report, seen) {
                let strange = seen.sessions > 0 && !seen.went_to_host_of(connection);
                let mut said = say(connection);
                if let Some(said) = said.as_mut().filter(|_| strange) {
                    said.message.push_str("; no upload is known to be behind it");
                }
                add(connection, said, !strange, notes);
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

/// Notes one, as bad as it is said to be where it `matters`.
fn add(connection: &TlsConnection, said: Option<Said>, matters: bool, notes: &mut Notes<'_>) {
    let Some(Said { confidence, severity, message, remedy, client_code }) = said else { return };
    let severity = if matters { severity } else { Severity::Note };
    let finding = notes.note(severity, confidence, &[connection.span], message);
    if let Some(finding) = finding {
        finding.client_code = client_code;
        if let Some(remedy) = remedy {
            finding.turn_to(remedy.answerable).advise(remedy.advice);
        }
    }
}

/// Whether the alert that a handshake failed with came before an RST, which only ends what was over then.
pub fn is_told_before(connection: &Connection, reset: &Reset) -> bool {
    let told = |one: &TlsConnection| {
        one.fatal().is_some_and(|alert| alert.at.frame <= reset.at.frame) && one.failed()
    };
    TlsConnection::all_of(connection).any(|one| told(&one))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::at::At;
    use crate::model::tls::tests::connection;
    use crate::rules;
    use crate::rules::reset;
    use crate::rules::tests::report;
    use crate::stream::Side;
    use crate::tls::{Alert, Facts};

    #[test]
    fn an_rst_behind_the_alert_is_no_reason_of_its_own() {
        let mut session = report("> CREATE-SESSION\n! server resets\n").sessions.remove(0);
        assert_eq!(reset::inside(&session, Side::Server).count(), 1);
        let (description, at) = ("certificate_required".to_owned(), At::default());
        let alert = Alert { from_client: false, fatal: true, code: 116, description, at };
        let facts = Facts { client_hello_at: Some(at), alerts: vec![alert], ..Facts::default() };
        session.connection_mut(0).tls = Some(Box::new(facts));
        assert_eq!(reset::inside(&session, Side::Server).count(), 0);
    }

    fn say(connection: &TlsConnection) -> Option<Said> {
        let message = connection.in_words();
        let (confidence, severity) = (Confidence::Certain, Severity::Error);
        Some(Said { confidence, severity, message, remedy: None, client_code: None })
    }

    /// What is made of a handshake that failed, in a capture with these uploads.
    fn judged(text: &str, tls: Facts) -> (Severity, String) {
        let mut report = report(text);
        let mut seen = Seen::default();
        report.sessions.iter().for_each(|session| seen.add(session));
        let client_hello_at = Some(At::default());
        report.tls_connections = vec![connection(Facts { client_hello_at, ..tls })];
        let (omitted, mut findings) = (Cell::new(0), Vec::new());
        let rule = rules::named("tls-handshake-failed").unwrap();
        let notes = &mut Notes { rule, cap: 9, omitted: &omitted, findings: &mut findings };
        judge(Place::Capture(&report, &seen), say, notes);
        findings.pop().map(|found| (found.severity, found.message)).unwrap()
    }

    #[test]
    fn one_with_a_host_of_no_upload_is_a_note_where_there_are_uploads() {
        let named = |name: &str| Facts { sni: Some(name.into()), ..Facts::default() };
        let upload = "> CREATE-SESSION\n< 200 session=1\n";
        let node = "> CREATE-SESSION\n< 200 session=1 host=node.test\n";
        let there = "= server 10.0.0.9:80\n> CREATE-SESSION\n< 200 session=1\n";
        let (severity, message) = judged(upload, named("www.test"));
        assert_eq!(severity, Severity::Note);
        assert!(message.ends_with("; no upload is known to be behind it"), "{message}");
        for (text, name) in [("", "www.test"), (there, "www.test"), (node, "NODE.test")] {
            let (severity, message) = judged(text, named(name));
            assert_eq!(severity, Severity::Error, "{text}");
            assert!(!message.contains("no upload"), "{message}");
        }
        let url = "= url http://files.test/up/a.bin\n> CREATE-SESSION\n< 200 session=1\n";
        assert_eq!(judged(url, named("files.test")).0, Severity::Error);
        assert_eq!(judged(there, Facts::default()).0, Severity::Error);
        assert_eq!(judged(upload, Facts::default()).0, Severity::Note);
    }
}
