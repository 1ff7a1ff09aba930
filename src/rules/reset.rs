//! RSTs that ended the wait for an answer.

use crate::at::{At, Span};
use crate::model::{Exchange, Session};
use crate::rules::closed::{self, Closed};
use crate::rules::sender::{self, Sender};
use crate::rules::{Confidence, Notes, Severity, handshake, look, unanswered};
use crate::stream::{Connection, Reset, Side, vain};

/// The shortest idle timers of devices on the way; servers that close idle connections sooner do so with FIN.
pub const IDLE_SECS: f64 = 30.0;

/// RSTs by one side that ended the wait for an answer, with the exchange and the sender. One that follows a FIN, data
/// that was repeated in vain, or another connection, only ends what was over.
pub fn inside(session: &Session, side: Side) -> impl Iterator<Item = (&Exchange, Reset, Sender)> {
    // What the numbers of somebody else tell means nothing.
    all_inside(session, side).filter(|(_, reset, sender)| sender.middlebox || !reset.tells_of_more)
}

/// RSTs by the server itself, right upon an exchange, behind bytes of its own that the capture lacks: an answer may be
/// among these.
pub fn behind_a_hole(session: &Session) -> impl Iterator<Item = (&Exchange, Reset)> {
    let own = all_inside(session, Side::Server).filter(|(.., sender)| !sender.middlebox);
    let own = own.map(|(exchange, reset, _)| (exchange, reset));
    own.filter(|(exchange, reset)| {
        let waited = reset.time.secs_since(exchange.span().last.time);
        reset.tells_of_more && waited <= AT_LAST_SECS
    })
}

fn all_inside(session: &Session, side: Side) -> impl Iterator<Item = (&Exchange, Reset, Sender)> {
    session.connections().filter_map(move |connection| {
        let reset = connection.reset.filter(|reset| reset.side == side)?;
        let waiting = session.on(connection.id).next_back()?;
        let request = waiting.request.as_ref().filter(|_| waiting.response.is_none())?;
        let closed = look::first_fin(connection).is_some_and(|(_, fin)| {
            let inside = (request.span.first.frame..reset.at.frame).contains(&fin.frame);
            inside && !closed::crosses(session, waiting)
        });
        let last = waiting.span().last.frame;
        let next = session.begun_after(last);
        let moved_on = next.is_some_and(|next| next.first.frame < reset.at.frame);
        let answered = !unanswered::is_so(session, waiting);
        let told = handshake::is_told_before(connection, &reset);
        if closed || moved_on || gives_up(connection) || answered || told {
            return None;
        }
        Some((waiting, reset, sender::of(session, connection, &reset)))
    })
}

/// Notes the RSTs by one side itself that ended the wait for an answer, each as bad as `weigh` has it.
pub fn judge(
    session: &Session,
    side: Side,
    weigh: impl Fn(&Exchange, &Reset) -> Severity,
    notes: &mut Notes<'_>,
) {
    for (exchange, reset, sender) in inside(session, side).filter(|(.., it)| !it.middlebox) {
        let (who, moment) = (side.name(), moment(exchange));
        let mut message = format!("the {who} reset the connection {moment} ({})", sender.evidence);
        let mut severity = weigh(exchange, &reset);
        let mut spans = vec![span(exchange, &reset)];
        let closed = Closed::before(session, exchange).filter(|_| side == Side::Server);
        if let Some(closed) = closed {
            message = closed.message(exchange);
            // Who comes back has lost nothing.
            if session.begun_after(closed.fin.frame).is_some() {
                severity = Severity::Note;
            }
            spans.insert(0, Span::at(closed.fin));
        }
        let unclear = closed.is_none() && may_answer_its_end(session, exchange, &reset);
        if unclear {
            message.push_str(UNCLEAR);
            if session.begun_after(exchange.span().last.frame).is_some() {
                severity = Severity::Note;
            }
        }
        let sure = if unclear { Confidence::Possible } else { sender.confidence };
        let finding = notes.note(severity, sure, &spans, message);
        let Some(finding) = finding else { continue };
        if let Some(advice) = closed.and_then(|closed| closed.advice()) {
            finding.advise(advice);
        } else if closed.is_none() && !sender.fits {
            finding.advise(OF_NEIGHBOUR).turn_to(format!("the {who}, or a firewall on the way"));
        } else if closed.is_none() && !unclear && side == Side::Server && is_stranger(&reset) {
            finding
                .advise(OF_STRANGER)
                .turn_to("the server, or what translates addresses on the way");
        }
    }
}

