//! Connections that never came about, and the uploads they were for.

use crate::model::attempt::{Attempt, ConnectFailure};
use crate::model::{Exchange, Report, Session};
use crate::rules::{
    Around, Confidence, Finding, Notes, Place, Seen, Severity, address, icmp, unanswered,
};

/// Attempts without an upload that are told; a port scan makes many.
pub const TOLD: usize = 5;

/// Attempts of a session's client to reach a server that it has talked to within the session.
fn of_session<'a>(
    session: &'a Session,
    around: &'a Around<'a>,
    answers: &'a [ConnectFailure],
) -> impl Iterator<Item = &'a Attempt> {
    around.attempts_of(session).filter(move |attempt| {
        answers.contains(&attempt.answer)
            && session.exchanges.iter().any(|exchange| exchange.server == attempt.server)
    })
}

/// Attempts that belong to no upload: all where there is none, else those to a port of uploads.
fn of_nobody<'a>(
    report: &'a Report,
    seen: &'a Seen,
    answers: &'a [ConnectFailure],
) -> impl Iterator<Item = &'a Attempt> {
    let fits = move |attempt: &&Attempt| {
        let port = attempt.server.port();
        answers.contains(&attempt.answer)
            && !seen.talked(attempt.client, attempt.server)
            && (seen.sessions == 0 || address::USUAL_PORTS.contains(&port) || seen.has_port(port))
    };
    report.attempts.iter().filter(fits).take(TOLD)
}

/// Notes the attempts that ended in one of `answers`, in the words of `said` and so sure: as bad as the rule has it
/// where an upload stopped there, else as a note.
pub fn judge(
    place: Place<'_>,
    answers: &[ConnectFailure],
    (said, confidence): (fn(&Attempt) -> String, Confidence),
    notes: &mut Notes<'_>,
) {
    match place {
        Place::Session(session, around) => {
            for attempt in of_session(session, around, answers) {
                let last =
                    session.span().is_none_or(|span| attempt.span.last.time > span.last.time);
                let done = session.outcome.is_done();
                let stopped = last && !done && !goes_on(attempt, around);
                let severity = if stopped { notes.severity() } else { Severity::Note };
                let finding = notes.note(severity, confidence, &[attempt.first], said(attempt));
                let Some(finding) = finding else { continue };
                if attempt.answer == ConnectFailure::Unanswered && hangs_before(session, attempt) {
                    finding.turn_to("the server, or the network").advise(OF_HUNG);
                }
                turn(Some(finding), attempt);
            }
        }
        Place::Capture(report, seen) => {
            for attempt in of_nobody(report, seen, answers) {
                let message = format!("{}; no upload is known to be behind it", said(attempt));
                let finding = notes.note(Severity::Note, confidence, &[attempt.first], message);
                turn(finding, attempt);
            }
        }
    }
}

/// Whether a client may still try to connect when the capture ends: a SYN that is lost is only repeated after 1 s (RFC
/// 6298 2, 5.7), or after 3 s by older hosts (RFC 1122 4.2.3.1).
fn goes_on(attempt: &Attempt, around: &Around<'_>) -> bool {
    let tried = around.sight.end.time.secs_since(attempt.span.first.time);
    attempt.answer == ConnectFailure::Unanswered && attempt.tries == 1 && tried < TRIES_SECS
}

/// A client tries longer to connect, in seconds.
const TRIES_SECS: f64 = 3.0;

/// Whether the host had just let the client in on the same port, and acknowledged a request that nothing answered.
fn hangs_before(session: &Session, attempt: &Attempt) -> bool {
    let behind = |exchange: &&Exchange| exchange.span().first.frame < attempt.span.first.frame;
    let last = session.exchanges.iter().rev().find(behind);
    last.filter(|last| last.server == attempt.server).is_some_and(|last| {
        let connection = session.connection(last.connection);
        let taken = connection.is_some_and(|connection| {
            let client = &connection.client_side;
            client.acked > 0 && client.unacked() == 0
        });
        taken && last.response.is_none() && unanswered::is_seen(session, last)
    })
}

/// What to do where the service may not accept what the host lets in: a host drops SYN where the queue for that is full.
const OF_HUNG: &str = "The host let a connection in on this port before, and its service left the request on that unanswered: see whether the service hangs or is overloaded, so that the queue of connections it has not accepted is full and the host drops what comes. Else see whether the host is up and whether firewalls on the way allow this port.";

/// Turns a finding to what reported that there is no way.
fn turn(finding: Option<&mut Finding>, attempt: &Attempt) {
    if let (Some(finding), Some(icmp)) = (finding, &attempt.icmp) {
        icmp::turn(finding, icmp);
    }
}

/// How often it was tried, in words.
pub fn tries(attempt: &Attempt) -> String {
    match attempt.tries {
        1 => "a connection".to_owned(),
        tries => format!("{tries} connections"),
    }
}
