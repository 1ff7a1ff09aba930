//! Authentication rounds: who asked for credentials, and what became of those that were sent (RFC 9110 11).

use crate::at::At;
use crate::model::session::CREDENTIALS_SECS;
use crate::model::{Door, Exchange, RefusedTunnel, Request, Response, Session};
use crate::rules::{Around, Confidence, Finding, Notes, Seen, Severity, look, wording};
use crate::stream::{Connection, Side};

/// Refusals of one request that are no accident any more.
pub const MANY: u64 = 3;

/// The challenge that a session ended on.
pub fn last_word(session: &Session, door: Door) -> Option<&Exchange> {
    session.exchanges.last().filter(|last| door.stopped(last))
}

/// So long, in seconds, no client looks for credentials, be it that its domain controller is far away.
const PATIENCE_SECS: f64 = 30.0;

/// How sure it is that the client had nothing more to say: it closed first, or the capture went on without it; `None`
/// where the capture ends before the client could say it, or lacks what it said.
pub fn gave_up(session: &Session, around: &Around<'_>, last: &Exchange) -> Option<Confidence> {
    let connection = session.connection(last.connection);
    if session.lacks_end {
        return None;
    }
    let closed_first = connection.is_some_and(|connection| {
        connection.reset.is_some_and(|reset| reset.side == Side::Client)
            || look::first_fin(connection).is_some_and(|(side, _)| side == Side::Client)
    });
    let quiet_secs = around.quiet_secs_after(session);
    if closed_first || quiet_secs >= PATIENCE_SECS {
        return Some(Confidence::Certain);
    }
    let goes_on = connection.is_some_and(Connection::client_goes_on);
    (!goes_on || quiet_secs >= CREDENTIALS_SECS).then_some(Confidence::Likely)
}

/// Whether a client that was challenged had the time to answer by `end`.
pub fn has_given_up(challenged: &Exchange, end: At) -> bool {
    end.time.secs_since(challenged.span().last.time) >= CREDENTIALS_SECS
}

/// Notes the refused tunnels that are `meant`, in the words of `said`, and lets `turn` change the finding; they may as
/// well be for downloads.
pub fn judge_tunnels(
    seen: &Seen,
    meant: fn(&RefusedTunnel) -> bool,
    said: fn(&RefusedTunnel) -> String,
    turn: impl Fn(Option<&mut Finding>, &RefusedTunnel),
    notes: &mut Notes<'_>,
) {
    for tunnel in seen.tunnels.iter().filter(|tunnel| meant(tunnel)) {
        let span = tunnel.exchange.span();
        let finding = notes.note(Severity::Warning, Confidence::Likely, &[span], said(tunnel));
        turn(finding, tunnel);
    }
}

/// What a refused tunnel was for, and how often it was asked for.
pub fn tunnel(RefusedTunnel { exchange, tries, .. }: &RefusedTunnel) -> (String, String) {
    let target = exchange.request.as_ref().map_or("", |request| &request.target);
    (format!("a tunnel of BITS to \"{target}\""), wording::counted(*tries, "time"))
}

/// Whether IIS gave an answer, by itself or through BITS.
pub fn is_iis(answer: &Response) -> bool {
    let server = answer.server.as_deref().unwrap_or_default();
    server.to_ascii_lowercase().contains("microsoft-iis")
}

/// Whose Basic credentials a request brings, as ` of "…"`.
pub fn user(request: Option<&Request>) -> String {
    let user = request.and_then(|request| request.user.as_deref());
    user.map_or_else(String::new, |user| format!(" of \"{user}\""))
}

/// The schemes on offer, in words.
pub fn schemes(exchange: &Exchange) -> String {
    let challenges = exchange.response.as_ref().map(|response| response.challenges.as_slice());
    challenges.unwrap_or_default().join(" or ")
}