/// What to do where the sender may be another device that is no further away than routes vary.
const OF_NEIGHBOUR: &str = "The RST is not in all like this host's other packets: a firewall next to it, or next to the place of the capture, may have sent it. Look into the log of the host at this time (a restart, a limit, a filter), and into those of the firewalls on the way.";

/// What to do where the one that answered did not know the connection.
const OF_STRANGER: &str = "Who sent the RST does not know this connection, or a rule of the firewall on that host rejects it. Either what translates addresses or balances on the way gave the rest of it another port or another server: compare the client's port in a capture on the server, and look into the log and the timers of that device. Or the server forgot or rejected it: look into its log for a restart, a failover, a connection limit, and at the rules of its firewall.";

/// Whether an RST is what a host answers to a connection that it does not know (RFC 9293 3.10.7.1).
const fn is_stranger(reset: &Reset) -> bool {
    !reset.acked
}

/// Whether an RST of the server, as a host answers behind the end of a connection, comes behind bytes of its own that the
/// capture lacks: FIN may be among them.
fn may_answer_its_end(session: &Session, exchange: &Exchange, reset: &Reset) -> bool {
    let connection = session.connection(exchange.connection);
    let own = connection.filter(|_| reset.side == Side::Server && is_stranger(reset));
    let lost = own.and_then(|one| Some((one.server_side.resent.lost?, one.server_side.last_data)));
    lost.is_some_and(|(lost, seen)| seen.is_none_or(|seen| seen.frame < lost.last.frame))
}

/// What to say of such a one.
const UNCLEAR: &str =
    "; the server may have closed it before, by what it sent last, which the capture lacks";

/// Whether the client reset the connection after repeating data that nobody acknowledged.
fn gives_up(connection: &Connection) -> bool {
    connection.reset.is_some_and(|reset| reset.side == Side::Client) && vain::repeats(connection)
}

/// A host that keeps its window at 0 for longer, in seconds, stops the upload: half of the time that a client gives to
/// one request ([MC-BUP] 3.1.2.1).
pub const STALLED_SECS: f64 = 60.0;

/// Whether the server had kept its window at 0 for so long at a time that the client had reason to end the connection.
pub fn is_stalled(connection: &Connection, at: At) -> bool {
    let last = connection.server_side.zero_windows.last();
    last.is_some_and(|stall| {
        let end = stall.end.unwrap_or(at);
        let long = end.time.secs_since(stall.start.time) > STALLED_SECS;
        long && at.time.secs_since(end.time) <= AT_LAST_SECS
    })
}

/// What comes as late as this, in seconds, before the end belongs to it.
const AT_LAST_SECS: f64 = 1.0;

/// The frames of an exchange with the RST that ended it.
pub fn span(exchange: &Exchange, reset: &Reset) -> Span {
    let mut span = Span::at(exchange.span().first);
    span.extend(reset.at);
    span
}

/// When an RST came, as far as its exchange got.
fn moment(exchange: &Exchange) -> String {
    let sent = exchange.request.as_ref().is_some_and(|request| request.body.complete);
    let when = if sent { "before the answer to the" } else { "inside the" };
    format!("{when} {}", exchange.kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::at::Timestamp;
    use crate::rules::tests::{diagnosed, report};
    use crate::stream::ZeroWindow;
    use crate::transcript;

    #[test]
    fn one_that_does_not_know_the_connection_may_be_behind_a_translator() {
        let advice = |kind: &str| {
            let told = diagnosed(&format!(
                "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20\n! server resets {kind}\n"
            ));
            assert_eq!(told.cause, "tcp-reset-by-server");
            told.advice.unwrap()
        };
        assert!(advice("bare").contains("translates addresses"));
        assert!(!advice("").contains("translates addresses"));
    }

    #[test]
    fn one_behind_a_hole_may_answer_an_end_that_the_capture_lacks() {
        let told = |lost: &str, kind: &str| {
            let text = format!(
                "> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/30\n< 200{lost}\n... 5 s\n> FRAGMENT 10-19/30\n\
                 ! server resets {kind}\n= connection\n> PING\n< 200\n"
            );
            let findings = report(&text).sessions.remove(0).findings;
            let own = findings.into_iter().find(|one| one.rule == "tcp-reset-by-server").unwrap();
            (own.severity, own.confidence)
        };
        let weak = (Severity::Note, Confidence::Possible);
        assert_eq!(told(" lost", "bare"), weak);
        assert_ne!(told(" lost", ""), weak);
        assert_ne!(told("", "bare"), weak);
    }

    #[test]
    fn a_connection_that_the_capture_begins_with_is_no_later_one() {
        let records = transcript::play("> FRAGMENT 0-9/20 session=1\n! server resets\n").unwrap();
        // Without the handshake.
        let report = transcript::analyse(&records[3..], &mut ());
        assert_eq!(inside(&report.sessions[0], Side::Server).count(), 1);
    }

    /// The upload of a transcript in which a Fragment is reset, once its connections are changed.
    fn upload(end: &str, change: impl Fn(&mut Session)) -> Session {
        let text = format!("> CREATE-SESSION\n< 200 session=1\n> FRAGMENT 0-9/20{end}\n");
        let mut session = report(&text).sessions.remove(0);
        change(&mut session);
        session
    }

    fn tells_of_more(session: &mut Session) {
        session.connection_mut(0).reset.as_mut().unwrap().tells_of_more = true;
    }

    #[test]
    fn numbers_tell_of_an_answer_only_where_the_server_itself_gives_them_right_upon_the_request() {
        let count = |end: &str, change: fn(&mut Session)| {
            let session = upload(end, change);
            (inside(&session, Side::Server).count(), behind_a_hole(&session).count())
        };
        assert_eq!(count("\n! server resets", |_| {}), (1, 0));
        assert_eq!(count("\n! server resets", tells_of_more), (0, 1));
        assert_eq!(count("\n... 3 s\n! server resets", tells_of_more), (0, 0));
        assert_eq!(count("\n! server resets ttl=40", tells_of_more), (1, 0));
    }

    #[test]
    fn one_behind_an_end_or_another_connection_only_ends_what_was_over() {
        let count = |end: &str, change: fn(&mut Session)| {
            inside(&upload(end, change), Side::Server).count()
        };
        assert_eq!(count("\n... 3 s\n! server closes\n! server resets", |_| {}), 0);
        // The end was on its way when the request was sent.
        let unread = |session: &mut Session| session.connection_mut(0).client_side.acked = 0;
        assert_eq!(count("\n! server closes\n! server resets", unread), 1);
        let next = "\n! server resets\n= connection\n> PING\n< 200";
        assert_eq!(count(next, |_| {}), 1);
        let late = |session: &mut Session| {
            session.connection_mut(0).reset.as_mut().unwrap().at.frame = u64::MAX;
        };
        assert_eq!(count(next, late), 0);
    }

    #[test]
    fn what_ends_a_closed_connection_or_comes_from_the_client_is_behind_no_translator() {
        let advice = |text: &str| {
            let told = diagnosed(&format!("> CREATE-SESSION\n< 200 session=1\n{text}\n"));
            told.advice.map(|advice| advice.to_string())
        };
        let other = |text: &str, no: &str| assert_ne!(advice(text).as_deref(), Some(no), "{text}");
        other("> FRAGMENT 0-9/20\n! client resets bare", OF_STRANGER);
        other("! server closes\n> FRAGMENT 0-9/20\n! server resets bare", OF_STRANGER);
        let near = "> FRAGMENT 0-9/20\n! server resets ttl=62 bare";
        assert_eq!(advice(near).as_deref(), Some(OF_NEIGHBOUR));
        other(&format!("! server closes\n{near}"), OF_NEIGHBOUR);
    }

    #[test]
    fn a_client_gives_up_by_its_own_rst() {
        let text = " dropped\n! again\n! again\n! server resets";
        let unacked = |session: &mut Session| {
            assert!(vain::repeats(&session.connections[0]));
        };
        assert_eq!(inside(&upload(text, unacked), Side::Server).count(), 1);
    }

    #[test]
    fn a_window_stalls_what_ends_right_behind_it() {
        let stalled = |secs: i64, behind: i64| {
            let session = upload("", |_| {});
            let mut connection = Connection::clone(&session.connections[0]);
            let start = connection.last;
            let later = |secs: i64| At {
                time: Timestamp::from_nanos(start.time.nanos() + secs * 1_000_000_000),
                ..start
            };
            let end = later(secs);
            let (started, ended) = (start.time, Some(end.time));
            let closed = ZeroWindow { start, end: Some(end), started, ended };
            connection.server_side.zero_windows.push(closed);
            is_stalled(&connection, later(secs + behind))
        };
        assert!(stalled(61, 1) && !stalled(60, 1) && !stalled(61, 2));
    }
}
